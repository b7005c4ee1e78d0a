/**
 * Opening a ledger opens the connections that can write. Nothing else holds any.
 */
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type Entity, openDataSource, openPool } from '../database/pools.js';
import { createLedger, type Ledger } from './ledger.js';
import { type Publications, publications } from './publications.js';
import { type Verifications, verifications } from './verifications.js';

export interface OpenLedger {
  readonly ledger: Ledger;
  /** What this server may write of what is published. */
  readonly publications: Publications;
  /** What this server may write of verifications that were asked for. */
  readonly verifications: Verifications;
  /** Whether PostgreSQL answers the writer. */
  answers(): Promise<boolean>;
  close(): Promise<void>;
}

export interface OpenLedgerOptions {
  /** The server's login. */
  readonly url: string;
  readonly log: number;
  /** What `Tx.rows` knows. */
  readonly entities: readonly Entity[];
  /** At most so many connections for appends, and as many for changes. */
  readonly connections: number;
}

export async function openLedger({ url, log, entities, connections }: OpenLedgerOptions): Promise<OpenLedger> {
  const pool = openPool(url, 'access_ledger_writer', connections);
  const source: DataSource = await openDataSource(url, 'access_ledger_writer', connections, entities);
  return {
    ledger: createLedger({ log, pool, source }),
    publications: publications(pool, log, randomUUID()),
    verifications: verifications(pool, log, randomUUID()),
    answers: () =>
      pool.query('SELECT FROM ledger.head').then(
        ({ rowCount }) => rowCount !== 0,
        () => false,
      ),
    async close() {
      await source.destroy();
      await pool.end();
    },
  };
}
