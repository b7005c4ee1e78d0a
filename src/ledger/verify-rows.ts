/**
 * Verifying rows is verifying a log where it is kept: its entries, their links, and the columns that answer queries.
 */
import type pg from 'pg';
import type { Evidence } from '../log/evidence.js';
import { readEntry } from '../log/reading.js';
import type { Frontier } from '../log/tree.js';
import { type Report, Verifier } from '../log/verify.js';
import { logPages, logSize } from './log-rows.js';

export interface VerifyRowsOptions {
  /** Of entries that are not read again. */
  readonly start?: Frontier;
  /** Is told how many entries were read, of how many; once with 0. */
  readonly onEntries: (entries: number, of: number) => void;
}

/**
 * @param client in a snapshot
 * @throws EvidenceError; pg's own errors
 */
export async function verifyRows(
  client: pg.ClientBase,
  log: number,
  evidence: Evidence,
  { start, onEntries }: VerifyRowsOptions,
): Promise<Report> {
  const verifier = new Verifier(evidence, start ? { start } : {});
  const from = start?.size ?? 0;
  const of = (await logSize(client, log)) - from;
  let entries = 0;
  onEntries(entries, of);
  for await (const page of logPages(client, log, { from, to: null }, { projected: true })) {
    for (const entry of page) verifier.take(readEntry(entry));
    entries += page.length;
    onEntries(entries, of);
  }
  return verifier.conclude();
}
