/**
 * Verification reads a log from its first entry to its last, and says whether it is what was written: `intact` up to a
 * size that somebody outside vouches for, `tampered`, or `inconclusive` where nobody outside vouches for anything.
 *
 * The rules are those of schema/log-format.md, "Verification": what a row says by itself (reading.ts), which rows stand where
 * (order.ts), which link each entry has (links.ts), what the entries say of people (history.ts), and what evidence says of
 * the log (claim.ts). Memory grows with people, records and damage, not with entries; a few entries are held at a time.
 */
import { toHex } from './bytes.js';
import { Claims, type Vouched } from './claim.js';
import { type Evidence, openEvidence } from './evidence.js';
import { type Finding, Findings } from './finding.js';
import { Histories } from './history.js';
import { Links } from './links.js';
import { Order } from './order.js';
import { type Reading, readEntry, type StoredEntry } from './reading.js';
import { isRun, type Part } from './run.js';
import type { Frontier } from './tree.js';

/** Why a log that shows no damage is not called intact. */
export type Inconclusive =
  /** There was nothing to verify. */
  | 'NO_ENTRIES'
  /** Consistent in itself; but whoever can write all of it could have made it so. */
  | 'NO_EVIDENCE'
  /** The evidence is weaker than was asked for: the findings say how. */
  | 'EVIDENCE_TOO_WEAK'
  /** The published hashes are those of the checkpoint; what they are hashes of was not read. */
  | 'LEAVES_NOT_READ';

/** What a run did not look at, and therefore says nothing of. */
export type Unchecked =
  /** Entries before the first that was read, and so what later ones say of them. */
  | 'ENTRIES_BEFORE'
  /** All leaves: only hashes were read. */
  | 'LEAVES'
  /** What entries say of each other: only that each is as it was written, and where. */
  | 'HISTORIES';

export type Verdict =
  | { readonly verdict: 'intact'; readonly vouched: Vouched }
  | { readonly verdict: 'tampered'; readonly vouched: Vouched | null }
  | { readonly verdict: 'inconclusive'; readonly why: Inconclusive; readonly vouched: Vouched | null };

export type Report = Verdict & {
  /** How many rows were read. */
  readonly entries: number;
  /** The index of the last entry in order, plus one. Entries from `vouched.size` on are consistent, but nobody vouches for them. */
  readonly size: number;
  /** The root at `size`, in hex; null where the log is too damaged to compute it. */
  readonly root: string | null;
  readonly findings: readonly Finding[];
  /** How many findings more there were than are listed. */
  readonly unlisted: number;
  /** The index from which entries were read. */
  readonly from: number;
  readonly unchecked: readonly Unchecked[];
};

/**
 * Verifies a log in one thread. A reader with several may call `readEntry` in all of them, and `Verifier` in one.
 *
 * @param entries from the first on, as they are stored: those of an export come from `parseExportLines`
 * @param evidence what is held from outside the log; without any, no verdict is `intact`
 * @throws EvidenceError for evidence that cannot be used
 */
export async function verify(
  entries: AsyncIterable<StoredEntry> | Iterable<StoredEntry>,
  evidence: Evidence = {},
): Promise<Report> {
  const verifier = new Verifier(evidence);
  for await (const entry of entries) verifier.take(readEntry(entry));
  return verifier.conclude();
}

/** The part of verification that needs all rows: rows, put in order, become entries, whose links make histories. */
export class Verifier {
  private readonly findings = new Findings();
  private readonly claims: Claims;
  private readonly aboutEvidence: readonly Finding[];
  private readonly links: Links;
  private readonly order: Order;
  private readonly from: number;
  private readonly unchecked: readonly Unchecked[];
  private entries = 0;

  /**
   * @param start of entries that are not read again: their tree, which evidence of its size or of a larger has to confirm.
   * They are unread to what the histories hold against them, and evidence of fewer entries is passed over
   * @param linksOnly whether histories are left out: what is left is the chain, the tree and the evidence
   * @throws EvidenceError for evidence that cannot be used
   */
  constructor(evidence: Evidence, { start, linksOnly = false }: { start?: Frontier; linksOnly?: boolean } = {}) {
    const { claims, findings } = openEvidence(evidence);
    this.claims = new Claims(claims, this.findings);
    this.links = new Links(this.claims, linksOnly ? null : new Histories(this.findings), this.findings, start);
    this.from = start?.size ?? 0;
    this.unchecked = [
      ...(this.from > 0 ? ['ENTRIES_BEFORE' as const] : []),
      ...(linksOnly ? ['HISTORIES' as const] : []),
    ];
    this.order = new Order(
      this.findings,
      (slot) => this.links.take(slot),
      (run) => this.links.takeRun(run),
      this.from,
    );
    this.aboutEvidence = findings;
  }

  /** Takes the next row in the order in which the log is stored. */
  take(row: Reading): void {
    this.entries++;
    for (const finding of row.findings) this.findings.add(finding);
    this.order.take(row);
  }

  /** Takes the next row, or the next run of them. @returns how many */
  takePart(part: Part): number {
    if (!isRun(part)) {
      this.take(part);
      return 1;
    }
    this.entries += part.deeds.length;
    this.order.takeRun(part);
    return part.deeds.length;
  }

  /** The log has no more rows. */
  conclude(): Report {
    this.order.end();
    this.links.end();
    const { size } = this.order;
    this.claims.end(size, (range) => this.order.absent(range));
    for (const finding of this.aboutEvidence) this.findings.addApart(finding);
    const root = this.links.root();
    return {
      ...this.verdict(),
      entries: this.entries,
      size,
      root: root && toHex(root),
      findings: this.findings.inOrder(),
      unlisted: this.findings.unlisted,
      from: this.from,
      unchecked: this.unchecked,
    };
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
