/**
 * Proof files are a disclosure proof as it is kept: `NAME.tlog-proof`, and beside it `NAME.leaf`, the exact bytes that it
 * proves. None that stands is replaced: it may be older evidence, and better.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { CommandFault, fileFault } from './fault.js';

const PROOF = '.tlog-proof';
const LEAF = '.leaf';

/** Leaves are pseudonymous, and still personal data. */
const MODE = 0o600;

/** @param name without ending @throws CommandFault */
export async function writeProofFiles(name: string, file: string, leaf: Uint8Array): Promise<void> {
  await writeNew(name + LEAF, leaf);
  try {
    await writeNew(name + PROOF, file);
  } catch (error) {
    await rm(name + LEAF);
    throw error;
  }
}

async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: MODE });
  } catch (error) {
    throw fileFault(path, error);
  }
}

/** @param leaf null: the file beside the proof @throws CommandFault */
export async function readProofFiles(
  path: string,
  leaf: string | null,
): Promise<{ file: Uint8Array; leaf: Uint8Array }> {
  const beside = path.endsWith(PROOF) ? path.slice(0, -PROOF.length) + LEAF : null;
  const place = leaf ?? beside;
  if (place === null) throw new CommandFault(`${path}: what is it a proof of? Give --leaf FILE`);
  return { file: await read(path), leaf: await read(place) };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileFault(path, error);
  }
}
