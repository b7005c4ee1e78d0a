/**
 * A history is all that the log says about one person, in order: a chain of its own, as each entry counts those before
 * it and names the last of them. Histories holds every person's against what it has read so far.
 *
 * Memory grows with the people (about 60 bytes each) and with the records (about 40 bytes each), not with the entries.
 */
import type { Deed } from './deed.js';
import { changesFacts } from './event.js';
import { type Findings, findingAt } from './finding.js';
import { Column, IdTable } from './id-table.js';
import type { LogIndex, Place } from './leaf.js';

export class Histories {
  private readonly people = new IdTable();
  /** By person: how many entries, the index of the last, and of the last that changed facts plus one. */
  private readonly counts = new Column();
  private readonly lasts = new Column();
  private readonly changes = new Column();
  /** The same for facts that concern everybody, plus one. */
  private changeForAll = 0;

  private readonly records = new IdTable();
  /** By record: the person it belongs to, plus two; 1 for nobody. */
  private readonly owners = new Column();

  private readonly unread = new Indices();

  constructor(private readonly findings: Findings) {}

  /** An entry stood here, or should have, of which nothing can be believed. Histories may run through it. */
  skip(first: number, last: number): void {
    this.unread.add(first, last);
  }

  /** Takes the next entry that can be believed. */
  take(index: LogIndex, history: Place['history'], deed: Deed): void {
    const person = deed.subject === null ? null : this.people.row(deed.subject);
    this.count(index, history, person);
    this.keep(index, deed, person);
    // A refusal changed nothing; otherwise anybody could make everybody's permissions stale by asking for what is refused.
    if (deed.outcome !== 'permitted') return;
    this.judge(index, deed, person);
    if (!changesFacts(deed.event)) return;
    if (person === null) this.changeForAll = index + 1;
    else this.changes.set(person, index + 1);
  }

  private count(index: LogIndex, history: Place['history'], person: number | null): void {
    const broken = (expected: string, found: string) =>
      this.findings.add(findingAt('SUBJECT_COUNT_BROKEN', index, expected, found));
    if (person === null || history === null) {
      if (history !== null) broken('- -, as the body has no subject', shown(history));
      if (person !== null) broken('a count, as the body has a subject', '- -');
      return;
    }
    const count = this.counts.get(person);
    const expected = { nth: count + 1, earlier: count === 0 ? null : this.lasts.get(person) };
    if ((history.nth !== expected.nth || history.earlier !== expected.earlier) && !this.explains(history, expected)) {
      broken(shown(expected), shown(history));
    }
    this.counts.set(person, history.nth);
    this.lasts.set(person, index);
  }

  /** Whether the entries between are ones that could not be read: then the count must have gone on in them. */
  private explains(history: History, expected: History): boolean {
    if (history.earlier === null || history.nth <= expected.nth) return false;
    return history.earlier > (expected.earlier ?? -1) && this.unread.has(history.earlier);
  }

  private keep(index: LogIndex, { records }: Deed, person: number | null): void {
    for (const record of records) {
      const row = this.records.row(record);
      const holder = person === null ? 1 : person + 2;
      const owner = this.owners.get(row);
      if (owner === 0) this.owners.set(row, holder);
      else if (owner !== holder) {
        this.findings.add(findingAt('RECORD_MOVED', index, this.of(record, owner), this.of(record, holder)));
      }
    }
  }

  private of(record: string, owner: number): string {
    return `record ${record} of ${owner === 1 ? 'nobody' : `subject ${this.people.uuid(owner - 2)}`}`;
  }

  private judge(index: LogIndex, { asOf }: Deed, person: number | null): void {
    const needed = Math.max(this.changeForAll, person === null ? 0 : this.changes.get(person));
    if (asOf >= needed && asOf <= index) return;
    const expected = `asOf from ${needed} to ${index}`;
    this.findings.add(findingAt('DECIDED_ON_STALE_FACTS', index, expected, `asOf ${asOf}`));
  }
}

type History = NonNullable<Place['history']> | { readonly nth: number; readonly earlier: number | null };

function shown({ nth, earlier }: History): string {
  return `${nth} ${earlier ?? '-'}`;
}

/** A set of indices, added in ascending order. Grows with the number of its gaps. */
class Indices {
  private readonly firsts: number[] = [];
  private readonly lasts: number[] = [];

  add(first: number, last: number): void {
    const end = this.lasts.length - 1;
    if (this.lasts[end] === first - 1) this.lasts[end] = last;
    else {
      this.firsts.push(first);
      this.lasts.push(last);
    }
  }

  has(index: number): boolean {
    let low = 0;
    let high = this.firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.firsts[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return low > 0 && index <= this.lasts[low - 1]!;
  }
}
