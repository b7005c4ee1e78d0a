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
import { VaultError, type VaultErrorCode } from './vault-error.js';

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
 * Makes a file. Once it returns, the file is on the disk, with mode 600. At no time is half a file at its path.
 *
 * @throws VaultError FILE_EXISTS, FILE_MISSING (its folder), FILE_UNREADABLE
 */
export function makeSecretFile(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  attempt(path, () => {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
      // In one step, and unlike a rename it replaces nothing.
      linkSync(draft, path);
    } finally {
      closeSync(file);
      rmSync(draft, { force: true });
    }
  });
  withFile(dirname(path), 'r', fsyncSync);
}

/**
 * The text of a file that is made where there is none. Processes that do so at once agree on the one that was first.
 *
 * @throws VaultError FILE_MISSING (its folder), FILE_UNREADABLE, FILE_EXPOSED
 */
export function readOrMakeSecretFile(path: string, make: () => string): string {
  try {
    return readSecretFile(path);
  } catch (error) {
    if (!isCode(error, 'FILE_MISSING')) throw error;
  }
  try {
    makeSecretFile(path, make());
  } catch (error) {
    if (!isCode(error, 'FILE_EXISTS')) throw error;
  }
  return readSecretFile(path);
}

function isCode(error: unknown, code: VaultErrorCode): boolean {
  return error instanceof VaultError && error.code === code;
}

/**
 * Puts another text in the place of a file's, as durably and in one step. The draft is the lock: while one process makes
 * the next text out of the last, no other does. One that is killed meanwhile leaves its draft, `<path>.next`.
 *
 * @throws VaultError FILE_BUSY, FILE_MISSING, FILE_UNREADABLE, FILE_EXPOSED, and what `change` throws
 */
export function changeSecretFile(path: string, change: (text: string) => string): void {
  const draft = `${path}.next`;
  attempt(path, () => {
    const file = openDraft(path, draft);
    try {
      writeFileSync(file, change(readSecretFile(path)));
      fsyncSync(file);
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
  });
  withFile(dirname(path), 'r', fsyncSync);
}

function openDraft(path: string, draft: string): number {
  try {
    return openSync(draft, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new VaultError('FILE_BUSY', path);
    throw error;
  }
}

function withFile<T>(path: string, flags: string, use: (file: number) => T): T {
  return attempt(path, () => {
    const file = openSync(path, flags);
    try {
      return use(file);
    } finally {
      closeSync(file);
    }
  });
}

const CODES = new Map([
  ['ENOENT', 'FILE_MISSING'],
  ['EEXIST', 'FILE_EXISTS'],
] as const);

/** Faults name the path that was asked for, never a draft of ours. */
function attempt<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof VaultError || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new VaultError(CODES.get(code as 'ENOENT' | 'EEXIST') ?? 'FILE_UNREADABLE', path);
  }
}
