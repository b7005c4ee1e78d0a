/**
 * The server's database: the organisation's PostgreSQL, or the embedded one; migrated, and checked to be what the server
 * needs, before anything else starts.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { type Share, shareEmbedded } from '../database/embedded/share.js';
import { sqlStateOf } from '../database/fault.js';
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

export interface Opening {
  readonly tell: (line: string) => void;
  /** Breaks it off: what was started is stopped, and it rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** @throws EmbeddedPostgresError, SetupError, and `pg`'s own errors where nothing answers */
export async function openDatabase(config: Config, { tell, signal }: Opening): Promise<Database> {
  const { origin } = config.log;
  if (config.database) {
    const { url, ownerUrl } = config.database;
    if (ownerUrl) await migrate(ownerUrl, loginOf(url), origin);
    await checkSetup(url, origin);
    return { url, stop: async () => {} };
  }
  const share = await shareEmbedded({ dataDir: config.dataDir, log: tell });
  try {
    signal.throwIfAborted();
    const url = await serverUrl(share, config.dataDir);
    signal.throwIfAborted();
    await migrate(share.embedded.url(DATABASE), loginOf(url), origin);
    await checkSetup(url, origin);
    return { url, stop: () => share.release() };
  } catch (error) {
    await share.release();
    throw error;
  }
}

const SERVER_LOGIN = 'access_ledger_server';

/** The embedded database and the server's login to it, made at the first start. Its password is in a file of ours. */
async function serverUrl({ embedded, alone }: Share, dataDir: string): Promise<string> {
  const url = new URL(embedded.url(DATABASE));
  url.username = SERVER_LOGIN;
  url.password = readOrMakeSecretFile(join(dataDir, 'server-login'), () => randomBytes(24).toString('base64url'));
  await alone(async (client) => {
    const { rows } = await client.query<{ database: boolean; login: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database,
         EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS login`,
      [DATABASE, SERVER_LOGIN],
    );
    const [made] = rows;
    if (!made!.database) await client.query(`CREATE DATABASE ${DATABASE}`);
    const password = pg.escapeLiteral(url.password);
    if (!made!.login) await client.query(`CREATE ROLE ${SERVER_LOGIN} LOGIN PASSWORD ${password}`);
    // The file is not the one that the login was made with: it was lost, or the folder was put together from copies.
    else if (!(await admits(url.href))) await client.query(`ALTER ROLE ${SERVER_LOGIN} PASSWORD ${password}`);
  });
  return url.href;
}

async function admits(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (sqlStateOf(error) === '28P01') return false;
    throw error;
  } finally {
    await client.end();
  }
}

function loginOf(url: string): string {
  return decodeURIComponent(new URL(url).username);
}
