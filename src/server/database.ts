/**
 * The server's database: the organisation's PostgreSQL, or the embedded one; migrated, and checked to be what the server
 * needs, before anything else starts.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { type Embedded, startEmbedded } from '../database/embedded.js';
import { checkSetup, migrate } from '../database/migrating.js';
import { DATABASE } from '../database/name.js';
import { readOrMakeSecretFile } from '../vault/secret-file.js';
import type { Config } from './config.js';

export interface Database {
  /** The server's login. */
  readonly url: string;
  /** Ends what we started, unless another server of the same folder still uses it. */
  stop(): Promise<void>;
}

/** @throws EmbeddedPostgresError, SetupError, and `pg`'s own errors where nothing answers */
export async function openDatabase(config: Config, log: (line: string) => void): Promise<Database> {
  const { origin } = config.log;
  if (config.database) {
    const { url, ownerUrl } = config.database;
    if (ownerUrl) await migrate(ownerUrl, loginOf(url), origin);
    await checkSetup(url, origin);
    return { url, stop: async () => {} };
  }
  const embedded = await startEmbedded({ dataDir: config.dataDir, log });
  try {
    const url = await serverUrl(embedded, config.dataDir);
    await migrate(embedded.url(DATABASE), loginOf(url), origin);
    await checkSetup(url, origin);
    return { url, stop: () => stopUnlessShared(embedded) };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

const SERVER_LOGIN = 'access_ledger_server';

/** The embedded database and the server's login to it, made at the first start. Its password is in a file of ours. */
async function serverUrl(embedded: Embedded, dataDir: string): Promise<string> {
  const password = serverPassword(join(dataDir, 'server-login'));
  const client = new pg.Client({ connectionString: embedded.url() });
  await client.connect();
  try {
    const made = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (made.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`).catch(ignoreDuplicate);
    await client.query(`CREATE ROLE ${SERVER_LOGIN} LOGIN`).catch(ignoreDuplicate);
    await client.query(`ALTER ROLE ${SERVER_LOGIN} PASSWORD ${pg.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
  const url = new URL(embedded.url(DATABASE));
  url.username = SERVER_LOGIN;
  url.password = password;
  return url.href;
}

function serverPassword(file: string): string {
  return readOrMakeSecretFile(file, () => randomBytes(24).toString('base64url'));
}

/** Another process of the same folder may have been quicker. */
function ignoreDuplicate(error: unknown): void {
  if (!(error instanceof pg.DatabaseError) || !['42710', '42P04', '23505'].includes(error.code ?? '')) throw error;
}

async function stopUnlessShared(embedded: Embedded): Promise<void> {
  const client = new pg.Client({ connectionString: embedded.url() });
  await client.connect();
  const { rows } = await client.query(
    "SELECT count(*)::int AS others FROM pg_stat_activity WHERE application_name LIKE 'access\\_ledger\\_%'",
  );
  await client.end();
  if (rows[0].others === 0) await embedded.stop();
}

function loginOf(url: string): string {
  return decodeURIComponent(new URL(url).username);
}
