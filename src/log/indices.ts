/**
 * A set of indices, added in ascending order, as ranges. It grows with the number of its gaps.
 */

/** Both ends included. */
export interface IndexRange {
  readonly first: number;
  readonly last: number;
}

export class Indices {
  private readonly firsts: number[] = [];
  private readonly lasts: number[] = [];
  /** How many indices are in the ranges before each. */
  private readonly before: number[] = [];

  get isEmpty(): boolean {
    return this.firsts.length === 0;
  }

  /** @param first above all that are in the set */
  add(first: number, last: number): void {
    const end = this.lasts.length - 1;
    if (this.lasts[end] === first - 1) this.lasts[end] = last;
    else {
      this.before.push(this.upTo(first));
      this.firsts.push(first);
      this.lasts.push(last);
    }
  }

  has(index: number): boolean {
    const range = this.rangeAt(index);
    return range >= 0 && index <= this.lasts[range]!;
  }

  /** How many are above one index, and not above another. */
  between(above: number, upTo: number): number {
    return this.upTo(upTo) - this.upTo(above);
  }

  *ranges(): Iterable<IndexRange> {
    for (const [i, first] of this.firsts.entries()) yield { first, last: this.lasts[i]! };
  }

  /** How many are not above an index. */
  private upTo(index: number): number {
    const range = this.rangeAt(index);
    return range < 0 ? 0 : this.before[range]! + Math.min(index, this.lasts[range]!) - this.firsts[range]! + 1;
  }

  /** The last range that does not begin above an index; −1 for none. */
  private rangeAt(index: number): number {
    let low = 0;
    let high = this.firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.firsts[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
