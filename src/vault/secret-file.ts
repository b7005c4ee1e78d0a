/**
 * A secret file holds keys, so nobody but its owner reads it, and it is there whole or not at all.
 *
 * Whom it must be closed to is PostgreSQL's rule for its server key: no access for group and others, unless root owns
 * it; then the group may read, for that is how orchestrators hand secrets to a process that is not root.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { VaultError } from './vault-error.js';

/** @throws VaultError FILE_MISSING, FILE_UNREADABLE, FILE_EXPOSED */
export function readSecretFile(path: string): string {
  return withFile(path, 'r', (file) => {
    const { mode, uid } = fstatSync(file);
    const closed = uid === 0 ? 0o037 : 0o077;
    if ((mode & closed) !== 0) throw new VaultError('FILE_EXPOSED', path);
    return readFileSync(file, 'utf8');
  });
}

/**
 * A text that is another once the file is another, or who can reach it.
 *
 * @throws VaultError FILE_MISSING, FILE_UNREADABLE
 */
export function secretFileVersion(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = attempt(path, () => statSync(path, { bigint: true }));
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/**
 * Once it returns, the file is on the disk, with mode 600. At no time is half a file at its path.
 *
 * @param replace Without it, a file that exists is left alone.
 * @throws VaultError FILE_EXISTS, FILE_MISSING (its folder), FILE_UNREADABLE
 */
export function writeSecretFile(path: string, text: string, { replace }: { replace: boolean }): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  withFile(draft, 'wx', (file) => {
    try {
      writeFileSync(file, text);
      fsyncSync(file);
      // A rename replaces and a link does not: each in one step, whoever else writes.
      if (replace) renameSync(draft, path);
      else linkSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  });
  withFile(dirname(path), 'r', fsyncSync);
}

function withFile<T>(path: string, flags: string, use: (file: number) => T): T {
  const file = attempt(path, () => openSync(path, flags, 0o600));
  try {
    return attempt(path, () => use(file));
  } finally {
    closeSync(file);
  }
}

const CODES = new Map([
  ['ENOENT', 'FILE_MISSING'],
  ['EEXIST', 'FILE_EXISTS'],
] as const);

function attempt<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof VaultError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new VaultError(CODES.get(code as 'ENOENT' | 'EEXIST') ?? 'FILE_UNREADABLE', path);
  }
}
