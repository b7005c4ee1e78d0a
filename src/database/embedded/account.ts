/**
 * An account is the user of the operating system as whom PostgreSQL runs. PostgreSQL refuses to run as root, so for
 * root that is another one; for anybody else it is their own, which we write as null.
 */
import { spawn } from 'node:child_process';
import { chown, lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError, systemCode } from './error.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `initdb` wants an entry in the user database, so a made-up uid will not do. The second is what macOS calls it. */
const NAMES = ['postgres', '_postgres', 'nobody'];

/** What PostgreSQL gets to see of our environment: nothing that changes what it does (`PGPORT`, `LC_ALL`, `TZ` …). */
export const CLEAN_ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };

/** @returns for root: the owner of the cluster if there is one, so that a folder keeps working as whoever began it. */
export async function accountFor(cluster: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(cluster).catch(() => null);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of NAMES) {
    const uid = await id('-u', name);
    const gid = await id('-g', name);
    if (uid && gid !== null) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    'INIT_FAILED',
    'PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here: run as an ordinary user',
  );
}

/** macOS calls `nobody` -2; Node's chown wants that unsigned. */
async function id(flag: string, name: string): Promise<number | null> {
  const { status, output } = await run('id', [flag, name], null);
  return status === 0 ? Number(output) >>> 0 : null;
}

/** How `spawn` takes an account: Node wants these signed. The account keeps none of root's groups. */
export function as(account: Account | null): { uid?: number; gid?: number } {
  return account ? { uid: account.uid | 0, gid: account.gid | 0 } : {};
}

/** Runs a program to its end, with all that it says. Its folder is `/`, for ours may be closed to the account. */
export function run(
  file: string,
  args: string[],
  account: Account | null,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: CLEAN_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...as(account),
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, output: output.trim() }));
  });
}

/** The first folder on the way to `folder`, itself included, that the account cannot enter. */
export async function firstClosed(folder: string, account: Account): Promise<string | null> {
  const way: string[] = [];
  for (let at = folder; at !== way[0]; at = dirname(at)) way.unshift(at);
  const tried = 'for d do test -x "$d" || { printf %s "$d"; exit 1; }; done';
  const { status, output } = await run('/bin/sh', ['-c', tried, 'sh', ...way], account);
  return status === 0 ? null : output;
}

/** Makes the account the owner of a folder and of all that is in it. */
export async function giveTo(account: Account | null, folder: string): Promise<void> {
  if (!account) return;
  await chown(folder, account.uid, account.gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
}

/** As `kill(pid, 0)` sees it; a process of somebody else is alive too. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
