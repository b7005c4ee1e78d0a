/**
 * The database that a command reads the log from: the one that is named, the one of DATABASE_URL, or the embedded one that
 * runs in DATA_DIR. It is read with the reviewer's role, which sees the log and no personal data, and writes nothing.
 */
import type pg from 'pg';
import { isDatabaseError, sqlStateOf } from '../database/fault.js';
import { DATABASE } from '../database/name.js';
import { openPool, WrongConnection } from '../database/pools.js';
import { inSnapshot } from '../ledger/log-rows.js';
import { databaseUrl, SettingFault } from '../server/setting.js';
import { CommandFault } from './fault.js';

/** What `--database` was given: a URL; true for the option without one; absent without the option. */
export type Named = string | boolean | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Gives `read` a connection, in one snapshot of the database.
 *
 * @throws CommandFault for whatever keeps the log from being read
 */
export async function withLog<T>(
  named: Named,
  env: Environment,
  read: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const pool = openPool(await urlOf(named, env, ['DATABASE_URL']), 'access_ledger_reviewer', 1);
  try {
    const client = await pool.connect().catch((error: unknown) => {
      throw databaseFault(error);
    });
    try {
      return await inSnapshot(client, read);
    } finally {
      client.release(true);
    }
  } catch (error) {
    throw isDatabaseError(error) ? databaseFault(error) : error;
  } finally {
    await pool.end();
  }
}

/**
 * Gives `read` a connection of the login's own rights, in one snapshot of the database that reads only. Of the settings, the
 * owner's URL goes before the server's.
 *
 * @throws CommandFault for whatever keeps the database from being read
 */
export async function withSnapshot<T>(
  named: Named,
  env: Environment,
  read: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const { Client } = (await import('pg')).default;
  const client = new Client({
    connectionString: await urlOf(named, env, ['DATABASE_OWNER_URL', 'DATABASE_URL']),
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'access_ledger_command',
  });
  client.on('error', () => {}); // it fails where it is awaited
  try {
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = 0; SET LOCAL jit = off');
    return await read(client);
  } catch (error) {
    throw isDatabaseError(error) ? databaseFault(error) : error;
  } finally {
    await client.end();
  }
}

const CONNECT_MS = 5_000;

type UrlSetting = 'DATABASE_OWNER_URL' | 'DATABASE_URL';

async function urlOf(named: Named, env: Environment, settings: readonly UrlSetting[]): Promise<string> {
  const setting = settings.find((name) => env[name]);
  const given = typeof named === 'string' ? named : setting && env[setting];
  if (!given) return embeddedUrl(env.DATA_DIR || '.data');
  try {
    return databaseUrl(given);
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    throw new CommandFault(`${typeof named === 'string' ? 'the URL of --database' : setting} ${error.message}`);
  }
}

async function embeddedUrl(dataDir: string): Promise<string> {
  const { EmbeddedPostgresError, findEmbedded } = await import('../database/embedded.js');
  const found = await findEmbedded(dataDir).catch((error: unknown) => {
    if (error instanceof EmbeddedPostgresError) throw new CommandFault(error.message);
    throw error;
  });
  if (!found) throw new CommandFault(`no database in ${dataDir}: give --database URL, or set DATABASE_URL or DATA_DIR`);
  if (!found.running) throw new CommandFault(`the database in ${dataDir} does not run: start the server (npm start)`);
  return found.running.url(DATABASE);
}

/** By SQLSTATE. PostgreSQL's own words may quote what nobody should see here. */
const SAYS: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'refuses this login: check the user and the password'],
  [/^3D000$/, 'has no database of this name'],
  [/^(42501|22023|0P000|42704)$/, 'does not let this login read the log: GRANT access_ledger_reviewer to it'],
  [/^(42P01|3F000|42703)$/, 'holds no log, or one of another version: start the server once, so that it is migrated'],
  [/^(53|57)/, 'is too busy, or going down: try again'],
];

function databaseFault(error: unknown): CommandFault {
  if (error instanceof WrongConnection) return new CommandFault(`the database: ${error.message}`, { cause: error });
  const state = sqlStateOf(error);
  const says = SAYS.find(([pattern]) => state && pattern.test(state))?.[1];
  const code = state ?? (error instanceof Error && 'code' in error ? String(error.code) : 'no connection');
  return new CommandFault(`the database ${says ?? 'cannot be read'} (${code})`, { cause: error });
}
