/**
 * A start is one attempt to run a postmaster. It leads a session of its own and writes to a file, so neither Ctrl-C in
 * our terminal nor our death reaches it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError, nullIfAbsent } from './error.js';
import { awaitPostmaster, isPostmaster, POLL_MS, type Postmaster, readPidFile } from './postmaster.js';
import { type Account, as, isAlive, SURROUNDINGS } from './program.js';

export interface Start {
  readonly postgres: string;
  readonly cluster: string;
  readonly account: Account | null;
  readonly port: number;
  readonly password: string;
  /** Open for reading and appending. */
  readonly log: FileHandle;
  readonly durable: boolean;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** PostgreSQL's log gets neither statements nor details, for both could hold values. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

/** Only for what may be lost: tests' databases. */
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' };

/** The port was taken meanwhile; another start was quicker, or is about to be; sessions of a postmaster that was killed still end. */
const TRANSIENT =
  /Address already in use|lock file .* already exists|lock file .* is empty|shared memory block .* still in use/;

/**
 * Runs PostgreSQL and waits until it answers.
 *
 * @returns null if another attempt may fare better
 * @throws EmbeddedPostgresError START_FAILED
 */
export async function startPostmaster(how: Start): Promise<Postmaster | null> {
  const { size } = await how.log.stat();
  const child = spawn(how.postgres, argumentsOf(how), {
    ...SURROUNDINGS,
    env: { ...SURROUNDINGS.env, ...(await lockOfAnother(how.cluster)) },
    detached: true,
    stdio: ['ignore', how.log.fd, how.log.fd],
    ...as(how.account),
  });
  child.unref();
  const started = await Promise.race([ending(child), awaitChild(child, how)]);
  if (typeof started === 'object') return started;
  const why = (await reasonIn(how.log, size)) ?? started;
  if (TRANSIENT.test(why)) return null;
  throw new EmbeddedPostgresError('START_FAILED', `PostgreSQL does not start: ${why}`);
}

function argumentsOf({ cluster, port, durable }: Start): string[] {
  const settings = { ...SETTINGS, ...(durable ? DURABLE : NOT_DURABLE), port: String(port) };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/**
 * A lock file whose pid has become another process's (as when a container starts again) would keep PostgreSQL from
 * starting. It passes over the pid in this variable, which is `pg_ctl`'s way to name its own parent, and still checks
 * for surviving sessions, as it could not if the file were deleted.
 */
async function lockOfAnother(cluster: string): Promise<{ PG_GRANDPARENT_PID?: string }> {
  const locked = await readPidFile(cluster);
  if (!locked || !isAlive(locked.pid) || (await isPostmaster(locked.pid, cluster))) return {};
  return { PG_GRANDPARENT_PID: String(locked.pid) };
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (status, signal) => resolve(signal ?? `status ${status}`));
  });
}

async function awaitChild(child: ChildProcess, { cluster, password, deadline }: Start): Promise<Postmaster | string> {
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    if ((await readPidFile(cluster))?.pid === child.pid) {
      const ready = await awaitPostmaster(cluster, password, deadline);
      if (ready && ready.pid === child.pid) return ready;
    }
    await sleep(POLL_MS);
  }
  return ending(child);
}

/** One log for each start; that of the start before is kept. */
export async function freshLog(file: string): Promise<FileHandle> {
  await rename(file, `${file}.1`).catch(nullIfAbsent);
  return open(file, 'a+', 0o600);
}

/** Why PostgreSQL ended, in its own words, which begin at that place of the log. */
async function reasonIn(log: FileHandle, position: number): Promise<string | undefined> {
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(65_536), position });
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean);
  const fatal = lines.find((line) => TRANSIENT.test(line)) ?? lines.findLast((line) => line.includes('FATAL'));
  return fatal ?? (lines.slice(-3).join(' ') || undefined);
}
