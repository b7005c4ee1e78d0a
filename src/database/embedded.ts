/**
 * The embedded PostgreSQL: a real server of our own in `<dataDir>/postgres`, on 127.0.0.1, for whoever brings none.
 *
 *     const embedded = await startEmbedded({ dataDir: '.data' });
 *     embedded.url()  →  postgres://postgres:…@127.0.0.1:41873/postgres?sslmode=disable
 *
 * It outlives us when we are killed. The next start takes it over; that is the normal way on, as is its own recovery
 * after it was killed itself. Of several processes with one `dataDir`, one starts it and the others take it over.
 */
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountFor, giveTo } from './embedded/account.js';
import { usableBinaries } from './embedded/binaries.js';
import {
  type Connection,
  checkReach,
  madeFolder,
  makeCluster,
  readConnection,
  writeConnection,
} from './embedded/cluster.js';
import { codeOf, EmbeddedPostgresError, isForbidden, nullIfAbsent } from './embedded/error.js';
import { awaitPostmaster, findPostmaster, type Postmaster, stopPostmaster } from './embedded/postmaster.js';
import { freshLog, type Start, startPostmaster } from './embedded/start.js';

export { type EmbeddedPostgresCode, EmbeddedPostgresError } from './embedded/error.js';

const START_MS = 60_000;
const STOP_MS = 60_000;
const RETRY_MS = 100;

export interface EmbeddedOptions {
  /** Made if missing. */
  readonly dataDir: string;
  /** Takes what a person may want to know of a slow or unusual start, one line at a time. */
  readonly log?: (line: string) => void;
  /** False only where all may be lost: it makes tests quick. */
  readonly durable?: boolean;
}

/** A PostgreSQL that runs. */
export interface Running {
  readonly port: number;
  readonly pid: number;
  /** The superuser's URL for a database; it holds the password. */
  url(database?: string): string;
}

export interface Embedded extends Running {
  /** Whether it ran already when we came. */
  readonly adopted: boolean;
  /** Ends it in good order, for every process that uses it. Safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Starts the cluster in `dataDir`, or takes over the one that runs there, or makes one first.
 *
 * @throws EmbeddedPostgresError, any code but STOP_FAILED
 */
export async function startEmbedded({ dataDir, log, durable = true }: EmbeddedOptions): Promise<Embedded> {
  try {
    const folder = await madeFolder(dataDir);
    const cluster = join(folder, 'postgres');
    const deadline = Date.now() + START_MS;
    const connection = await readConnection(cluster);
    const live = connection && (await awaitPostmaster(cluster, connection.password, deadline));
    if (!live) return await start(folder, connection, { log, durable, deadline });
    log?.(`took over the PostgreSQL that was running (process ${live.pid})`);
    return embedded(cluster, connection, live, true);
  } catch (error) {
    throw explained(dataDir, error);
  }
}

/**
 * Looks, and starts nothing.
 *
 * @returns null if `dataDir` holds no database; `running` null if it does not run
 * @throws EmbeddedPostgresError FOLDER_UNREACHABLE, INIT_FAILED
 */
export async function findEmbedded(dataDir: string): Promise<{ readonly running: Running | null } | null> {
  try {
    const folder = await realpath(dataDir).catch(nullIfAbsent);
    const cluster = folder && join(folder, 'postgres');
    const connection = cluster && (await readConnection(cluster));
    if (!connection) return null;
    const live = await findPostmaster(cluster);
    return { running: live && running(connection, live) };
  } catch (error) {
    throw explained(dataDir, error);
  }
}

async function start(
  folder: string,
  found: Connection | null,
  { log, durable, deadline }: Pick<EmbeddedOptions, 'log'> & Pick<Start, 'durable' | 'deadline'>,
): Promise<Embedded> {
  const cluster = join(folder, 'postgres');
  const account = await accountFor(cluster);
  await checkReach(folder, account);
  const binaries = await usableBinaries(folder, account);
  if (!found) {
    log?.('making a new PostgreSQL database');
    await makeCluster(cluster, binaries, account, durable);
  }
  // What root restored from a copy is root's; PostgreSQL wants it to be its own account's.
  if (account && (await stat(cluster)).uid === 0) await giveTo(account, cluster);

  const file = await freshLog(join(folder, 'postgres.log'));
  try {
    while (Date.now() < deadline) {
      const connection = await readConnection(cluster);
      if (!connection) break;
      const { password } = connection;
      const port = await freePort(connection.port);
      const how = { postgres: binaries.postgres, cluster, account, port, password, log: file, durable, deadline };
      const started = await startPostmaster(how);
      if (started && port !== connection.port) await writeConnection(cluster, { password, port }, account);
      const live = started ?? (await awaitPostmaster(cluster, password, deadline));
      if (live) return embedded(cluster, connection, live, !started);
      await sleep(RETRY_MS);
    }
  } finally {
    await file.close();
  }
  throw new EmbeddedPostgresError('START_FAILED', `PostgreSQL does not start in ${folder}: see postgres.log there`);
}

function embedded(cluster: string, connection: Connection, live: Postmaster, adopted: boolean): Embedded {
  const stop = () => stopPostmaster(cluster, live.pid, Date.now() + STOP_MS);
  return { ...running(connection, live), adopted, stop };
}

function running({ password }: Connection, { pid, port }: Postmaster): Running {
  const server = `postgres://postgres:${password}@127.0.0.1:${port}`;
  // It has no TLS: an environment with PGSSLMODE for other servers must not ask it for some.
  return { pid, port, url: (database = 'postgres') => `${server}/${encodeURIComponent(database)}?sslmode=disable` };
}

function explained(dataDir: string, error: unknown): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  const code = codeOf(error) ?? 'unknown fault';
  return isForbidden(error) || ['ENOTDIR', 'EEXIST'].includes(code)
    ? new EmbeddedPostgresError(
        'FOLDER_UNREACHABLE',
        `${dataDir} is no folder of ours to use (${code}): set DATA_DIR to one that you own`,
        { cause: error },
      )
    : new EmbeddedPostgresError('START_FAILED', `PostgreSQL cannot start in ${dataDir} (${code})`, { cause: error });
}

/** The port of last time if it is free, otherwise any. */
async function freePort(wanted: number | null): Promise<number> {
  return (wanted ? await freePortAt(wanted) : null) ?? (await freePortAt(0)) ?? 0;
}

function freePortAt(wanted: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(null));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
