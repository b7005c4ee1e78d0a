/**
 * A lock keeps a second process off a state. It is a socket beside the state on which its holder listens: the kernel ends
 * that with the process, however the process ends, and a number that another process has since been given, or has in
 * another container, means nothing. It holds among the processes of one machine.
 */
import { lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateError } from './state-error.js';

export interface Lock {
  /** Whether nobody has taken it away since. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** What the smallest sun_path, macOS's, holds with its end. */
const MAX_PATH_BYTES = 103;
/**
 * Two processes that find a dead holder's socket at once may each remove the other's new one. After this long both have,
 * and whoever still stands at the path has won.
 */
const SETTLE_MS = 50;

/** @throws StateError `STATE_LOCKED`, `PATH_TOO_LONG`, `STATE_UNUSABLE` */
export async function takeLock(path: string): Promise<Lock> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new StateError('PATH_TOO_LONG');
  const server = await listen(path);
  const made = identity(path);
  const isHeld = () => made !== null && identity(path) === made;
  await sleep(SETTLE_MS);
  if (!isHeld()) throw new StateError('STATE_LOCKED');
  return {
    isHeld,
    // Closing removes the path, whosever socket stands there by then.
    release: async () => {
      if (isHeld()) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(path: string): Promise<Server> {
  try {
    return await tryListen(path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw new StateError('STATE_UNUSABLE', { cause: error });
  }
  if (await answers(path)) throw new StateError('STATE_LOCKED');
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) throw new StateError('STATE_UNUSABLE');
  rmSync(path, { force: true });
  try {
    return await tryListen(path);
  } catch (error) {
    throw new StateError(codeOf(error) === 'EADDRINUSE' ? 'STATE_LOCKED' : 'STATE_UNUSABLE', { cause: error });
  }
}

function tryListen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, () => resolve(server.unref()));
  });
}

/** False only where there is certainly nobody: a holder that is stopped, or busy, is one. */
function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOTSOCK', 'ENOENT'].includes(codeOf(error))));
  }).finally(() => socket.destroy());
}

/** Of the file at a path; null where there is none. */
function identity(path: string): string | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev} ${stat.ino}` : null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
