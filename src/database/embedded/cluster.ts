/**
 * A cluster is the folder with PostgreSQL's files: `<dataDir>/postgres`. Our own file in it, `connection.json`, holds the
 * superuser's password and the port last used. It is inside, so that one rename makes both cluster and password exist.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Account, firstClosed, giveTo, run } from './account.js';
import { type Binaries, freshFolder, settle } from './binaries.js';
import { EmbeddedPostgresError, systemCode } from './error.js';

export interface Connection {
  readonly password: string;
  /** Null before the first start. */
  readonly port: number | null;
}

/**
 * Makes `dataDir` where it is missing; what we make as root, the account may enter but not list.
 *
 * @returns its real path
 * @throws EmbeddedPostgresError FOLDER_UNREACHABLE
 */
export async function madeFolder(dataDir: string): Promise<string> {
  try {
    const folder = resolve(dataDir);
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first && process.getuid?.() === 0) {
      for (let at = folder; at !== dirname(first); at = dirname(at)) await chmod(at, 0o711);
    }
    return await realpath(folder);
  } catch (error) {
    throw unreachable(dataDir, error);
  }
}

/** @throws EmbeddedPostgresError FOLDER_UNREACHABLE, naming the folder that is closed to the account */
export async function checkReach(dataDir: string, account: Account | null): Promise<void> {
  const closed = account && (await firstClosed(dataDir, account));
  if (!closed) return;
  throw new EmbeddedPostgresError(
    'FOLDER_UNREACHABLE',
    `Started by root, PostgreSQL runs as user ${account.uid}, who cannot enter ${closed}: set DATA_DIR to a folder outside it`,
  );
}

function unreachable(dataDir: string, error: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'FOLDER_UNREACHABLE',
    `${dataDir} is not ours to use (${systemCode(error) ?? 'unknown fault'}): set DATA_DIR to a folder that you own`,
    { cause: error },
  );
}

/**
 * @returns null if there is no cluster
 * @throws EmbeddedPostgresError FOLDER_UNREACHABLE if it is somebody else's, INIT_FAILED if it has lost its password
 */
export async function readConnection(cluster: string): Promise<Connection | null> {
  try {
    if (!(await stat(cluster).catch(() => null))) return null;
    return JSON.parse(await readFile(join(cluster, 'connection.json'), 'utf8')) as Connection;
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw unreachable(dirname(cluster), error);
    throw new EmbeddedPostgresError(
      'INIT_FAILED',
      `${cluster} is no database of ours, or its connection.json is lost: restore it, or move the folder away`,
      { cause: error },
    );
  }
}

/** Whole or not at all; only PostgreSQL's own account (and root) can read it. */
export async function writeConnection(cluster: string, connection: Connection, account: Account | null): Promise<void> {
  const file = join(cluster, 'connection.json');
  const fresh = `${file}.new-${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(connection)}\n`, { mode: 0o600 });
  if (account) await chown(fresh, account.uid, account.gid);
  await rename(fresh, file);
}

/**
 * Makes the cluster: UTF-8, ordered by code point on every platform, checksums on, and no way in without a password.
 * An interrupted run leaves a folder that the next one removes; of two runs at once, one cluster stands.
 *
 * @throws EmbeddedPostgresError INIT_FAILED
 */
export async function makeCluster(
  cluster: string,
  { initdb }: Binaries,
  account: Account | null,
  durable: boolean,
): Promise<void> {
  const fresh = await freshFolder(cluster);
  const files = join(fresh, 'files');
  const password = randomBytes(24).toString('base64url');
  await writeFile(join(fresh, 'password'), password, { mode: 0o600 });
  await giveTo(account, fresh);
  const made = await run(
    initdb,
    [
      ...['--pgdata', files, '--username', 'postgres', '--pwfile', join(fresh, 'password'), '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
      ...['--text-search-config', 'simple', '--no-instructions', ...(durable ? [] : ['--no-sync'])],
    ],
    account,
  );
  if (made.status !== 0) {
    const why = made.output.split('\n').findLast((line) => /error|fatal|panic/i.test(line)) ?? made.output;
    throw new EmbeddedPostgresError(
      'INIT_FAILED',
      `PostgreSQL could not make its files in ${dirname(cluster)}: ${why}`,
    );
  }
  await writeConnection(files, { password, port: null }, account);
  await settle(files, cluster);
  await rm(fresh, { recursive: true, force: true });
}
