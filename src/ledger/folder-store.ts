/**
 * A folder as the store of a mirror: whatever file system is mounted there. A file appears whole or not at all, and is on
 * disk when its name is.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equal } from '../log/bytes.js';
import { StandsOtherwise, type Store } from './mirror.js';

/** @param folder made if it is not there */
export function folderStore(folder: string): Store {
  const at = (path: string) => join(folder, ...path.split('/'));

  /** Writes beside the place, so that one step gives it the name. */
  async function draft(path: string, bytes: Uint8Array): Promise<string> {
    await mkdir(dirname(path), { recursive: true });
    const name = `${path}.${randomBytes(6).toString('hex')}.draft`;
    const file = await open(name, 'wx', 0o640);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return name;
  }

  return {
    async read(path) {
      try {
        return await readFile(at(path));
      } catch (error) {
        if (isCode(error, 'ENOENT')) return null;
        throw error;
      }
    },
    async keep(path, bytes) {
      const name = await draft(at(path), bytes);
      try {
        // A link, unlike a rename, replaces nothing.
        await link(name, at(path));
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
        if (!equal(await readFile(at(path)), bytes)) throw new StandsOtherwise(path);
      } finally {
        await rm(name, { force: true });
      }
      await sync(dirname(at(path)));
    },
    async replace(path, bytes) {
      await rename(await draft(at(path), bytes), at(path));
      await sync(dirname(at(path)));
    },
    release: (path) => rm(at(path), { recursive: true, force: true }),
  };
}

async function sync(folder: string): Promise<void> {
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
