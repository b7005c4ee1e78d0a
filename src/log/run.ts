/**
 * A run is entries that follow one another, each without a fault of its own: index by index, link by link. What is left to
 * check of them is what the entries say of people, and the tree; so they go from thread to thread, and through verification,
 * as one.
 */
import { toHex } from './bytes.js';
import { type DeedKind, type Deeds, firstRecord, historyAt } from './deeds.js';
import { formatUuid } from './hex-words.js';
import { WORDS } from './id-table.js';
import type { Link, LogIndex } from './leaf.js';
import type { Reading } from './reading.js';
import { HASH_BYTES } from './tree.js';

export interface Run {
  /** The index of its first entry. */
  readonly first: number;
  /** What that follows. */
  readonly prev: Link;
  /** One hash an entry. */
  readonly links: Uint8Array<ArrayBuffer>;
  readonly deeds: Deeds;
}

/** Of what was read, in order: what is sound comes in runs. */
export type Part = Run | Reading;

export function isRun(part: Part): part is Run {
  return 'deeds' in part;
}

/** One of its entries, as it would have been read by itself. */
export function readingAt(run: Run, at: number): Reading {
  const { first, prev, links, deeds } = run;
  const linkAt = (nth: number) => toHex(links.subarray(nth * HASH_BYTES, (nth + 1) * HASH_BYTES)) as Link;
  const index = (first + at) as LogIndex;
  const link = linkAt(at);
  const { event, permitted }: DeedKind = deeds.kinds[deeds.kindOf[at]!]!;
  const records: string[] = [];
  for (let nth = firstRecord(deeds, at); nth < deeds.recordsTo[at]!; nth++) {
    records.push(formatUuid(deeds.records, WORDS * nth));
  }
  const subject = deeds.isAbout[at] === 1 ? formatUuid(deeds.subjects, WORDS * at) : null;
  return {
    index,
    link,
    hash: link,
    place: { index, prev: at === 0 ? prev : linkAt(at - 1), history: historyAt(deeds, at) },
    deed: { asOf: deeds.asOfs[at]!, event, permitted, records, subject },
    findings: [],
  };
}

/** What threads hand over rather than copy. */
export function buffersOf({ links, deeds }: Run): ArrayBuffer[] {
  const { nths, earliers, asOfs, kindOf, isAbout, subjects, recordsTo, records } = deeds;
  return [links, nths, earliers, asOfs, kindOf, isAbout, subjects, recordsTo, records].map(({ buffer }) => buffer);
}
