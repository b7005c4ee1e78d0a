/**
 * A finding is one thing that a verifier found wrong: its code, where, what was expected and what was found.
 * The codes are the contract of schema/log-format.md, "Findings".
 */

/** Whether the finding shows that somebody tampered, or only that the evidence is weaker than was asked for. */
export const FINDINGS = {
  LEAF_MALFORMED: 'tampered',
  BODY_NOT_CANONICAL: 'tampered',
  CONTENT_EDITED: 'tampered',
  CHAIN_BROKEN: 'tampered',
  ENTRY_MISSING: 'tampered',
  SUBJECT_COUNT_BROKEN: 'tampered',
  RECORD_MOVED: 'tampered',
  DECIDED_ON_STALE_FACTS: 'tampered',
  PROJECTION_EDITED: 'tampered',
  ROOT_MISMATCH: 'tampered',
  TAIL_CUT: 'tampered',
  FORK: 'tampered',
  SIGNATURE_INVALID: 'tampered',
  QUORUM_NOT_MET: 'weak',
  CHECKPOINT_STALE: 'weak',
} as const satisfies Record<string, 'tampered' | 'weak'>;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  /** The first and the last index it concerns; both null where it concerns evidence, not entries. */
  readonly first: number | null;
  readonly last: number | null;
  /** Of a range: what was expected and found at its first index. */
  readonly expected: string;
  readonly found: string;
}

export function findingAt(code: FindingCode, index: number, expected: string, found: string): Finding {
  return { code, first: index, last: index, expected, found };
}

/** A log that is damaged everywhere must not fill the memory: past this many of one code, findings are only counted. */
export const MAX_LISTED = 1_000;

/** The findings of one run, in order. */
export class Findings {
  readonly listed: Finding[] = [];
  unlisted = 0;
  tampered = false;
  /** How many of a code are listed, and where the newest stands among the listed. */
  private readonly codes = new Map<FindingCode, { count: number; newest: number }>();

  /** Adds what is wrong with one entry. Findings of one code at successive indices become one, with a range. */
  add(finding: Finding): void {
    const newest = this.codes.get(finding.code)?.newest ?? -1;
    const before = this.listed[newest];
    if (before && before.last !== null && finding.first === before.last + 1) {
      this.listed[newest] = { ...before, last: finding.last };
    } else {
      this.addApart(finding);
    }
  }

  /** Adds what evidence shows, which stays apart from what other evidence shows. */
  addApart(finding: Finding): void {
    if (FINDINGS[finding.code] === 'tampered') this.tampered = true;
    const count = this.codes.get(finding.code)?.count ?? 0;
    if (count === MAX_LISTED) this.unlisted++;
    else this.codes.set(finding.code, { count: count + 1, newest: this.listed.push(finding) - 1 });
  }
}
