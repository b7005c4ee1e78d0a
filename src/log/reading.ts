/**
 * A reading is what one stored row says by itself: the part of verification that needs no other row. It is plain data, so
 * that threads may share the reading of a log while one of them follows the chain.
 */
import { BodyError } from './body.js';
import { type Deed, parseColumns, parseDeed } from './deed.js';
import { type Finding, findingAt } from './finding.js';
import { type Link, linkOf, type Place, parseLeaf } from './leaf.js';
import { type Changes, differingFromLeaf, type Projection, projectionFindings } from './projection.js';

/** An entry as it is kept: nothing in it is believed. */
export interface StoredEntry {
  /** As it stands beside the leaf. */
  readonly index: number;
  readonly link: string;
  /** The exact bytes. */
  readonly leaf: Uint8Array;
  /** The columns that the store answers queries by, where it has such. */
  readonly projection?: Projection;
}

export interface Reading {
  /** Where the row stands: where its leaf says, if it is whole; otherwise at the index beside the leaf. */
  readonly index: number;
  /** As it stands beside the leaf. */
  readonly link: string;
  /** What the leaf hashes to. */
  readonly hash: Link;
  /** Where the leaf says that it stands; null where it is no leaf. */
  readonly place: Place | null;
  /** Null where the body is none that a writer of ours writes. */
  readonly deed: Deed | null;
  /** What the store says that only the entries before can confirm, where it says any such. */
  readonly changes?: Changes;
  /** What is wrong with the row by itself, but for a link beside it that is another: what that means, its neighbours tell. */
  readonly findings: readonly Finding[];
}

const NONE: readonly Finding[] = [];

/** Whether the leaf hashes to the link beside it: both are as they were written, or both were replaced. */
export function agrees({ hash, link }: Reading): boolean {
  return hash === link;
}

/** Whether it also says where it stands, and what it follows. */
export function isWhole(reading: Reading): reading is Reading & { readonly place: Place } {
  return agrees(reading) && reading.place !== null;
}

/**
 * For a row whose leaf hashes to another link than the one beside it.
 *
 * @param said what the rows of the next entry follow
 */
export function editedFinding({ index, link, hash }: Reading, said: readonly Link[] = []): Finding {
  const follows = `which entry ${index + 1} follows`;
  if (said.includes(hash)) {
    return findingAt('CONTENT_EDITED', index, `link ${hash}, ${follows}`, `link ${link}: only the link was changed`);
  }
  const known = said.some((one) => one === link) ? `, ${follows}` : '';
  return findingAt('CONTENT_EDITED', index, `a leaf that hashes to its link ${link}${known}`, `it hashes to ${hash}`);
}

export function readEntry(entry: StoredEntry): Reading {
  const { link, leaf } = entry;
  const hash = linkOf(leaf);
  const parsed = parseLeaf(leaf);
  if (!parsed) {
    const findings = [findingAt('LEAF_MALFORMED', entry.index, LEAF, 'other bytes')];
    return { index: entry.index, link, hash, place: null, deed: null, findings };
  }
  const place = { index: parsed.index, prev: parsed.prev, history: parsed.history };
  const index = hash === link ? parsed.index : entry.index;
  try {
    const deed = parseDeed(parsed.body);
    if (hash !== link) return { index, link, hash, place, deed, findings: NONE };
    if (!entry.projection) return { index, link, hash, place, deed, findings: besideFindings(place, entry) };
    const differing = differingFromLeaf(place, entry, parseColumns(parsed.body));
    const { changes } = entry.projection;
    return { index, link, hash, place, deed, changes, findings: projectionFindings(index, differing) };
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    const fault = findingAt(error.code, index, error.expected, error.found);
    const beside = hash === link ? besideFindings(place, entry) : NONE;
    return { index, link, hash, place, deed: null, findings: [fault, ...beside] };
  }
}

const LEAF = '<index> <prev> <nth> <earlier>, a line feed, a body';

function besideFindings(place: Place, entry: StoredEntry): readonly Finding[] {
  return place.index === entry.index ? NONE : projectionFindings(place.index, differingFromLeaf(place, entry, null));
}
