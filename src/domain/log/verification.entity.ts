/**
 * The row of a verification: what was asked for, how far it is, and what came of it.
 */

import type { VerificationFault } from '../../ledger/verifications.js';
import type { FindingCode } from '../../log/finding.js';
import type { Inconclusive, Unchecked, Verdict } from '../../log/verify.js';

// Words that the database's CHECKs have as well.
export const VERIFICATION_STATES = ['waiting', 'running', 'done', 'failed'] as const;
export const VERDICTS = ['intact', 'tampered', 'inconclusive'] as const satisfies Verdict['verdict'][];
export const INCONCLUSIVES = [
  'NO_ENTRIES',
  'NO_EVIDENCE',
  'EVIDENCE_TOO_WEAK',
  'LEAVES_NOT_READ',
] as const satisfies Inconclusive[];
export const UNCHECKEDS = ['ENTRIES_BEFORE', 'LEAVES'] as const satisfies Unchecked[];
export const VERIFICATION_FAULTS = ['INTERRUPTED', 'UNAVAILABLE', 'INTERNAL'] as const satisfies VerificationFault[];

export interface Verification {
  readonly id: string;
  /** The pseudonym of who asked for it. */
  readonly reviewer: string;
  readonly requestedAt: Date;
  readonly state: (typeof VERIFICATION_STATES)[number];
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly entries: number;
  /** Null until it is known. */
  readonly ofEntries: number | null;
  /** When it is done. */
  readonly report: VerificationReport | null;
  /** When it failed. */
  readonly fault: VerificationFault | null;
}

export interface VerificationReport {
  readonly verdict: Verdict['verdict'];
  readonly why: Inconclusive | null;
  readonly vouched: { readonly size: number; readonly by: readonly string[] } | null;
  readonly size: number;
  /** Hex. */
  readonly root: string | null;
  readonly findings: readonly ReportedFinding[];
  readonly unlisted: number;
  readonly unchecked: readonly Unchecked[];
}

export interface ReportedFinding {
  readonly code: FindingCode;
  readonly first: number | null;
  readonly last: number | null;
  readonly expected: string;
  readonly found: string;
}

/** Of a Verification, from `ledger.verification v`; int8 as JSON numbers. */
export const VERIFICATION_COLUMNS = `v.id, v.reviewer, v.requested_at AS "requestedAt", v.state, v.started_at AS "startedAt",
  v.finished_at AS "finishedAt", to_json(v.entries) AS entries, to_json(v.of_entries) AS "ofEntries", v.fault,
  CASE WHEN v.verdict IS NOT NULL THEN json_build_object('verdict', v.verdict, 'why', v.why,
    'vouched', CASE WHEN v.vouched IS NOT NULL THEN json_build_object('size', v.vouched, 'by', v.vouched_by) END,
    'size', v.size, 'root', encode(v.root, 'hex'), 'findings', v.findings, 'unlisted', v.unlisted, 'unchecked', v.unchecked) END
    AS report`;
