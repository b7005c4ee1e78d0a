/**
 * A fresh folder is one that is being filled, `<target>.new-<pid>-<random>`, until one rename gives it its name: a folder
 * under its own name is complete, whatever was killed when.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './error.js';
import { isAlive } from './program.js';

const ours = new Set<string>();

/** Makes one for `target`, and removes those that dead processes left. */
export async function freshFolder(target: string): Promise<string> {
  for (const name of await readdir(dirname(target))) {
    const folder = join(dirname(target), name);
    if (!folder.startsWith(`${target}.new-`) || ours.has(folder)) continue;
    // Ours bear our pid; so may those of a dead process, for a container begins to count anew.
    const pid = Number.parseInt(folder.slice(`${target}.new-`.length), 10);
    // An initdb whose parent was killed may still be writing: hence the retries.
    if (pid === process.pid || !isAlive(pid)) await rm(folder, { recursive: true, force: true, maxRetries: 9 });
  }
  const fresh = `${target}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  ours.add(fresh);
  await mkdir(fresh, { mode: 0o700 });
  return fresh;
}

/** Gives `filled` its name. If another was first, that one stands. The fresh folder, which may be `filled`, is gone. */
export async function settle(fresh: string, filled: string, target: string): Promise<void> {
  try {
    await rename(filled, target);
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error;
  }
  await rm(fresh, { recursive: true, force: true });
  ours.delete(fresh);
}
