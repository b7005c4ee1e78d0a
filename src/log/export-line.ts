/**
 * An export line is one entry of an exported log, canonical JSON and a line feed:
 *
 *     {"index":42,"leaf":"42 5fec…d0a1 7 31\n{\"actor\":…}","link":"9c0e…"}
 *
 * The leaf is its exact text. Where somebody has put bytes there that JSON cannot carry as text, `leafBase64` stands in
 * its place: a damaged log must still be exported, or nobody could be shown the damage.
 */
import { carve, fromBase64, fromUtf8, toBase64, toUtf8 } from './bytes.js';
import { canonical, isSpeakable, type Json, NotCanonical, parseCanonical } from './canonical.js';
import { isLink } from './leaf.js';
import type { StoredEntry } from './reading.js';

export type ExportFault =
  /** Not a line that `formatExportLine` writes. */
  | 'MALFORMED'
  /** Longer than MAX_LINE_BYTES. */
  | 'TOO_LONG'
  /** The last line has no line feed: the export was interrupted. */
  | 'CUT_SHORT';

export class ExportError extends Error {
  override readonly name = 'ExportError';
  constructor(
    readonly code: ExportFault,
    /** Counted from 1; 0 where a line is parsed by itself. */
    readonly line: number,
    message: string,
  ) {
    super(line > 0 ? `line ${line}: ${message}` : message);
  }
}

/** No leaf makes a longer line: each of its bytes takes six at most. */
export const MAX_LINE_BYTES = 1 << 19;

/**
 * With its line feed.
 *
 * @throws ExportError `TOO_LONG` for an entry that `parseExportLines` would not take back
 */
export function formatExportLine({ index, link, leaf }: StoredEntry): string {
  const text = fromUtf8(leaf);
  const spoken = text !== null && isSpeakable(text) ? { leaf: text } : { leafBase64: toBase64(leaf) };
  const line = canonical({ index, link, ...spoken });
  if (line.length > MAX_LINE_BYTES || toUtf8(line).length > MAX_LINE_BYTES) throw tooLong();
  return `${line}\n`;
}

/**
 * @param line without its line feed
 * @throws ExportError `MALFORMED`
 */
export function parseExportLine(line: Uint8Array): StoredEntry {
  return parsePlain(line) ?? parseAny(line);
}

/** A damaged log may keep bytes of any length for a link. */
const HEX = /^(?:[0-9a-f]{2})*$/;

/** Any line, by the definition: canonical JSON of the members. */
function parseAny(line: Uint8Array): StoredEntry {
  const { index, link, leaf, leafBase64, ...rest } = members(line);
  const bytes = typeof leaf === 'string' ? toUtf8(leaf) : typeof leafBase64 === 'string' ? unspoken(leafBase64) : null;
  const one = (leaf === undefined) !== (leafBase64 === undefined);
  if (
    typeof index !== 'number' ||
    index < 0 ||
    typeof link !== 'string' ||
    !HEX.test(link) ||
    !bytes ||
    !one ||
    Object.keys(rest).length
  ) {
    throw malformed();
  }
  return { index, link, leaf: bytes };
}

function members(line: Uint8Array): { readonly [key: string]: Json | undefined } {
  try {
    const value = parseCanonical(fromUtf8(line) ?? '');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as { [key: string]: Json };
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
  }
  throw malformed();
}

/** Only for bytes that `leaf` cannot hold, so that each entry has one line. */
function unspoken(base64: string): Uint8Array | null {
  const bytes = fromBase64(base64);
  const text = bytes && fromUtf8(bytes);
  return text !== null && isSpeakable(text) ? null : bytes;
}

/** What an export says at its end: that it is whole. Without it, nobody knows what a cut at the end of a line took away. */
export interface Closing {
  /** Lines before it. */
  readonly entries: number;
  /** The last entry that was asked for; null where there is none. */
  readonly last: number | null;
}

/** The last line of an export, with its line feed. */
export function formatClosingLine({ entries, last }: Closing): string {
  return `${canonical({ complete: { entries, last } })}\n`;
}

/**
 * @param line without its line feed
 * @returns null for a line that `formatClosingLine` does not write
 */
export function parseClosingLine(line: Uint8Array): Closing | null {
  if (!stands(COMPLETE, line, 0)) return null;
  const text = fromUtf8(line);
  const [, entries, last] = /^\{"complete":\{"entries":(\d{1,16}),"last":(null|\d{1,16})\}\}$/.exec(text ?? '') ?? [];
  if (entries === undefined || last === undefined) return null;
  const closing = { entries: Number(entries), last: last === 'null' ? null : Number(last) };
  return Number.isSafeInteger(closing.entries) && formatClosingLine(closing) === `${text}\n` ? closing : null;
}

/** @throws ExportError `CUT_SHORT` where there are not as many entries as the closing line says */
export function checkClosing(closing: Closing | null, entries: number): void {
  if (!closing || closing.entries === entries) return;
  throw new ExportError(
    'CUT_SHORT',
    0,
    `its closing line is of ${closing.entries} entries, and it has ${entries}: export it again`,
  );
}

const COMPLETE = toUtf8('{"complete":');
const HEAD = toUtf8('{"index":');
const LEAF = toUtf8(',"leaf":"');
const LINK = toUtf8('","link":"');
const TAIL = toUtf8('"}');
const LINK_DIGITS = 64;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const TILDE = 0x7e;

/**
 * The lines that a log has, in one pass over the bytes, three times as fast as by the definition.
 *
 * @returns null for lines with anything but ASCII and the escapes of quotes, backslashes and line feeds
 */
function parsePlain(line: Uint8Array): StoredEntry | null {
  if (!stands(HEAD, line, 0)) return null;
  let at = HEAD.length;
  let index = 0;
  for (; line[at]! >= DIGIT_0 && line[at]! <= DIGIT_9; at++) index = 10 * index + (line[at]! - DIGIT_0);
  if (String(index).length !== at - HEAD.length || !Number.isSafeInteger(index)) return null;
  const end = line.length - TAIL.length - LINK_DIGITS - LINK.length;
  if (!stands(LEAF, line, at) || !stands(LINK, line, end)) return null;
  if (!stands(TAIL, line, line.length - TAIL.length)) return null;
  const link = fromUtf8(line.subarray(end + LINK.length, end + LINK.length + LINK_DIGITS));
  const leaf = unescaped(line.subarray(at + LEAF.length, end));
  return link !== null && isLink(link) && leaf !== null ? { index, link, leaf } : null;
}

function stands(text: Uint8Array, line: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (line[at + i] !== text[i]) return false;
  return true;
}

function unescaped(escaped: Uint8Array): Uint8Array | null {
  let length = 0;
  const bytes = carve(escaped.length, (room) => {
    length = writeUnescaped(escaped, room);
    return Math.max(0, length);
  });
  return length < 0 ? null : bytes;
}

/** From space to tilde, with one comparison for both. */
function isPrintable(byte: number): boolean {
  return (byte - SPACE) >>> 0 <= TILDE - SPACE;
}

/** @returns how many bytes it wrote, or −1 where it met what is not plain */
function writeUnescaped(escaped: Uint8Array, room: Uint8Array): number {
  let to = 0;
  for (let i = 0; i < escaped.length; i++) {
    let byte = escaped[i]!;
    if (byte === BACKSLASH) {
      byte = escaped[++i]!;
      if (byte === LETTER_N) byte = LINE_FEED;
      else if (byte !== QUOTE && byte !== BACKSLASH) return -1;
    } else if (!isPrintable(byte) || byte === QUOTE) return -1;
    room[to++] = byte;
  }
  return to;
}

function malformed(): ExportError {
  return new ExportError('MALFORMED', 0, 'no line of an exported log: {"index":…,"leaf":…,"link":…}');
}

function tooLong(): ExportError {
  return new ExportError('TOO_LONG', 0, `an entry of more than ${MAX_LINE_BYTES} bytes`);
}
