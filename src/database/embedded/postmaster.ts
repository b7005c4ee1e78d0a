/**
 * The postmaster is PostgreSQL's first process. It leads a session of its own, so neither Ctrl-C nor our death reaches
 * it, and it says in the cluster's file `postmaster.pid` who it is and where it listens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Account, as, CLEAN_ENVIRONMENT, isAlive, run } from './account.js';
import { EmbeddedPostgresError, systemCode } from './error.js';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

const POLL_MS = 10;

/** The port was taken meanwhile; another start was quicker; sessions of a postmaster that was killed still end. */
const RETRY = /Address already in use|lock file .* already exists|shared memory block .* still in use/;

/** Line 1 is the pid, line 4 the port (0 until it listens), line 8 the state: PostgreSQL's `miscadmin.h`. */
async function readPidFile(cluster: string): Promise<Postmaster | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  const [pid, , , port] = text.split('\n').map(Number);
  return pid ? { pid, port: port || 0 } : null;
}

/** Whether `pid` is PostgreSQL with this cluster, and no other process that came to bear the pid of one that died. */
async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : (await run('ps', ['-o', 'command=', '-p', String(pid)], null)).output;
  return command.includes(cluster);
}

/** The cluster's live postmaster, however it came to run. */
export async function findPostmaster(cluster: string): Promise<Postmaster | null> {
  const found = await readPidFile(cluster);
  return found && (await isPostmaster(found.pid, cluster)) ? found : null;
}

/**
 * Waits until the live postmaster, if there is one, answers with our password or is gone.
 *
 * @throws EmbeddedPostgresError DATA_DIR_IN_USE, START_FAILED at the deadline
 */
export async function awaitPostmaster(cluster: string, password: string, deadline: number): Promise<Postmaster | null> {
  for (;;) {
    const found = await findPostmaster(cluster);
    if (!found) return null;
    const answer = found.port ? await knock(found.port, password) : 'not yet';
    if (answer === 'ready') return found;
    if (answer === 'stranger') {
      throw new EmbeddedPostgresError(
        'DATA_DIR_IN_USE',
        `The PostgreSQL that runs in ${cluster} (process ${found.pid}) refuses the password in connection.json: stop it`,
      );
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        'START_FAILED',
        `PostgreSQL (process ${found.pid}) does not answer; if it is recovering, start again later: see postgres.log`,
      );
    }
    await sleep(POLL_MS);
  }
}

async function knock(port: number, password: string): Promise<'ready' | 'stranger' | 'not yet'> {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' },
    connectionTimeoutMillis: 5_000,
  });
  // A connection cut after the answer is no fault: all that was asked is whether it answers.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return 'ready';
  } catch (error) {
    return systemCode(error) === '28P01' ? 'stranger' : 'not yet';
  }
}

/** Log lines hold no statement and no detail: those could hold values. */
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

/** Safe only for what may be lost: the tests' databases. */
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' };

export interface Spawn {
  readonly postgres: string;
  readonly cluster: string;
  readonly account: Account | null;
  readonly port: number;
  readonly password: string;
  readonly logFile: string;
  readonly durable: boolean;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/**
 * Starts PostgreSQL and waits until it answers.
 *
 * @returns null if another attempt may fare better: the port was taken, or PostgreSQL found another one at work
 * @throws EmbeddedPostgresError START_FAILED
 */
export async function spawnPostmaster(how: Spawn): Promise<Postmaster | null> {
  const log = await freshLog(how.logFile);
  try {
    const child = spawn(how.postgres, argumentsFor(how), {
      ...{ cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] },
      env: { ...CLEAN_ENVIRONMENT, ...(await lockOfAnother(how.cluster)) },
      ...as(how.account),
    });
    const ended = ending(child);
    child.unref();
    const started = await Promise.race([ended, awaitOwn(child, how)]);
    if (typeof started === 'object') return started;
    const why = (await reason(log)) || `it ended with ${started}`;
    if (RETRY.test(why)) return null;
    throw new EmbeddedPostgresError('START_FAILED', `PostgreSQL does not start: ${why} (see ${how.logFile})`);
  } finally {
    await log.close();
  }
}

function argumentsFor({ cluster, port, durable }: Spawn): string[] {
  const settings = { ...SETTINGS, ...(durable ? {} : NOT_DURABLE), port: String(port) };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/**
 * A lock file whose pid is now borne by another process (as after a restart of a container) would stop PostgreSQL.
 * It passes over the pid of its grandparent, which `pg_ctl` names in this variable, and still makes its other checks
 * for survivors: so name that pid, and never delete the file.
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

async function awaitOwn(child: ChildProcess, { cluster, password, deadline }: Spawn): Promise<Postmaster | string> {
  while (child.exitCode === null && child.signalCode === null) {
    if ((await readPidFile(cluster))?.pid === child.pid) {
      const ready = await awaitPostmaster(cluster, password, deadline);
      if (ready && ready.pid === child.pid) return ready;
    }
    await sleep(POLL_MS);
  }
  return 'an early end';
}

/** One log for each start, and the one before it. */
async function freshLog(file: string): Promise<FileHandle> {
  await rename(file, `${file}.1`).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  return open(file, 'a+', 0o600);
}

/** Why PostgreSQL ended, in its own words. */
async function reason(log: FileHandle): Promise<string | undefined> {
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(65_536), position: 0 });
  const lines = buffer.toString('utf8', 0, bytesRead).trim().split('\n');
  return lines.find((line) => RETRY.test(line)) ?? lines.findLast((line) => line.includes('FATAL')) ?? lines.at(-1);
}

/**
 * A fast shutdown: open transactions are rolled back, sessions end, everything is on disk.
 *
 * @throws EmbeddedPostgresError STOP_FAILED at the deadline
 */
export async function stopPostmaster(cluster: string, pid: number, deadline: number): Promise<void> {
  if (await isPostmaster(pid, cluster)) process.kill(pid, 'SIGINT');
  while (await isPostmaster(pid, cluster)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError('STOP_FAILED', `PostgreSQL (process ${pid}) does not end: see postgres.log`);
    }
    await sleep(POLL_MS);
  }
}
