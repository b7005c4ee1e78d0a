/**
 * Verification reads a log from its first entry to its last, and says whether it is what was written: `intact` up to a
 * size that somebody outside vouches for, `tampered`, or `inconclusive` where nobody outside vouches for anything.
 *
 * The order is that of schema/log-format.md, "Verification". Memory grows with people, records and damage, not with
 * entries (history.ts, finding.ts), and no more than one entry is held at a time.
 */
import { hexBytes, toHex } from './bytes.js';
import { Claims, type Known, type Vouched } from './claim.js';
import { type Evidence, openEvidence } from './evidence.js';
import { type Finding, Findings, findingAt } from './finding.js';
import { Histories } from './history.js';
import { GENESIS, isLink, type Link, type LogIndex } from './leaf.js';
import { type Reading, readEntry, type StoredEntry } from './reading.js';
import { Frontier, type Hash } from './tree.js';

/** Why a log that shows no damage is not called intact. */
export type Inconclusive =
  /** There was nothing to verify. */
  | 'NO_ENTRIES'
  /** Consistent in itself; but whoever can write all of it could have made it so. */
  | 'NO_EVIDENCE'
  /** The evidence is weaker than was asked for: the findings say how. */
  | 'EVIDENCE_TOO_WEAK';

export type Verdict =
  | { readonly verdict: 'intact'; readonly vouched: Vouched }
  | { readonly verdict: 'tampered'; readonly vouched: Vouched | null }
  | { readonly verdict: 'inconclusive'; readonly why: Inconclusive; readonly vouched: Vouched | null };

export type Report = Verdict & {
  /** How many entries were read. */
  readonly entries: number;
  /** The index of the last, plus one. Entries from `vouched.size` on are consistent, but nobody vouches for them. */
  readonly size: number;
  /** The root at `size`, in hex; null where the log is too damaged to compute it. */
  readonly root: string | null;
  readonly findings: readonly Finding[];
  /** How many findings more there were than are listed. */
  readonly unlisted: number;
};

/** Verifies a log in one thread. A reader with several may call `readEntry` in all of them, and `Verifier` in one. */
export async function verify(
  entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>,
  evidence: Evidence = {},
): Promise<Report> {
  const verifier = new Verifier(evidence);
  for await (const entry of entries) verifier.take(readEntry(entry));
  return verifier.conclude();
}

/** The part of verification that needs entries in their order. */
export class Verifier {
  private readonly findings = new Findings();
  private readonly histories = new Histories(this.findings);
  private readonly claims: Claims;
  private readonly aboutEvidence: readonly Finding[];
  private tree: Frontier | null = new Frontier();
  /** Whether no link in the tree was guessed. */
  private sure = true;
  private entries = 0;
  private size = 0;
  /** The entry below `size`. It is settled when the next one has said what it followed. */
  private last: Reading | null = null;

  /** @throws RangeError for evidence that asks what no signatures could meet */
  constructor(evidence: Evidence) {
    const { claims, findings } = openEvidence(evidence);
    this.claims = new Claims(claims, this.findings);
    this.aboutEvidence = findings;
  }

  /** Takes the next entry in the order in which the log is stored. */
  take(reading: Reading): void {
    this.entries++;
    for (const finding of reading.findings) this.findings.add(finding);
    const index = this.indexOf(reading);
    if (index === null) return;
    const prev = isSound(reading, index) ? reading.place!.prev : null;
    if (index === this.size) this.follow(index, prev);
    else this.miss(index, prev);
    this.last = reading;
    this.size = index + 1;
    if (isMisplaced(reading, index)) {
      this.break(index, `the leaf of entry ${index}`, `that of entry ${reading.place!.index}`);
    }
    if (prev !== null && reading.deed) this.histories.take(index, reading.place!.history, reading.deed);
    else this.histories.skip(index, index);
  }

  /** Where the entry stands; null where it stands nowhere in the order, and then tells nothing about the others. */
  private indexOf(reading: Reading): LogIndex | null {
    const { index } = reading;
    const next = this.size;
    if (index !== next && isSound(reading, next)) {
      this.findings.add(
        findingAt('PROJECTION_EDITED', next, `index ${next}, as in the leaf`, `index ${index} beside it`),
      );
      return next as LogIndex;
    }
    if (index === next || (index > next && !isMisplaced(reading, index))) return index as LogIndex;
    this.break(index, `entry ${next}`, `the leaf of entry ${reading.place?.index ?? index}, out of order`);
    return null;
  }

  /** The entry at `index` comes right after the last. */
  private follow(index: LogIndex, prev: Link | null): void {
    const before = this.settle(prev);
    if (prev !== null && before !== null && prev !== before) this.break(index, `link ${before} before`, `link ${prev}`);
  }

  /** Entries are missing between the last and the entry at `index`, which knows the link of one of them. */
  private miss(index: LogIndex, prev: Link | null): void {
    this.settle(null);
    const range = { first: this.size, last: index - 1 };
    const found = `entry ${index} after ${this.size === 0 ? 'none' : `entry ${this.size - 1}`}`;
    this.findings.add({ code: 'ENTRY_MISSING', ...range, expected: `entry ${this.size}`, found });
    this.histories.skip(range.first, range.last);
    if (range.first < range.last) this.tree = null;
    this.grow(index, prev);
  }

  /**
   * Decides on the link of the last entry, and lets the tree grow by it. A link that no leaf hashes to was edited, or
   * its leaf was; what the next entry followed tells. So the damage stays at its place.
   *
   * @returns the link; null where nothing tells
   */
  private settle(prev: Link | null): Link | null {
    if (this.size === 0) {
      if (this.claims.awaits(0)) this.claims.hold(0, null, this.root());
      return GENESIS;
    }
    const last = this.last!;
    if (!isEdited(last) && !isMisplaced(last, this.size - 1)) return this.grow(this.size, last.link as Link);
    if (prev !== null || !isEdited(last) || !isLink(last.link)) return this.grow(this.size, prev);
    // The leaf is more often what was edited. If it was the link, no evidence will confirm this.
    this.sure = false;
    return this.grow(this.size, last.link, false);
  }

  private grow(size: number, link: Link | null, sure = true): Link | null {
    if (link === null) this.tree = null;
    else this.tree?.append(hexBytes(link) as Hash);
    if (this.claims.awaits(size)) this.claims.hold(size, link === null ? null : { value: link, sure }, this.root());
    return link;
  }

  private root(): Known<Hash> | null {
    return this.tree && { value: this.tree.root(), sure: this.sure };
  }

  private break(index: number, expected: string, found: string): void {
    this.findings.add(findingAt('CHAIN_BROKEN', index, expected, found));
  }

  /** The log has no more entries. */
  conclude(): Report {
    this.settle(null);
    this.claims.end(this.size);
    for (const finding of this.aboutEvidence) this.findings.addApart(finding);
    const root = this.tree && this.sure ? toHex(this.tree.root()) : null;
    const { listed: findings, unlisted } = this.findings;
    return { ...this.verdict(), entries: this.entries, size: this.size, root, findings, unlisted };
  }

  private verdict(): Verdict {
    const vouched = this.claims.vouched();
    if (this.findings.tampered) return { verdict: 'tampered', vouched };
    if (this.entries === 0) return { verdict: 'inconclusive', why: 'NO_ENTRIES', vouched };
    if (this.aboutEvidence.length > 0) return { verdict: 'inconclusive', why: 'EVIDENCE_TOO_WEAK', vouched };
    if (!vouched) return { verdict: 'inconclusive', why: 'NO_EVIDENCE', vouched };
    return { verdict: 'intact', vouched };
  }
}

/** The leaf or the link beside it is not what was written. */
function isEdited({ hash, link }: Reading): boolean {
  return hash !== link;
}

/** An entry of the log, but not this one. */
function isMisplaced(reading: Reading, index: number): boolean {
  return !isEdited(reading) && reading.place !== null && reading.place.index !== index;
}

function isSound(reading: Reading, index: number): boolean {
  return !isEdited(reading) && reading.place?.index === index;
}
