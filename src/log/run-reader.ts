/**
 * A run reader reads entries into runs, mostly from the lines of an export. A plain line with a body of a known shape is checked where it lies, a
 * few bytes at a time; any other is read by the definition, and joins the run as well if it is sound. What is fast decides
 * nothing: it only sees sooner what is right.
 */
import { fromUtf8, hexBytes, toHex } from './bytes.js';
import { DeedWriter, MOST_DEEDS } from './deeds.js';
import { ExportError, parseExportLine } from './export-line.js';
import { sha256 } from './hash.js';
import { areHex, hexWord } from './hex-words.js';
import { isLink, type Link, MAX_LEAF_BYTES, parseLeaf } from './leaf.js';
import { type Batch, LINE_FEED } from './lines.js';
import { LINK_DIGITS, PlainLine } from './plain-line.js';
import { isWhole, readEntry, type StoredEntry } from './reading.js';
import type { Part } from './run.js';
import { type Room, roomOf, Shapes } from './shape.js';
import { HASH_BYTES } from './tree.js';

export interface ReadParts {
  readonly parts: readonly Part[];
  /** Why the line after them is none; null where all are. */
  readonly fault: string | null;
}

export class RunReader {
  private readonly shapes = new Shapes();
  private readonly line = new PlainLine();
  /** Of the line, behind the 0x00 that is hashed before it. */
  private readonly leaf: Room = roomOf(new Uint8Array(1 + 2 * MAX_LEAF_BYTES));

  /** The run that is read. */
  private first = 0;
  private prev = '' as Link;
  private readonly links = new Uint8Array(HASH_BYTES * MOST_DEEDS);
  private readonly deeds = new DeedWriter();
  private parts: Part[] = [];

  /** @param entries in order; other than lines, they are in memory already */
  readEntries(entries: readonly StoredEntry[]): ReadParts {
    this.parts = [];
    for (const entry of entries) this.takeAny(entry);
    this.close();
    return { parts: this.parts, fault: null };
  }

  readLines({ room, length }: Batch): ReadParts {
    const lines = roomOf(room);
    this.parts = [];
    let fault: string | null = null;
    try {
      for (let from = 0, end = 0; from < length; from = end + 1) {
        end = room.indexOf(LINE_FEED, from);
        if (!this.takePlain(lines, from, end)) this.takeAny(parseExportLine(room.subarray(from, end)));
      }
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      fault = error.message;
    }
    this.close();
    return { parts: this.parts, fault };
  }

  /** @returns false, and has taken nothing, where the line is to be read by the definition */
  private takePlain(lines: Room, from: number, end: number): boolean {
    const line = this.line;
    const leaf = this.leaf;
    if (!line.find(lines.bytes, from, end)) return false;
    const { leafAt, headerEnd, bodyAt, bodyEnd, nth, earlier } = line;
    const bodyTo = 1 + (headerEnd - leafAt) + 1;
    const shape = this.shapes.find(lines, bodyAt, bodyEnd - bodyAt, leaf, bodyTo);
    if (!shape || bodyTo + shape.length > 1 + MAX_LEAF_BYTES) return false;
    leaf.bytes.set(lines.bytes.subarray(leafAt, headerEnd), 1);
    leaf.bytes[bodyTo - 1] = LINE_FEED;
    const hash = sha256(leaf.bytes.subarray(0, bodyTo + shape.length));
    if (!isHexOf(hash, lines.view, line.linkAt) || !this.follow(lines)) return false;
    this.links.set(hash, HASH_BYTES * this.deeds.length);
    shape.addDeed(nth, earlier, leaf, bodyTo, this.deeds);
    return true;
  }

  /** Goes on with the run where the line follows it, and begins another where not. */
  private follow({ bytes, view }: Room): boolean {
    const { index, prevAt } = this.line;
    if (this.goesOnAt(index) && isHexOf(this.lastLink(), view, prevAt)) return true;
    const prev = fromUtf8(bytes.subarray(prevAt, prevAt + LINK_DIGITS));
    if (prev === null || !isLink(prev)) return false;
    this.begin(index, prev);
    return true;
  }

  private takeAny(entry: StoredEntry): void {
    const reading = readEntry(entry);
    const { deed, findings } = reading;
    if (!isWhole(reading) || !deed || findings.length > 0) {
      this.close();
      this.parts.push(reading);
      return;
    }
    const { place, hash } = reading;
    if (!this.goesOnAt(place.index) || toHex(this.lastLink()) !== place.prev) this.begin(place.index, place.prev);
    this.links.set(hexBytes(hash), HASH_BYTES * this.deeds.length);
    this.deeds.add(place.history, deed);
    this.shapes.learn(parseLeaf(entry.leaf)!.body, deed);
  }

  private goesOnAt(index: number): boolean {
    const count = this.deeds.length;
    return count > 0 && count < MOST_DEEDS && index === this.first + count;
  }

  private lastLink(): Uint8Array {
    const count = this.deeds.length;
    return this.links.subarray(HASH_BYTES * (count - 1), HASH_BYTES * count);
  }

  private begin(first: number, prev: Link): void {
    this.close();
    this.first = first;
    this.prev = prev;
  }

  private close(): void {
    const count = this.deeds.length;
    if (count === 0) return;
    const links = this.links.slice(0, HASH_BYTES * count);
    this.parts.push({ first: this.first, prev: this.prev, links, deeds: this.deeds.taken() });
    this.deeds.clear();
  }
}

/** Whether the digits there spell the hash. */
function isHexOf(hash: Uint8Array, view: DataView, at: number): boolean {
  for (let i = 0; i < HASH_BYTES; i += 4) {
    const digits = at + 2 * i;
    if (!areHex(view.getInt32(digits)) || !areHex(view.getInt32(digits + 4))) return false;
    const word = (hash[i]! << 24) | (hash[i + 1]! << 16) | (hash[i + 2]! << 8) | hash[i + 3]!;
    if (hexWord(view, digits) !== word) return false;
  }
  return true;
}
