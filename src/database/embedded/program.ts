/**
 * A program is one of PostgreSQL's, or of the system's, that we run: in a folder and an environment that are always the
 * same, as the account it belongs to.
 */
import { spawn } from 'node:child_process';
import { codeOf } from './error.js';

/** A user of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Its own folder might be closed to the account; and `PGPORT`, `LC_ALL` or `TZ` would change what PostgreSQL does. */
export const SURROUNDINGS = { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };

/** How `spawn` takes an account: signed numbers. The account keeps none of root's groups. */
export function as(account: Account | null): { uid?: number; gid?: number } {
  return account ? { uid: account.uid | 0, gid: account.gid | 0 } : {};
}

/** Runs a program to its end. Rejects with the system's fault if it cannot be run at all. */
export function run(
  file: string,
  args: readonly string[],
  account: Account | null,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...SURROUNDINGS, stdio: ['ignore', 'pipe', 'pipe'], ...as(account) });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, output: output.trim() }));
  });
}

/** As `kill(pid, 0)` sees it; a process of somebody else is alive too. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
