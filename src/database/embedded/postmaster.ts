/**
 * The postmaster is PostgreSQL's first process. It says in the cluster's file `postmaster.pid` who it is and where it
 * listens; the file may outlive it, and its pid may come to be another's.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, EmbeddedPostgresError, nullIfAbsent } from './error.js';
import { isAlive, run } from './program.js';

export interface Postmaster {
  readonly pid: number;
  /** 0 until it listens. */
  readonly port: number;
}

export const POLL_MS = 10;

/** Lines 1 and 4 are pid and port: PostgreSQL's `utils/pidfile.h`. */
export async function readPidFile(cluster: string): Promise<Postmaster | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(nullIfAbsent);
  const [pid, , , port] = (text ?? '').split('\n').map(Number);
  return pid ? { pid, port: port || 0 } : null;
}

/** Whether that process is this cluster's postmaster. One that has ended and is not yet reaped has no command. */
export async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  return `${await commandOf(pid)} `.includes(` -D ${cluster} `);
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)], null)).output;
  // It may end between the look and the reading, which fails in several ways: all say that it is none of ours.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.replaceAll('\0', ' ').trimEnd();
}

/** The cluster's live postmaster, however it came to run. */
export async function findPostmaster(cluster: string): Promise<Postmaster | null> {
  const found = await readPidFile(cluster);
  return found && (await isPostmaster(found.pid, cluster)) ? found : null;
}

/**
 * Waits until the live postmaster, if there is one, takes our password, or has ended.
 *
 * @param deadline milliseconds since 1970
 * @throws EmbeddedPostgresError DATA_DIR_IN_USE; START_FAILED at the deadline
 */
export async function awaitPostmaster(cluster: string, password: string, deadline: number): Promise<Postmaster | null> {
  for (;;) {
    const found = await findPostmaster(cluster);
    if (!found) return null;
    const answer = found.port ? await knock(found.port, password) : 'not yet';
    if (answer === 'ready') return found;
    if (answer === 'stranger') {
      const says = `The PostgreSQL that runs in ${cluster} (process ${found.pid}) refuses our password: stop it`;
      throw new EmbeddedPostgresError('DATA_DIR_IN_USE', says);
    }
    if (Date.now() > deadline) {
      const says = `PostgreSQL (process ${found.pid}) does not answer; it may be recovering: see postgres.log, start again`;
      throw new EmbeddedPostgresError('START_FAILED', says);
    }
    await sleep(POLL_MS);
  }
}

async function knock(port: number, password: string): Promise<'ready' | 'stranger' | 'not yet'> {
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres', ssl: false },
    connectionTimeoutMillis: 5_000,
  });
  // A connection that is cut after the answer is no fault: it answered.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return 'ready';
  } catch (error) {
    return codeOf(error) === '28P01' ? 'stranger' : 'not yet';
  }
}

/**
 * A fast shutdown: open transactions are rolled back, sessions end, all is on disk.
 *
 * @param deadline milliseconds since 1970
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
