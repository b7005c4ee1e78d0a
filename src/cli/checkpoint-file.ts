/**
 * A checkpoint file holds one signed note, to be trusted another day. It is replaced as a whole or not at all.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileFault } from './fault.js';

/** @returns null where there is no such file @throws CommandFault */
export async function readKept(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw fileFault(path, error);
  }
}

/** @throws CommandFault */
export async function replaceKept(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}`;
  try {
    const file = await open(beside, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(beside, { force: true });
    throw fileFault(path, error);
  }
}
