/**
 * A plain line is a line of an export as it is nearly always spelt: where its parts stand, found without making a string.
 *
 *     {"index":42,"leaf":"42 5fec…d0a1 7 31\n{\"actor\":…}","link":"9c0e…"}
 *                         ↑leafAt           ↑headerEnd      ↑bodyEnd ↑linkAt
 */
import { toUtf8 } from './bytes.js';
import { NO_ENTRY } from './deeds.js';
import { HASH_BYTES } from './tree.js';

export const LINK_DIGITS = 2 * HASH_BYTES;

const HEAD = toUtf8('{"index":');
const LEAF = toUtf8(',"leaf":"');
const BODY = toUtf8('\\n');
const LINK = toUtf8('","link":"');
const TAIL = toUtf8('"}');
const SPACE = 0x20;
const HYPHEN = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const MOST_DIGITS = 15;

/** One after another is found in the same. */
export class PlainLine {
  /** Beside the leaf, and in it. */
  index = 0;
  leafAt = 0;
  /** 64 characters, not looked at. */
  prevAt = 0;
  /** 0 for an entry about nobody. */
  nth = 0;
  /** NO_ENTRY where none is named. */
  earlier = 0;
  headerEnd = 0;
  /** Not looked at. */
  bodyAt = 0;
  bodyEnd = 0;
  /** 64 characters, not looked at. */
  linkAt = 0;

  /** The number that was read last, and where it ends. */
  private number = 0;
  private end = 0;

  /** @returns false for a line that has to be parsed to know what it is */
  find(bytes: Uint8Array, from: number, end: number): boolean {
    const tail = end - TAIL.length;
    this.linkAt = tail - LINK_DIGITS;
    this.bodyEnd = this.linkAt - LINK.length;
    if (this.bodyEnd < from || !stands(LINK, bytes, this.bodyEnd) || !stands(TAIL, bytes, tail)) return false;
    if (!stands(HEAD, bytes, from) || !this.count(bytes, from + HEAD.length)) return false;
    this.index = this.number;
    this.leafAt = this.end + LEAF.length;
    if (!stands(LEAF, bytes, this.end) || !this.count(bytes, this.leafAt)) return false;
    if (this.number !== this.index || bytes[this.end] !== SPACE) return false;
    this.prevAt = this.end + 1;
    if (!this.place(bytes, this.prevAt + LINK_DIGITS)) return false;
    this.headerEnd = this.end;
    this.bodyAt = this.headerEnd + BODY.length;
    return stands(BODY, bytes, this.headerEnd) && this.bodyAt <= this.bodyEnd;
  }

  /** ` 7 31`, ` 1 -` or ` - -`. */
  private place(bytes: Uint8Array, at: number): boolean {
    if (bytes[at] !== SPACE) return false;
    this.earlier = NO_ENTRY;
    if (bytes[at + 1] === HYPHEN) {
      this.nth = 0;
      this.end = at + 4;
      return bytes[at + 2] === SPACE && bytes[at + 3] === HYPHEN;
    }
    if (!this.count(bytes, at + 1) || this.number === 0 || bytes[this.end] !== SPACE) return false;
    this.nth = this.number;
    const earlierAt = this.end + 1;
    if (this.nth === 1) {
      this.end = earlierAt + 1;
      return bytes[earlierAt] === HYPHEN;
    }
    if (!this.count(bytes, earlierAt)) return false;
    this.earlier = this.number;
    return true;
  }

  /** Reads a number below 10^15, without a leading zero. */
  private count(bytes: Uint8Array, at: number): boolean {
    let end = at;
    let number = 0;
    for (; bytes[end]! >= ZERO && bytes[end]! <= NINE; end++) number = 10 * number + (bytes[end]! - ZERO);
    this.number = number;
    this.end = end;
    return end > at && end - at <= MOST_DIGITS && (bytes[at] !== ZERO || end === at + 1);
  }
}

function stands(text: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
