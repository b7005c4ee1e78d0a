/**
 * A verification thread reads a whole log in one snapshot, by a connection of its own that sees the log and no personal
 * data, and tells its report. Nothing of it runs on the event loop of those who answer requests.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type pg from 'pg';
import { isDatabaseError } from '../database/fault.js';
import { openPool } from '../database/pools.js';
import type { VerifierKey } from '../log/note-key.js';
import type { Report } from '../log/verify.js';
import { inSnapshot } from './log-rows.js';
import type { HeldEvidence, VerificationFault } from './verifications.js';
import { verifyRows } from './verify-rows.js';

export interface VerificationWork extends HeldEvidence {
  /** The server's login. */
  readonly url: string;
  readonly log: number;
  /** The log's. */
  readonly key: VerifierKey;
}

export type VerificationMessage =
  | { readonly entries: number; readonly of: number }
  | { readonly report: Report }
  | { readonly fault: VerificationFault };

/** Between two messages of how far it is, in milliseconds. */
const EVERY_MS = 500;

async function verify({ url, log, key, held, notes }: VerificationWork): Promise<Report> {
  const pool = openPool(url, 'access_ledger_reviewer', 1);
  try {
    const client = await pool.connect();
    try {
      return await inSnapshot(client, async () => {
        const own = await ownNotes(client, log);
        return verifyRows(client, log, { held, checkpoints: { key, notes, own } }, { onEntries: progress() });
      });
    } finally {
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}

/** As many of the log's own checkpoints as are compared: the newest, and others from all over the log. */
const OWN = 1_000;

async function ownNotes(client: pg.ClientBase, log: number): Promise<string[]> {
  const { rows } = await client.query<{ note: string }>(
    `SELECT DISTINCT ON (c.size) c.note FROM generate_series(1, $2::int) AS place(nth)
       CROSS JOIN LATERAL (SELECT c.size, c.note FROM ledger.checkpoint c
         WHERE c.log = $1 AND c.note IS NOT NULL
           AND c.size <= (SELECT max(n.size) FROM ledger.checkpoint n WHERE n.log = $1) * place.nth / $2::int
         ORDER BY c.size DESC LIMIT 1) c
     ORDER BY c.size`,
    [log, OWN],
  );
  return rows.map(({ note }) => note);
}

function progress(): (entries: number, of: number) => void {
  let told = Number.NEGATIVE_INFINITY;
  return (entries, of) => {
    if (performance.now() - told < EVERY_MS) return;
    told = performance.now();
    tell({ entries, of });
  };
}

function tell(message: VerificationMessage): void {
  parentPort?.postMessage(message);
}

try {
  tell({ report: await verify(workerData as VerificationWork) });
} catch (error) {
  tell({ fault: isDatabaseError(error) ? 'UNAVAILABLE' : 'INTERNAL' });
}
