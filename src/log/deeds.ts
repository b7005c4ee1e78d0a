/**
 * Deeds are the deeds of entries that follow one another, and how each counts in the history of its person, in columns: plain
 * arrays of numbers, which cost nothing to make, and which one thread may hand to another.
 */

import type { Deed } from './deed.js';
import { changesFacts } from './event.js';
import { parseUuid, WORDS } from './id-table.js';
import type { LogIndex, Place } from './leaf.js';

/** What few deeds differ in. */
export interface DeedKind {
  readonly event: string;
  readonly permitted: boolean;
  readonly changesFacts: boolean;
}

export interface Deeds {
  /** How many. */
  readonly length: number;
  /** 0 for an entry that says to be about nobody. */
  readonly nths: Float64Array<ArrayBuffer>;
  /** NO_ENTRY where none is named. */
  readonly earliers: Float64Array<ArrayBuffer>;
  readonly asOfs: Float64Array<ArrayBuffer>;
  /** The place of each one's kind among `kinds`. */
  readonly kindOf: Uint16Array<ArrayBuffer>;
  readonly kinds: readonly DeedKind[];
  /** 1 where the body has a subject. */
  readonly isAbout: Uint8Array<ArrayBuffer>;
  /** Four words each. */
  readonly subjects: Uint32Array<ArrayBuffer>;
  /** Where each one's records end among `records`, counted in records. */
  readonly recordsTo: Uint32Array<ArrayBuffer>;
  /** Four words each. */
  readonly records: Uint32Array<ArrayBuffer>;
}

export const NO_ENTRY = -1;

/** As many as are written before they are taken. */
export const MOST_DEEDS = 512;

/** Writes deeds one after another, each time into the same arrays. */
export class DeedWriter implements Deeds {
  length = 0;
  readonly nths = new Float64Array(MOST_DEEDS);
  readonly earliers = new Float64Array(MOST_DEEDS);
  readonly asOfs = new Float64Array(MOST_DEEDS);
  readonly kindOf = new Uint16Array(MOST_DEEDS);
  readonly isAbout = new Uint8Array(MOST_DEEDS);
  readonly subjects = new Uint32Array(WORDS * MOST_DEEDS);
  readonly recordsTo = new Uint32Array(MOST_DEEDS);
  records = new Uint32Array(WORDS * MOST_DEEDS);
  kinds: DeedKind[] = [];
  private recorded = 0;

  clear(): void {
    this.length = 0;
    this.recorded = 0;
    this.kinds = [];
  }

  add(history: Place['history'], { asOf, event, permitted, records, subject }: Deed): void {
    this.begin(history?.nth ?? 0, history?.earlier ?? NO_ENTRY, asOf, event, permitted);
    for (const record of records) parseUuid(record, this.records, this.nextRecord());
    if (subject !== null) parseUuid(subject, this.subjects, this.nextSubject());
    this.end();
  }

  begin(nth: number, earlier: number, asOf: number, event: string, permitted: boolean): void {
    const at = this.length;
    this.nths[at] = nth;
    this.earliers[at] = earlier;
    this.asOfs[at] = asOf;
    this.isAbout[at] = 0;
    const { kinds } = this;
    let kind = 0;
    while (kind < kinds.length && (kinds[kind]!.event !== event || kinds[kind]!.permitted !== permitted)) kind++;
    if (kind === kinds.length) kinds.push({ event, permitted, changesFacts: changesFacts(event) });
    this.kindOf[at] = kind;
  }

  /** Where the words of the next record of the deed that was begun go. */
  nextRecord(): number {
    const at = WORDS * this.recorded++;
    if (at === this.records.length) {
      const wider = new Uint32Array(2 * at);
      wider.set(this.records);
      this.records = wider;
    }
    return at;
  }

  /** Where the words of the subject of the deed that was begun go. */
  nextSubject(): number {
    this.isAbout[this.length] = 1;
    return WORDS * this.length;
  }

  end(): void {
    this.recordsTo[this.length++] = this.recorded;
  }

  /** What was written, in arrays of its own. */
  taken(): Deeds {
    const { length, recorded, kinds } = this;
    return {
      length,
      nths: this.nths.slice(0, length),
      earliers: this.earliers.slice(0, length),
      asOfs: this.asOfs.slice(0, length),
      kindOf: this.kindOf.slice(0, length),
      kinds,
      isAbout: this.isAbout.slice(0, length),
      subjects: this.subjects.slice(0, WORDS * length),
      recordsTo: this.recordsTo.slice(0, length),
      records: this.records.slice(0, WORDS * recorded),
    };
  }
}

/** One of them, as it was added. */
export function historyAt({ nths, earliers }: Deeds, at: number): Place['history'] {
  const nth = nths[at]!;
  const earlier = earliers[at]!;
  return nth === 0 ? null : { nth, earlier: earlier === NO_ENTRY ? null : (earlier as LogIndex) };
}

export function firstRecord({ recordsTo }: Deeds, at: number): number {
  return at === 0 ? 0 : recordsTo[at - 1]!;
}
