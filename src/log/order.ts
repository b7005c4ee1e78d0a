/**
 * The order of a log: which rows stand where. Rows come as they are stored, and go on as slots, in ascending order: an index,
 * and the rows that claim it, of which there should be one.
 *
 *     stored  0 1 4 2 3 5 5 6      slots  0, 1, 2, 3, 5 with two rows, 6      out of order  4
 *
 * A row that skips indices is out of order if the next row steps back into what it skipped; so is a row that goes back
 * further than to the index before it. Such a row is held against no other; but what stands somewhere is not missing.
 */
import { type Findings, findingAt } from './finding.js';
import { type IndexRange, Indices } from './indices.js';
import { agrees, editedFinding, type Reading } from './reading.js';
import { type Run, readingAt } from './run.js';

export interface Slot {
  readonly index: number;
  readonly rows: readonly [Reading, ...Reading[]];
}

/** Rows of one index that are looked at: more were put there to fill the memory. */
export const MAX_ROWS = 64;

export class Order {
  private slot: { readonly index: number; readonly rows: [Reading, ...Reading[]] } | null = null;
  /** Skips indices; the next row tells whether it is in order. */
  private ahead: Reading | null = null;
  private readonly gaps = new Indices();
  /** Where rows out of order say that they stand. */
  private readonly strays: number[] = [];

  constructor(
    private readonly findings: Findings,
    private readonly onSlot: (slot: Slot) => void,
    private readonly onRun: (run: Run) => void,
    /** The index of the first row there should be. */
    private readonly start = 0,
  ) {}

  /** One more than the index of the last slot. */
  get size(): number {
    return this.slot === null ? this.start : this.slot.index + 1;
  }

  take(row: Reading): void {
    const { ahead } = this;
    if (ahead) {
      this.ahead = null;
      if (row.index >= this.size && row.index < ahead.index) this.stray(ahead);
      else this.put(ahead);
    }
    if (row.index > this.size) this.ahead = row;
    else this.put(row);
  }

  /** Entries in order, of which all but the last go on at once. */
  takeRun(run: Run): void {
    const last = run.deeds.length - 1;
    if (this.ahead || run.first !== this.size || last === 0) {
      for (let at = 0; at <= last; at++) this.take(readingAt(run, at));
      return;
    }
    if (this.slot) this.onSlot(this.slot);
    this.onRun(run);
    this.slot = { index: run.first + last, rows: [readingAt(run, last)] };
  }

  private put(row: Reading): void {
    const { slot, size } = this;
    if (row.index >= size) {
      if (row.index > size) this.gaps.add(size, row.index - 1);
      if (slot) this.onSlot(slot);
      this.slot = { index: row.index, rows: [row] };
    } else if (slot && row.index === slot.index && slot.rows.length < MAX_ROWS) slot.rows.push(row);
    else this.stray(row);
  }

  private stray(row: Reading): void {
    const { index } = row;
    this.strays.push(index);
    if (!agrees(row)) this.findings.add(editedFinding(row));
    this.findings.add(findingAt('CHAIN_BROKEN', index, `entry ${this.size}`, `entry ${index}, out of order`));
  }

  /** There are no more rows. */
  end(): void {
    if (this.ahead) this.put(this.ahead);
    if (this.slot) this.onSlot(this.slot);
    this.strays.sort((a, b) => a - b);
    for (const gap of this.gaps.ranges()) {
      for (const range of this.absent(gap)) {
        const { first, last } = range;
        const expected = first === last ? `entry ${first}` : `entries ${first} to ${last}`;
        this.findings.add({ code: 'ENTRY_MISSING', ...range, expected, found: 'none' });
      }
    }
  }

  /** What of a range stands nowhere, once there are no more rows. */
  absent({ first, last }: IndexRange): IndexRange[] {
    const absent: IndexRange[] = [];
    let from = first;
    for (let at = this.straysBelow(first); at < this.strays.length && this.strays[at]! <= last; at++) {
      const index = this.strays[at]!;
      if (index < from) continue;
      if (index > from) absent.push({ first: from, last: index - 1 });
      from = index + 1;
    }
    if (from <= last) absent.push({ first: from, last });
    return absent;
  }

  /** How many, once they are sorted. */
  private straysBelow(index: number): number {
    let low = 0;
    let high = this.strays.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.strays[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
