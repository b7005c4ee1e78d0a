import { toUtf8 } from '../../../src/log/bytes.js';
import { Chain } from '../../../src/log/chain.js';
import { formatLeaf, GENESIS, type Link, linkOf, type Place } from '../../../src/log/leaf.js';
import type { StoredEntry } from '../../../src/log/reading.js';
import { bodyOf, type Sketch, uuid } from '../arbitraries.js';

/** Twelve entries about two people, as an honest writer makes them. */
export const SKETCHES: readonly Sketch[] = [
  { event: 'purpose.declared', subject: null },
  { event: 'user.registered', subject: 1 },
  { event: 'record.created', subject: 1, records: [0x11] },
  { event: 'user.registered', subject: 2 },
  { event: 'record.created', subject: 2, records: [0x21] },
  { event: 'grant.approved', subject: 1 },
  { event: 'record.read', subject: 1, records: [0x11] },
  { event: 'record.read', subject: 2, records: [0x21] },
  { event: 'record.read', subject: 1, records: [0x11] },
  { event: 'user.listed', subject: null },
  { event: 'record.updated', subject: 2, records: [0x21] },
  { event: 'record.read', subject: 1, records: [0x11] },
];

/** What somebody who can write the log makes of one leaf, before it is chained to the rest. */
export type Forgery = (place: Place, body: string) => string | { readonly leaf: Uint8Array };

/**
 * A log with forged leaves at some indices, everything after them chained to the forgery: links and leaves agree. The
 * histories stay those of the honest log.
 */
export function forge(sketches: readonly Sketch[], forgeries: { readonly [index: number]: Forgery }): StoredEntry[] {
  const honest = new Chain();
  let prev: Link = GENESIS;
  return sketches.map((sketch, index) => {
    const subject = sketch.subject === undefined ? uuid(1) : sketch.subject === null ? null : uuid(sketch.subject);
    const place = { ...honest.place(subject), prev };
    const body = bodyOf(index, sketch);
    honest.append(body, subject);
    const forged = forgeries[index]?.(place, body) ?? body;
    const leaf = typeof forged === 'string' ? formatLeaf({ ...place, body: forged }) : forged.leaf;
    const link = linkOf(leaf);
    prev = link;
    return { index, leaf, link };
  });
}

/** The place told otherwise. */
export function placed(change: Partial<Place>): Forgery {
  return (place, body) => ({ leaf: formatLeaf({ ...place, ...change, body }) });
}

/** The leaf as text, changed. */
export function rewritten(change: (leaf: string) => string): Forgery {
  return (place, body) => ({ leaf: toUtf8(change(new TextDecoder().decode(formatLeaf({ ...place, body })))) });
}

/** One entry's leaf changed where it is stored, its link left as it was. */
export function edited(entries: readonly StoredEntry[], index: number, from: string, to: string): StoredEntry[] {
  return entries.map((entry) => {
    if (entry.index !== index) return entry;
    const text = new TextDecoder().decode(entry.leaf);
    if (!text.includes(from)) throw new RangeError(`entry ${index} has no ${from}`);
    return { ...entry, leaf: toUtf8(text.replace(from, to)) };
  });
}
