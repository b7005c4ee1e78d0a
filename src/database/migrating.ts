/**
 * Migrating brings a database to what this version of the code expects, opens the log, and gives the server's login its
 * roles. It runs as another login than the server's: one that may create roles, and may be a superuser.
 */
import pg from 'pg';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../../migrations/index.js';
import { FIRST_LOG } from './name.js';

export type SetupCode =
  | 'DATABASE_OPEN'
  | 'NOT_MIGRATED'
  | 'ORIGIN_DIFFERS'
  | 'LOGIN_HOLDS_TOO_MUCH'
  | 'LOGIN_LACKS_ROLES'
  | 'POSTGRES_TOO_OLD';

/** The database is not as the server needs it. The message says what to do, in one line. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
  constructor(
    readonly code: SetupCode,
    message: string,
  ) {
    super(message);
  }
}

/** For the TypeORM command line, and for `migrate`. */
export function migrationSource(url: string): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    migrations: [...MIGRATIONS],
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    applicationName: 'access_ledger_migrate',
  });
}

/** Two processes that start at once migrate one after the other. */
const MIGRATING = 0x61_6c_6d_67;

export async function migrate(ownerUrl: string, serverLogin: string, origin: string): Promise<void> {
  const guard = new pg.Client({ connectionString: ownerUrl });
  await guard.connect();
  try {
    await guard.query('SELECT pg_advisory_lock($1)', [MIGRATING]);
    const source = await migrationSource(ownerUrl).initialize();
    try {
      await source.runMigrations();
    } finally {
      await source.destroy();
    }
    await closeDatabase(guard);
    await guard.query('GRANT SELECT ON public.migration TO access_ledger_reader');
    await guard.query(
      `GRANT access_ledger_writer, access_ledger_reader, access_ledger_reviewer TO ${pg.escapeIdentifier(serverLogin)}`,
    );
    await guard.query('SET ROLE access_ledger_owner');
    await guard.query('INSERT INTO ledger.head (log, origin) VALUES ($1, $2) ON CONFLICT (log) DO NOTHING', [
      FIRST_LOG,
      origin,
    ]);
  } finally {
    await guard.end();
  }
}

/**
 * Temporary tables could stand before the log's own in somebody's search path, so nobody may make any. This belongs to a
 * database and not to what is in it: a copy or a restored dump has to be closed again.
 */
export async function closeDatabase(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ name: string }>('SELECT current_database() AS name');
  await owner.query(`REVOKE TEMPORARY, CREATE ON DATABASE ${pg.escapeIdentifier(rows[0]!.name)} FROM PUBLIC`);
}

/**
 * Holds before the server opens its pools: the database is migrated, the log is this origin's, and the server's login is
 * no more than it has to be.
 *
 * @throws SetupError
 */
export async function checkSetup(url: string, origin: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SET search_path = pg_catalog');
    const { rows } = await client.query(LOGIN);
    const login = rows[0];
    if (login.version < 150_000) throw new SetupError('POSTGRES_TOO_OLD', 'PostgreSQL 15 or newer is needed.');
    if (!login.migrated) {
      throw new SetupError(
        'NOT_MIGRATED',
        'The database is empty: set DATABASE_OWNER_URL once, so that it is migrated.',
      );
    }
    if (login.holds_too_much) {
      throw new SetupError(
        'LOGIN_HOLDS_TOO_MUCH',
        'The login of DATABASE_URL is a superuser, owns the database or the log, makes roles or replicates, or may become one that does, or may write the log’s tables: give the server a login of its own (CREATE ROLE … LOGIN PASSWORD …) without other memberships, and this one to DATABASE_OWNER_URL.',
      );
    }
    if (!login.has_roles) {
      throw new SetupError(
        'LOGIN_LACKS_ROLES',
        'The login of DATABASE_URL has no roles yet: set DATABASE_OWNER_URL once.',
      );
    }
    if (login.open) {
      throw new SetupError(
        'DATABASE_OPEN',
        'Everybody may make temporary tables in this database: set DATABASE_OWNER_URL once, to a login that owns it.',
      );
    }
    await client.query('SET ROLE access_ledger_reader');
    const applied = await client.query<{ name: string }>('SELECT name FROM public.migration');
    const names = new Set(applied.rows.map((row) => row.name));
    if (MIGRATIONS.some((Migration) => !names.has(new Migration().name ?? ''))) {
      throw new SetupError(
        'NOT_MIGRATED',
        'The database is older than this version: set DATABASE_OWNER_URL to migrate it.',
      );
    }
    const head = await client.query<{ origin: string }>('SELECT origin FROM ledger.head WHERE log = $1', [FIRST_LOG]);
    if (head.rows[0]?.origin !== origin) {
      throw new SetupError(
        'ORIGIN_DIFFERS',
        'LOG_ORIGIN is not the origin of the log in this database: set it as it was.',
      );
    }
  } finally {
    await client.end();
  }
}

/**
 * What a login could do is what any role could that it may become, whether or not it inherits from it today. The three
 * roles of ours write no table of the log; attributes are not inherited, so each role's own are looked at.
 */
const LOGIN = `
  WITH reachable AS (SELECT r.* FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER'))
  SELECT current_setting('server_version_num')::int AS version,
    EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relname = 'migration') AS migrated,
    EXISTS (SELECT FROM reachable r WHERE r.rolsuper OR r.rolcreaterole OR r.rolbypassrls OR r.rolreplication
        OR r.rolname IN ('access_ledger_owner', 'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
      OR EXISTS (SELECT FROM pg_database d JOIN reachable r ON r.oid = d.datdba WHERE d.datname = current_database())
      OR EXISTS (SELECT FROM pg_namespace n JOIN reachable r ON r.oid = n.nspowner WHERE n.nspname IN ('ledger', 'registry'))
      OR EXISTS (SELECT FROM reachable r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'ledger' AND c.relkind IN ('r', 'p')
          AND (c.relowner = r.oid OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE')
            OR has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE, TRIGGER')))
      AS holds_too_much,
    has_database_privilege('public', current_database(), 'TEMPORARY') AS open,
    (SELECT coalesce(bool_and(pg_has_role(current_user, r.oid, 'MEMBER')), false) FROM pg_roles r
      WHERE r.rolname IN ('access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer')) AS has_roles`;
