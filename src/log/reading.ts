/**
 * A reading is what one stored entry says by itself: the part of verification that needs no other entry. It is plain
 * data, so that threads may share the reading of a log while one of them follows the chain.
 */
import { BodyError } from './body.js';
import { type Deed, parseDeed } from './deed.js';
import { type Finding, findingAt } from './finding.js';
import { type Link, linkOf, type Place, parseLeaf } from './leaf.js';
import { type Projection, projectionFindings } from './projection.js';

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
  readonly index: number;
  readonly link: string;
  /** What the leaf hashes to. */
  readonly hash: Link;
  /** Where the leaf says that it stands; null where it is no leaf. */
  readonly place: Place | null;
  /** Null where the body is none that a writer of ours writes. */
  readonly deed: Deed | null;
  readonly findings: readonly Finding[];
}

const NONE: readonly Finding[] = [];

/** @param hash of the leaf, where another thread has computed it */
export function readEntry({ index, link, leaf, projection }: StoredEntry, hash: Link = linkOf(leaf)): Reading {
  const edited =
    hash === link ? NONE : [findingAt('CONTENT_EDITED', index, `a leaf of link ${link}`, `one of ${hash}`)];
  const parsed = parseLeaf(leaf);
  if (!parsed) {
    const malformed = findingAt(
      'LEAF_MALFORMED',
      index,
      '<index> <prev> <nth> <earlier>, a line feed, a body',
      'other bytes',
    );
    return { index, link, hash, place: null, deed: null, findings: [malformed, ...edited] };
  }
  const { prev, history, body } = parsed;
  const place = { index: parsed.index, prev, history };
  try {
    const deed = parseDeed(body);
    const findings = projection && hash === link ? projectionFindings(index, projection, deed) : edited;
    return { index, link, hash, place, deed, findings };
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    const fault = findingAt(error.code, index, error.expected, error.found);
    return { index, link, hash, place, deed: null, findings: [fault, ...edited] };
  }
}
