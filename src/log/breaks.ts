/**
 * Breaks are places where two rows that each agree with themselves do not belong together: the later follows another link
 * than the earlier has. One of the two was replaced, its link with it. Which one, only evidence can tell: what vouches for
 * the later vouches for what it follows.
 */
import { type Findings, findingAt, MAX_LISTED } from './finding.js';
import type { Link } from './leaf.js';

interface Break {
  /** Of the later. */
  readonly index: number;
  readonly has: Link;
  readonly follows: Link;
  /** Whether what the later follows is known to be right. */
  proven: boolean;
}

export class Breaks {
  private readonly breaks: Break[] = [];
  /** How many are proven from the first on. */
  private proven = 0;

  constructor(private readonly findings: Findings) {}

  /** @param index of the later, above all before */
  add(index: number, has: Link, follows: Link): void {
    const found = { index, has, follows, proven: false };
    if (this.breaks.length < MAX_LISTED) this.breaks.push(found);
    else this.report(found);
  }

  /** The entry at this index is as it was written. */
  prove(index: number): void {
    const last = this.breaks.at(-1);
    if (last?.index === index) last.proven = true;
  }

  /** All entries that come after a break are. */
  proveAll(): void {
    for (; this.proven < this.breaks.length; this.proven++) this.breaks[this.proven]!.proven = true;
  }

  /** Evidence vouches for the earlier: the later is what was replaced. */
  refute(index: number, has: Link, follows: Link): void {
    this.findings.add(findingAt('CHAIN_BROKEN', index, `link ${has} before it`, `it follows ${follows}`));
  }

  end(): void {
    for (const found of this.breaks) this.report(found);
  }

  private report({ index, has, follows, proven }: Break): void {
    const before = index - 1;
    if (proven) {
      const expected = `link ${follows}, which entry ${index} follows`;
      this.findings.add(findingAt('CHAIN_BROKEN', before, expected, `link ${has}: replaced, link and all`));
    } else {
      const expected = `entry ${index} to follow link ${has} of entry ${before}`;
      const found = `it follows ${follows}: one of the two was replaced`;
      this.findings.add({ code: 'CHAIN_BROKEN', first: before, last: index, expected, found });
    }
  }
}
