/**
 * The embedded PostgreSQL: a real server of our own in `<dataDir>/postgres`, on 127.0.0.1, for whoever brings none.
 *
 *     const embedded = await startEmbedded({ dataDir: '.data' });
 *     embedded.url('postgres')  →  postgres://postgres:…@127.0.0.1:41873/postgres
 *
 * It outlives us when we are killed. The next start takes it over; that is the normal way on, as is its own recovery
 * after it was killed itself. Of several processes with one `dataDir`, one starts it and the others take it over.
 */
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { type Account, accountFor, giveTo } from './embedded/account.js';
import { usableBinaries } from './embedded/binaries.js';
import {
  type Connection,
  checkReach,
  madeFolder,
  makeCluster,
  readConnection,
  writeConnection,
} from './embedded/cluster.js';
import { EmbeddedPostgresError } from './embedded/error.js';
import {
  awaitPostmaster,
  findPostmaster,
  type Postmaster,
  spawnPostmaster,
  stopPostmaster,
} from './embedded/postmaster.js';

export { type EmbeddedPostgresCode, EmbeddedPostgresError } from './embedded/error.js';

const START_MS = 60_000;
const STOP_MS = 60_000;

export interface EmbeddedOptions {
  /** Made if missing. */
  readonly dataDir: string;
  /** Takes what a person may want to know of a slow or unusual start, one line at a time. */
  readonly log?: (line: string) => void;
  /** False only where all may be lost: it makes tests quick. */
  readonly durable?: boolean;
}

export interface Embedded {
  readonly port: number;
  readonly pid: number;
  /** Whether it ran already when we came. */
  readonly adopted: boolean;
  /** The superuser's URL for a database; it holds the password. */
  url(database?: string): string;
  /** Ends it in good order, for every process that uses it. Safe to repeat. */
  stop(): Promise<void>;
}

/** What stands in a folder, whether it runs or not. */
export interface Found {
  /** Null if it does not run. */
  readonly running: { readonly port: number; readonly pid: number; url(database?: string): string } | null;
}

/**
 * Starts the cluster in `dataDir`, or takes over the one that runs there, or makes one first.
 *
 * @throws EmbeddedPostgresError, any code but STOP_FAILED
 */
export async function startEmbedded({ dataDir, log, durable = true }: EmbeddedOptions): Promise<Embedded> {
  const folder = await madeFolder(dataDir);
  const cluster = join(folder, 'postgres');
  const deadline = Date.now() + START_MS;
  const account = await accountFor(cluster);

  let connection = await readConnection(cluster);
  const live = connection && (await awaitPostmaster(cluster, connection.password, deadline));
  if (connection && live) {
    log?.(`took over the PostgreSQL that was running (process ${live.pid})`);
    return embedded(cluster, connection, live, true);
  }

  await checkReach(folder, account);
  const binaries = await usableBinaries(folder, account);
  if (!connection) {
    log?.('making a new PostgreSQL database');
    await makeCluster(cluster, binaries, account, durable);
    connection = await readConnection(cluster);
    if (!connection) throw new EmbeddedPostgresError('INIT_FAILED', `${cluster} vanished while it was made`);
  }
  if (account) await takeFromRoot(cluster, account);

  const { password } = connection;
  while (Date.now() < deadline) {
    const port = await freePort(connection.port);
    const logFile = join(folder, 'postgres.log');
    const how = { postgres: binaries.postgres, cluster, account, port, password, logFile, durable, deadline };
    const started = await spawnPostmaster(how);
    if (started) {
      if (started.port !== connection.port) await writeConnection(cluster, { password, port }, account);
      return embedded(cluster, connection, started, false);
    }
    const other = await awaitPostmaster(cluster, password, deadline);
    if (other) return embedded(cluster, connection, other, true);
  }
  throw new EmbeddedPostgresError('START_FAILED', `PostgreSQL in ${folder} does not start: see postgres.log there`);
}

/**
 * Looks, and starts nothing.
 *
 * @returns null if `dataDir` holds no database
 * @throws EmbeddedPostgresError FOLDER_UNREACHABLE, INIT_FAILED
 */
export async function findEmbedded(dataDir: string): Promise<Found | null> {
  const cluster = join(resolve(dataDir), 'postgres');
  const connection = await readConnection(cluster);
  if (!connection) return null;
  const live = await findPostmaster(cluster);
  return { running: live && { ...live, url: urls(connection, live.port) } };
}

function embedded(cluster: string, connection: Connection, { pid, port }: Postmaster, adopted: boolean): Embedded {
  const stop = () => stopPostmaster(cluster, pid, Date.now() + STOP_MS);
  return { pid, port, adopted, url: urls(connection, port), stop };
}

function urls({ password }: Connection, port: number): (database?: string) => string {
  return (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** A cluster that root restored from a copy is root's; PostgreSQL wants it to be its own account's. */
async function takeFromRoot(cluster: string, account: Account): Promise<void> {
  if ((await stat(cluster)).uid === 0) await giveTo(account, cluster);
}

/** The port of last time if it is free, otherwise any. */
async function freePort(wanted: number | null): Promise<number> {
  return (wanted && (await tryPort(wanted))) || (await tryPort(0)) || Promise.reject(new Error('no free port'));
}

function tryPort(wanted: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(null));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
