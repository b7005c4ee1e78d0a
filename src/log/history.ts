/**
 * A history is all that the log says about one person, in order: a chain of its own, as each entry counts those before
 * it and names the last of them. Histories holds every person's against what it has read so far.
 *
 * Memory grows with the people (about 60 bytes each), with the records (about 40 bytes each) and with damage, not with the
 * entries.
 */
import { type DeedKind, type Deeds, firstRecord, historyAt, NO_ENTRY } from './deeds.js';
import { isKnown } from './event.js';
import { type FindingCode, type Findings, findingAt } from './finding.js';
import { formatUuid } from './hex-words.js';
import { Column, IdTable, WORDS } from './id-table.js';
import { Indices } from './indices.js';
import type { LogIndex } from './leaf.js';
import { type Changes, projectionFindings } from './projection.js';

/** What an entry says of a history, and what it should. */
interface Count {
  readonly nth: number;
  readonly earlier: number | null;
}

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

  /** Entries of which nothing is believed, or not what they count: a history may run through them. */
  private readonly unread = new Indices();
  /** Permitted, of events that are not known: they may have changed facts. */
  private readonly unknown = new Indices();
  /** By person: what the last entry counted, where it was wrong. Its writer may have gone on from there. */
  private readonly wrong = new Map<number, Count>();

  constructor(private readonly findings: Findings) {}

  /** Entries stood here, or should have, of which nothing can be believed. */
  skip(first: number, last: number): void {
    this.unread.add(first, last);
  }

  /**
   * Takes the next entry that can be believed.
   *
   * @param at where it stands among the deeds
   */
  take(index: LogIndex, deeds: Deeds, at: number, stored?: Changes): void {
    const kind = deeds.kinds[deeds.kindOf[at]!]!;
    const { event, permitted } = kind;
    const person = deeds.isAbout[at] === 1 ? this.people.row(deeds.subjects, WORDS * at) : null;
    const counted = this.count(index, deeds, at, person);
    if (firstRecord(deeds, at) < deeds.recordsTo[at]!) this.keep(index, deeds, at, person, counted);
    if (!counted) this.unread.add(index, index);
    // A refusal changed nothing; otherwise anybody could make everybody's permissions stale by asking for what is refused.
    if (permitted) this.judge(index, deeds.asOfs[at]!, kind, person);
    if (!stored) return;
    if (permitted && !isKnown(event)) this.unknown.add(index, index);
    this.compare(index, stored, person);
  }

  /** Whether the entry counts on from those before. */
  private count(index: LogIndex, deeds: Deeds, at: number, person: number | null): boolean {
    if (person !== null && deeds.nths[at] === this.counts.get(person) + 1) {
      const last = deeds.nths[at] === 1 ? NO_ENTRY : this.lasts.get(person);
      if (deeds.earliers[at] === last) return this.goOn(index, deeds.nths[at]!, person);
    }
    const history = historyAt(deeds, at);
    if (person === null || history === null) {
      if (history !== null) this.find('SUBJECT_COUNT_BROKEN', index, '- -, as the body has no subject', shown(history));
      if (person !== null) {
        this.find('SUBJECT_COUNT_BROKEN', index, 'a count, as the body has a subject', '- -');
        this.wrong.delete(person);
      }
      return person === null && history === null;
    }
    const count = this.counts.get(person);
    const last = count === 0 ? null : this.lasts.get(person);
    if (this.runsThrough(history, count, last) || this.goesOn(history, person))
      return this.goOn(index, history.nth, person);
    this.find('SUBJECT_COUNT_BROKEN', index, shown({ nth: count + 1, earlier: last }), shown(history));
    this.wrong.set(person, { nth: history.nth, earlier: index });
    return false;
  }

  private goOn(index: LogIndex, nth: number, person: number): true {
    this.counts.set(person, nth);
    this.lasts.set(person, index);
    if (this.wrong.size > 0) this.wrong.delete(person);
    return true;
  }

  /** Whether as many entries of which nothing is believed lie between as it counts more, and it names one as the last. */
  private runsThrough({ nth, earlier }: Count, count: number, last: number | null): boolean {
    if (earlier === null || nth <= count + 1 || earlier <= (last ?? -1)) return false;
    return this.unread.has(earlier) && nth - count - 1 <= this.unread.between(last ?? -1, earlier);
  }

  private goesOn({ nth, earlier }: Count, person: number): boolean {
    const wrong = this.wrong.get(person);
    return wrong !== undefined && nth === wrong.nth + 1 && earlier === wrong.earlier;
  }

  /** Each record belongs to whom the first entry named that named it: its one permitted `record.created`. */
  private keep(index: LogIndex, deeds: Deeds, at: number, person: number | null, counted: boolean): void {
    const { event, permitted } = deeds.kinds[deeds.kindOf[at]!]!;
    const creates = permitted && event === 'record.created';
    const holder = person === null ? 1 : person + 2;
    for (let nth = firstRecord(deeds, at); nth < deeds.recordsTo[at]!; nth++) {
      const row = this.records.row(deeds.records, WORDS * nth);
      const owner = this.owners.get(row);
      if (owner === holder && !creates) continue;
      if (owner === 0) {
        if (!creates && this.unread.isEmpty) {
          const record = formatUuid(deeds.records, WORDS * nth);
          this.find('RECORD_ORIGIN_BROKEN', index, `record ${record} created before`, `named first by ${event}`);
        }
        // Where the count is wrong the subject may be, and then everything after would be called wrong for it.
        if (counted) this.owners.set(row, holder);
        continue;
      }
      const record = formatUuid(deeds.records, WORDS * nth);
      if (owner !== holder) {
        this.find('RECORD_MOVED', index, this.shownRecord(record, owner), this.shownRecord(record, holder));
      }
      if (creates) this.find('RECORD_ORIGIN_BROKEN', index, `record ${record} created once`, 'created again');
    }
  }

  private judge(index: LogIndex, asOf: number, { changesFacts }: DeedKind, person: number | null): void {
    const needed = Math.max(this.changeForAll, person === null ? 0 : this.changes.get(person));
    if (asOf < needed || asOf > index) {
      this.find('DECIDED_ON_STALE_FACTS', index, `asOf from ${needed} to ${index}`, `asOf ${asOf}`);
    }
    if (!changesFacts) return;
    if (person === null) this.changeForAll = index + 1;
    else this.changes.set(person, index + 1);
  }

  /** Holds what the store says of changes against what the entries up to this one say. */
  private compare(index: LogIndex, stored: Changes, person: number | null): void {
    const changed = person === null ? null : indexOf(this.changes.get(person));
    const changedAll = indexOf(this.changeForAll);
    const differing = [
      ['changed', changed, stored.changed] as const,
      ['changed_all', changedAll, stored.changedAll] as const,
    ].filter(([, said, found]) => found !== said && !this.mayHaveChanged(found, said));
    const words = differing.map(([column, said, found]) => [column, text(said), text(found)] as const);
    for (const finding of projectionFindings(index, words)) this.findings.add(finding);
  }

  /** By an entry after the last that is known to have. */
  private mayHaveChanged(index: number | null, last: number | null): boolean {
    return index !== null && index > (last ?? -1) && (this.unread.has(index) || this.unknown.has(index));
  }

  private find(code: FindingCode, index: LogIndex, expected: string, found: string): void {
    this.findings.add(findingAt(code, index, expected, found));
  }

  private shownRecord(record: string, owner: number): string {
    return `record ${record} of ${owner === 1 ? 'nobody' : `subject ${this.people.uuid(owner - 2)}`}`;
  }
}

function shown({ nth, earlier }: Count): string {
  return `${nth} ${earlier ?? '-'}`;
}

/** Of a column that holds indices plus one. */
function indexOf(plusOne: number): number | null {
  return plusOne === 0 ? null : plusOne - 1;
}

function text(index: number | null): string | null {
  return index === null ? null : String(index);
}
