/**
 * Verifications are jobs: a reviewer asks for one, a server does it beside its requests, and any server tells what came of
 * it. Here is what the writer's role may write of them: by the functions of migrations/0007-verification.sql, and by nothing
 * else.
 */
import { channel } from 'node:diagnostics_channel';
import type pg from 'pg';
import type { Entry, EntryId, Pseudonym } from '../log/entry.js';
import type { Report } from '../log/verify.js';
import { faultOf } from './fault.js';
import type { Tx } from './ledger.js';

/** What a reviewer holds from outside the log. */
export interface HeldEvidence {
  readonly held: readonly Entry[];
  /** Signed by the log's key, and by nobody else. */
  readonly notes: readonly string[];
}

export interface VerificationRequest extends HeldEvidence {
  /** A uuid. */
  readonly id: string;
  readonly log: number;
  /** The request's own. */
  readonly entry: EntryId;
  readonly reviewer: Pseudonym;
}

/** Whoever made it goes no further: nobody goes on with it, the database is out of reach, or a fault of ours. */
export type VerificationFault = 'INTERRUPTED' | 'UNAVAILABLE' | 'INTERNAL';

/** One that is this holder's to do. */
export interface Job extends HeldEvidence {
  readonly id: string;
}

/** Verbs of one holder. All but `claim` do nothing, and say so, where the job is no longer this holder's. */
export interface Verifications {
  /** What is to be done now, if anything is; and for so many seconds nobody else does it. */
  claim(seconds: number): Promise<Job | null>;
  /** Says how far it is, and that it goes on for so many seconds. */
  advance(job: Job, seconds: number, entries: number, of: number | null): Promise<boolean>;
  report(job: Job, report: Report): Promise<boolean>;
  fail(job: Job, fault: VerificationFault): Promise<boolean>;
  /** Lets another do it. */
  leave(job: Job): Promise<void>;
}

/** Told of each request of this process: whoever waits for one looks at the table, and believes only that. */
export const REQUESTS = 'access-ledger:verification';
const requests = channel(REQUESTS);

/** @returns false where as many wait or run already as may, of all or of this reviewer */
export async function requestVerification({ rows }: Tx, request: VerificationRequest): Promise<boolean> {
  const { log, id, entry, reviewer, held, notes } = request;
  const [{ queued }] = await rows.query('SELECT ledger.request_verification($1, $2, $3, $4, $5, $6) AS queued', [
    ...[log, id, entry, reviewer],
    ...[JSON.stringify(held), notes],
  ]);
  return queued;
}

/** Once the request is committed. */
export function hintOfRequest(): void {
  requests.publish({});
}

/** @throws by its verbs: LedgerFault */
export function verifications(pool: pg.Pool, log: number, holder: string): Verifications {
  const call = async (name: string, ...values: unknown[]): Promise<pg.QueryResultRow[]> => {
    const places = values.map((_, nth) => `, $${nth + 2}`).join('');
    try {
      const { rows } = await pool.query(`SELECT * FROM ledger.${name}_verification($1${places}) AS answer`, [
        log,
        ...values,
      ]);
      return rows;
    } catch (error) {
      throw faultOf(error);
    }
  };
  const isOurs = ([row]: pg.QueryResultRow[]): boolean => row?.answer === true;
  return {
    async claim(seconds) {
      const [job] = await call('claim', holder, seconds);
      return job ? { id: job.id, held: job.held, notes: job.notes } : null;
    },
    advance: async ({ id }, seconds, entries, of) => isOurs(await call('advance', id, holder, seconds, entries, of)),
    report: async ({ id }, report) => isOurs(await call('report', id, holder, JSON.stringify(kept(report)))),
    fail: async ({ id }, fault) => isOurs(await call('fail', id, holder, fault)),
    async leave({ id }) {
      await call('leave', id, holder);
    },
  };
}

/** What is listed of a report's findings; `access-ledger verify` lists more. */
const LISTED = 100;
const LONGEST_WORDS = 1_000;

/** As ledger.report_verification takes it. What a damaged log says may be of any length, and no text for PostgreSQL. */
function kept({ vouched, findings, unlisted, ...report }: Report): object {
  return {
    ...report,
    ...(vouched && { vouched: vouched.size, by: vouched.by.map(words) }),
    findings: findings
      .slice(0, LISTED)
      .map((finding) => ({ ...finding, expected: words(finding.expected), found: words(finding.found) })),
    unlisted: unlisted + Math.max(0, findings.length - LISTED),
  };
}

function words(text: string): string {
  const shown = text.replaceAll('\u0000', '\u{fffd}').toWellFormed();
  return shown.length > LONGEST_WORDS ? `${shown.slice(0, LONGEST_WORDS).toWellFormed()} …` : shown;
}
