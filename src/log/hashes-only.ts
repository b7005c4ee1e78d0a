/**
 * Verification of hashes alone, for whoever may not read leaves: whether the links that a log publishes are those of its
 * checkpoint, and continue the one before. What they are the hashes of, nobody has looked at, so it never says `intact`.
 */
import { toHex } from './bytes.js';
import { Claims } from './claim.js';
import { type Evidence, openEvidence } from './evidence.js';
import { type Finding, Findings } from './finding.js';
import type { Link } from './leaf.js';
import { Frontier, type Hash } from './tree.js';
import type { Report, Verdict } from './verify.js';

export class HashVerifier {
  private readonly findings = new Findings();
  private readonly claims: Claims;
  private readonly aboutEvidence: readonly Finding[];
  private readonly tree: Frontier;
  private readonly from: number;

  /** @param start as of `Verifier` @throws EvidenceError */
  constructor(evidence: Evidence, start = new Frontier()) {
    const { claims, findings } = openEvidence(evidence);
    this.claims = new Claims(claims, this.findings);
    this.aboutEvidence = findings;
    this.tree = start.clone();
    this.from = start.size;
    this.hold(null);
  }

  /** Takes the link of the next entry. */
  take(link: Hash): void {
    this.tree.append(link);
    this.hold(link);
  }

  private hold(link: Hash | null): void {
    if (!this.claims.awaits(this.tree.size)) return;
    this.claims.hold({
      link: link && { value: toHex(link) as Link, sure: true },
      root: { value: this.tree.root(), sure: true },
    });
  }

  /** There are no more. */
  conclude(): Report {
    const { size } = this.tree;
    this.claims.end(size, (range) => [range]);
    for (const finding of this.aboutEvidence) this.findings.addApart(finding);
    return {
      ...this.verdict(),
      entries: 0,
      size,
      root: toHex(this.tree.root()),
      findings: this.findings.inOrder(),
      unlisted: this.findings.unlisted,
      from: this.from,
      unchecked: this.from > 0 ? ['LEAVES', 'ENTRIES_BEFORE'] : ['LEAVES'],
    };
  }

  private verdict(): Verdict {
    const vouched = this.claims.vouched();
    if (this.findings.tampered) return { verdict: 'tampered', vouched };
    if (this.tree.size === 0) return { verdict: 'inconclusive', why: 'NO_ENTRIES', vouched };
    const why = this.aboutEvidence.length > 0 ? 'EVIDENCE_TOO_WEAK' : 'LEAVES_NOT_READ';
    return { verdict: 'inconclusive', why, vouched };
  }
}
