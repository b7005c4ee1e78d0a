/**
 * A migrated database of a test's own, and a ledger on it. Databases are copies of one that is migrated once a run.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { closeDatabase, migrate } from '../../src/database/migrating.js';
import { openPool, type Role } from '../../src/database/pools.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { type OpenLedger, openLedger as open } from '../../src/ledger/open-ledger.js';
import type { Body, EntryId, PermittedBody, Pseudonym } from '../../src/log/entry.js';
import { freshDatabase, type TestDatabase } from './postgres.js';

export const ORIGIN = 'localhost/test';
export const LOGIN = { user: 'access_ledger_server', password: 'not-secret' };

let template: Promise<string> | null = null;

async function migrated(): Promise<string> {
  const database = await freshDatabase();
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`DO $$ BEGIN CREATE ROLE ${LOGIN.user} LOGIN PASSWORD '${LOGIN.password}';
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
  await owner.end();
  await migrate(database.url, LOGIN.user, ORIGIN);
  return database.name;
}

export interface MigratedDatabase {
  /** The server's login. */
  readonly url: string;
  /** A superuser's. */
  readonly superuserUrl: string;
  drop(): Promise<void>;
}

export async function migratedDatabase(): Promise<MigratedDatabase> {
  template ??= migrated();
  const database: TestDatabase = await freshDatabase({ template: await template });
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await closeDatabase(owner);
  await owner.end();
  const url = new URL(database.url);
  url.username = LOGIN.user;
  url.password = LOGIN.password;
  return { url: url.href, superuserUrl: database.url, drop: () => database.drop() };
}

export interface TestLedger extends MigratedDatabase {
  readonly ledger: Ledger;
  /** As a superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** As one of the roles. */
  as(role: Role, text: string, values?: unknown[]): Promise<object[]>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export function openLedger(url: string): Promise<OpenLedger> {
  return open({ url, log: 1, entities: [], connections: 4 });
}

export async function testLedger(): Promise<TestLedger> {
  const database = await migratedDatabase();
  const { ledger, close } = await openLedger(database.url);
  const superuser = new pg.Pool({ connectionString: database.superuserUrl, max: 2 });
  return {
    ...database,
    ledger,
    sql: async (text, values) => (await superuser.query(text, values)).rows,
    async as(role, text, values) {
      const pool = openPool(database.url, role, 1);
      try {
        return (await pool.query(text, values)).rows;
      } finally {
        await pool.end();
      }
    },
    size: async () => Number((await superuser.query('SELECT count(*) FROM ledger.entry')).rows[0].count),
    async close() {
      await close();
      await superuser.end();
      await database.drop();
    },
  };
}

/** A row that the registry takes, and the body of the entry that the row names. */
export function enrolment(changes: Partial<PermittedBody> & { asOf: number }, key = 'web') {
  const body = someBody({ event: 'service.enrolled', details: { service: key }, ...changes });
  return { body, sql: ENROL, values: [key, 'Web', body.policy, body.id] };
}

const ENROL = 'INSERT INTO registry.service (key, title, policy, entry) VALUES ($1, $2, $3, $4)';

/** UUIDv4 will do where nothing sorts by it. */
export const someId = <T extends string>(): T => randomUUID() as T;

export function someBody(changes: Partial<PermittedBody> & { asOf: number }): PermittedBody;
export function someBody(changes: Partial<Body> & { asOf: number }): Body;
export function someBody(changes: Partial<Body> & { asOf: number }): Body {
  return {
    id: someId<EntryId>(),
    at: new Date().toISOString(),
    event: 'record.read',
    actor: { id: someId<Pseudonym>(), kind: 'staff', role: 'support-agent' },
    outcome: 'permitted',
    clause: '5.2',
    policy: '2012-01-16',
    request: someId(),
    operation: 'user',
    ...changes,
  } as Body;
}
