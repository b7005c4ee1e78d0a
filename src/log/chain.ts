/**
 * The chain as its writer sees it: each body gets its place after all before it, in the log and in the history of the
 * person it is about. The database does the same in SQL when it appends; the two must agree byte for byte.
 */
import { formatLeaf, GENESIS, type Link, type LogIndex, linkOf, type Place } from './leaf.js';

/** An entry with its leaf: all that the log holds of it. */
export interface ChainedEntry {
  readonly index: LogIndex;
  readonly leaf: Uint8Array;
  readonly link: Link;
}

/** Grows with the number of subjects. */
export class Chain {
  private size = 0;
  private head: Link = GENESIS;
  private readonly histories = new Map<string, { nth: number; index: LogIndex }>();

  /** Where the next entry about this subject would stand. */
  place(subject: string | null): Place {
    const before = subject === null ? null : this.histories.get(subject);
    return {
      index: this.size as LogIndex,
      prev: this.head,
      history: subject === null ? null : { nth: (before?.nth ?? 0) + 1, earlier: before?.index ?? null },
    };
  }

  /** @param body canonical JSON, whose `subject` is the one given here */
  append(body: string, subject: string | null): ChainedEntry {
    const place = this.place(subject);
    const leaf = formatLeaf({ ...place, body });
    const link = linkOf(leaf);
    if (subject !== null) this.histories.set(subject, { nth: place.history!.nth, index: place.index });
    this.head = link;
    this.size++;
    return { index: place.index, leaf, link };
  }
}
