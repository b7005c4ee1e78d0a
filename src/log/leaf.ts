/**
 * A leaf is what the log hashes for one entry: a header line that places the entry, then its body.
 *
 *     42 5fec…d0a1 7 31
 *     {"actor":…,"v":1}
 *
 * Entry 42; the link of entry 41; the 7th entry about its subject, the 6th being entry 31.
 * The format is the contract of schema/log-format.md: what this file writes, others parse.
 */
import { fromUtf8, toUtf8 } from './bytes.js';
import { sha256Hex } from './hash.js';

declare const brand: unique symbol;

/** A link of the chain, and at once the entry's RFC 6962 leaf hash: 64 lower-case hex digits. */
export type Link = string & { readonly [brand]: 'Link' };

/** Whether text from elsewhere is spelt as a link. */
export function isLink(text: string): text is Link {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Where in the log an entry stands: a safe integer from 0. */
export type LogIndex = number & { readonly [brand]: 'LogIndex' };

/** Where an entry stands: in the log, and in the history of the person it is about. */
export interface Place {
  readonly index: LogIndex;
  readonly prev: Link;
  /** Null for an entry that is about nobody. */
  readonly history: { readonly nth: number; readonly earlier: LogIndex | null } | null;
}

export interface Leaf extends Place {
  /** Canonical JSON (RFC 8785). */
  readonly body: string;
}

/** The limit of a tlog-tiles entry bundle, in bytes. */
export const MAX_LEAF_BYTES = 65_535;

/** What the header line can take of a leaf: three safe integers, a link, three spaces and a line feed. */
const MAX_HEADER_BYTES = 3 * 16 + 64 + 4;

/** A body of at most this many bytes fits into a leaf wherever it comes to stand. */
export const MAX_BODY_BYTES = MAX_LEAF_BYTES - MAX_HEADER_BYTES;

/** What stands before the first entry: the root of the empty tree. */
export const GENESIS = sha256Hex(new Uint8Array()) as Link;

export function formatLeaf({ index, prev, history, body }: Leaf): Uint8Array {
  const place = history ? `${history.nth} ${history.earlier ?? '-'}` : '- -';
  return toUtf8(`${index} ${prev} ${place}\n${body}`);
}

const INDEX = '(0|[1-9][0-9]{0,15})';
const HEADER = new RegExp(`^${INDEX} ([0-9a-f]{64}) (?:(- -)|([1-9][0-9]{0,15}) (?:(-)|${INDEX}))$`);

/**
 * Parses exactly what `formatLeaf` writes, and nothing else: `formatLeaf(parseLeaf(b))` is `b`.
 *
 * @returns null for any other bytes. The caller names the fault, for only it knows the index.
 */
export function parseLeaf(bytes: Uint8Array): Leaf | null {
  if (bytes.length > MAX_LEAF_BYTES) return null;
  const text = fromUtf8(bytes);
  const end = text?.indexOf('\n') ?? -1;
  const header = text && HEADER.exec(text.slice(0, end));
  if (!text || end < 0 || !header) return null;
  const [, index, prev, nobody, nth, first, earlier] = header;
  if (!nobody && (nth === '1') !== Boolean(first)) return null;
  if (!isSafe(index) || !isSafe(nth ?? '0') || !isSafe(earlier ?? '0')) return null;
  return {
    index: Number(index) as LogIndex,
    prev: prev as Link,
    history: nobody ? null : { nth: Number(nth), earlier: first ? null : (Number(earlier) as LogIndex) },
    body: text.slice(end + 1),
  };
}

function isSafe(digits: string | undefined): boolean {
  return Number.isSafeInteger(Number(digits));
}

const prefixed = new Uint8Array(1 + MAX_LEAF_BYTES);

/** SHA-256(0x00 ‖ leaf), RFC 6962 section 2.1. */
export function linkOf(leaf: Uint8Array): Link {
  const room = leaf.length < prefixed.length ? prefixed : new Uint8Array(1 + leaf.length);
  room.set(leaf, 1);
  return sha256Hex(room.subarray(0, 1 + leaf.length)) as Link;
}
