/**
 * A cluster is the folder with PostgreSQL's files: `<dataDir>/postgres`. A file of ours in it, `connection.json`, holds
 * the superuser's password and the port last used. It is inside, so that one rename makes cluster and password exist.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { firstClosed, giveTo } from './account.js';
import type { Binaries } from './binaries.js';
import { EmbeddedPostgresError, nullIfAbsent } from './error.js';
import { freshFolder, settle } from './fresh-folder.js';
import { type Account, run } from './program.js';

export interface Connection {
  readonly password: string;
  /** Null before the first start. */
  readonly port: number | null;
}

/** Makes `dataDir` where it is missing; folders that root makes, others may enter but not list. @returns its real path */
export async function madeFolder(dataDir: string): Promise<string> {
  const folder = resolve(dataDir);
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first && process.getuid?.() === 0) {
    for (let at = folder; at !== dirname(first); at = dirname(at)) await chmod(at, 0o711);
  }
  return realpath(folder);
}

/** @throws EmbeddedPostgresError FOLDER_UNREACHABLE, naming the folder that is closed to the account */
export async function checkReach(dataDir: string, account: Account | null): Promise<void> {
  const closed = account && (await firstClosed(dataDir, account));
  if (!closed) return;
  throw new EmbeddedPostgresError(
    'FOLDER_UNREACHABLE',
    `Started by root, PostgreSQL runs as user ${account.uid}, who cannot enter ${closed}: set DATA_DIR, for every command, to a folder that any user can enter, such as /var/tmp/access-ledger`,
  );
}

/**
 * @returns null if there is no cluster
 * @throws EmbeddedPostgresError INIT_FAILED if there are files without a password of ours
 */
export async function readConnection(cluster: string): Promise<Connection | null> {
  const text = await readFile(join(cluster, 'connection.json'), 'utf8').catch(nullIfAbsent);
  const connection = text === null ? null : parseConnection(text);
  if (connection) return connection;
  const files = await readdir(cluster).catch(nullIfAbsent);
  if (!files || files.length === 0) return null;
  throw new EmbeddedPostgresError(
    'INIT_FAILED',
    `${cluster} has lost its connection.json, or never was ours: restore it, or move the folder away`,
  );
}

function parseConnection(text: string): Connection | null {
  try {
    const { password, port } = JSON.parse(text) as Record<string, unknown>;
    if (typeof password !== 'string' || !(port === null || typeof port === 'number')) return null;
    return { password, port };
  } catch {
    return null;
  }
}

/** Whole or not at all; only PostgreSQL's own account, and root, can read it. */
export async function writeConnection(cluster: string, connection: Connection, account: Account | null): Promise<void> {
  const file = join(cluster, 'connection.json');
  const fresh = `${file}.new-${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(connection)}\n`, { mode: 0o600 });
  if (account) await chown(fresh, account.uid, account.gid);
  await rename(fresh, file);
}

/**
 * Makes the cluster: UTF-8, ordered by code point on every platform, with checksums, and no way in without a password.
 * Of two that are made at once, one stands.
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
  const args = [
    ...['--pgdata', files, '--username', 'postgres', '--pwfile', join(fresh, 'password'), '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...['--text-search-config', 'simple', '--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ];
  const { status, output } = await run(initdb, args, account);
  if (status !== 0) {
    const why = output.split('\n').findLast((line) => /error:|FATAL|PANIC/.test(line)) ?? output;
    throw new EmbeddedPostgresError(
      'INIT_FAILED',
      `PostgreSQL could not make its files in ${dirname(cluster)}: ${why}`,
    );
  }
  await writeConnection(files, { password, port: null }, account);
  await settle(fresh, files, cluster);
}
