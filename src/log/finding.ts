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
  RECORD_ORIGIN_BROKEN: 'tampered',
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

/** The findings of one run. */
export class Findings {
  unlisted = 0;
  tampered = false;
  private readonly listed = new Map<FindingCode, Finding[]>();
  private readonly apart: Finding[] = [];

  /** Adds what is wrong with entries. Findings of one code that overlap or follow each other become one, with a range. */
  add(finding: Finding): void {
    const ofCode = this.ofCode(finding);
    const newest = ofCode.at(-1);
    const joined = newest && join(newest, finding);
    if (joined) ofCode[ofCode.length - 1] = joined;
    else if (ofCode.length === MAX_LISTED) this.unlisted++;
    else ofCode.push(finding);
  }

  /** Adds what evidence shows, which stays apart from what other evidence shows. */
  addApart(finding: Finding): void {
    if (FINDINGS[finding.code] === 'tampered') this.tampered = true;
    this.apart.push(finding);
  }

  private ofCode({ code }: Finding): Finding[] {
    if (FINDINGS[code] === 'tampered') this.tampered = true;
    const known = this.listed.get(code);
    if (known) return known;
    const fresh: Finding[] = [];
    this.listed.set(code, fresh);
    return fresh;
  }

  /** In the order of the entries, and for one entry in that of the codes; those about evidence alone come last. */
  inOrder(): Finding[] {
    const codes = Object.keys(FINDINGS) as FindingCode[];
    const listed = codes.flatMap((code) => joinAll((this.listed.get(code) ?? []).toSorted(byFirst)));
    return [...listed, ...this.apart].sort(byFirst);
  }
}

function byFirst(a: Finding, b: Finding): number {
  return place(a) - place(b);
}

function place({ first }: Finding): number {
  return first ?? Number.MAX_VALUE;
}

/** @param findings of one code, in order */
function joinAll(findings: readonly Finding[]): Finding[] {
  const joined: Finding[] = [];
  for (const finding of findings) {
    const both = joined.length > 0 ? join(joined.at(-1)!, finding) : null;
    if (both) joined[joined.length - 1] = both;
    else joined.push(finding);
  }
  return joined;
}

/** Null where there is something between them. */
function join(a: Finding, b: Finding): Finding | null {
  if (a.first === null || a.last === null || b.first === null || b.last === null) return null;
  if (b.first > a.last + 1 || b.last < a.first - 1) return null;
  const { expected, found } = b.first < a.first ? b : a;
  return { code: a.code, first: Math.min(a.first, b.first), last: Math.max(a.last, b.last), expected, found };
}
