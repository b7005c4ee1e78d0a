/**
 * Verifies a log over the network: the checkpoint that it shows is evidence like any other, each leaf is held against the
 * link in its hash tile, and with a checkpoint that is trusted from an earlier time only what came after it is read.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { equal, toHex } from '../log/bytes.js';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../log/checkpoint.js';
import { HashVerifier } from '../log/hashes-only.js';
import { linkOf } from '../log/leaf.js';
import { NoteError, parseNote } from '../log/note.js';
import type { VerifierKey } from '../log/note-key.js';
import type { StoredEntry } from '../log/reading.js';
import { RunReader } from '../log/run-reader.js';
import { type Bundle, TILE_WIDTH, tileAt, tiledHashes } from '../log/tile.js';
import { Frontier, HASH_BYTES, type Hash, rootAt } from '../log/tree.js';
import { type Report, Verifier } from '../log/verify.js';
import { CommandFault } from './fault.js';
import { type LiveLog, NotServed } from './live-log.js';
import { ReadingThreads } from './reading-threads.js';
import { evidenceWith, type ResumableEvidence, startOf, trustedHead } from './resuming.js';

export interface LiveVerdict {
  readonly report: Report;
  /** What the log showed. */
  readonly note: string;
  /** False where only hashes were. */
  readonly leavesRead: boolean;
}

/** What is under way at once: a bundle is a quarter of a megabyte, usually less. */
const IN_FLIGHT = 6;
/** So many are read before threads would have begun. */
const FEW = 10_000;
/** So many bundles without a leaf in a row are the end. */
const MOST_EMPTY = 4;
/**
 * A log shows its newest cosigned checkpoint, or its newest where the witnesses are slow; so it may step back for some
 * seconds, while it still has what it showed before.
 */
const STEPS_BACK_MS = [1_000, 4_000, 10_000];

/** @param onEntries is told how many were read, and of how many */
export async function verifyLive(
  live: LiveLog,
  evidence: ResumableEvidence,
  onEntries: (entries: number, share: number | null) => void,
): Promise<LiveVerdict> {
  const { key } = evidence.checkpoints;
  const trusted = trustedHead(evidence);
  const shown = await shownBy(live, key, trusted);
  const kept = { note: shown.note, file: `${live.url.href}checkpoint` };
  // What nobody signed says nothing about how much there is to read, and then nothing is held against the rest.
  const signed = signedBy(shown.note, key);
  const all = evidenceWith(kept, evidence);
  const opened = signed ? all : { checkpoints: { ...evidence.checkpoints, notes: [shown.note] } };
  const size = signed ? shown.head.size : 0;
  const start = await startOf(signed ? trusted : null, size, live).catch(unlessNotServed);
  const from = start.size;
  const first = size === 0 ? null : bundleOf(from, size);
  const leavesRead = first !== null && (await live.opens(first));
  const told = (entries: number) => onEntries(entries, entries / (size - from));
  const report = leavesRead
    ? await readLeaves(live, new Verifier(opened, { start }), from, size, told)
    : await readHashes(live, new HashVerifier(opened, start), from, size, told);
  return { report, note: shown.note, leavesRead };
}

/** Where hashes from before are gone, the whole is read, to find what else is. */
function unlessNotServed(error: unknown): Frontier {
  if (error instanceof NotServed) return new Frontier();
  throw error;
}

async function readLeaves(live: LiveLog, verifier: Verifier, from: number, size: number, told: (n: number) => void) {
  const threads = size - from > FEW ? new ReadingThreads(availableParallelism()) : null;
  const reader = new RunReader();
  const read = async (bundle: Bundle) => {
    const rows = (await rowsOf(live, bundle)).filter(({ index }) => index >= from);
    return (await threads?.read(rows)) ?? reader.readEntries(rows);
  };
  let empty = 0;
  let entries = 0;
  try {
    for await (const { parts } of inOrder(bundlesOf(from, size), read)) {
      const before = entries;
      for (const part of parts) entries += verifier.takePart(part);
      told(entries);
      empty = entries > before ? 0 : empty + 1;
      if (empty === MOST_EMPTY) break;
    }
  } finally {
    await threads?.end();
  }
  return verifier.conclude();
}

/** Beside each leaf, the link that the log publishes for it; its own where it publishes none. */
async function rowsOf(live: LiveLog, bundle: Bundle): Promise<StoredEntry[]> {
  const [leaves, hashes] = await Promise.all([live.leaves(bundle), live.tile({ level: 0, ...bundle })]);
  return leaves.map((leaf, nth) => ({
    index: bundle.index * TILE_WIDTH + nth,
    link: hashes ? toHex(hashAt(hashes, nth)) : linkOf(leaf),
    leaf,
  }));
}

async function readHashes(
  live: LiveLog,
  verifier: HashVerifier,
  from: number,
  size: number,
  told: (n: number) => void,
) {
  for await (const [bundle, hashes] of inOrder(bundlesOf(from, size), async (one) => {
    return [one, await live.tile({ level: 0, ...one })] as const;
  })) {
    if (!hashes) break;
    const first = bundle.index * TILE_WIDTH;
    for (let nth = Math.max(0, from - first); nth < bundle.width; nth++) verifier.take(hashAt(hashes, nth));
    told(first + bundle.width - from);
  }
  return verifier.conclude();
}

function hashAt(hashes: Uint8Array, nth: number): Hash {
  return hashes.subarray(nth * HASH_BYTES, (nth + 1) * HASH_BYTES) as Hash;
}

function bundleOf(index: number, size: number): Bundle {
  const { level: _, ...bundle } = tileAt(0, Math.floor(index / TILE_WIDTH), size)!;
  return bundle;
}

export function* bundlesOf(from: number, size: number): Generator<Bundle> {
  for (let at = from; at < size; at = (Math.floor(at / TILE_WIDTH) + 1) * TILE_WIDTH) yield bundleOf(at, size);
}

/** What comes of each, in order, with a few under way. */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  get: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const ahead: Promise<R>[] = [];
  for (const item of items) {
    const coming = get(item);
    coming.catch(() => {}); // it fails where it is awaited
    if (ahead.push(coming) === IN_FLIGHT) yield await ahead.shift()!;
  }
  for (const coming of ahead) yield await coming;
}

/** What the log shows, once it does not show less than it showed before and still has. */
async function shownBy(live: LiveLog, key: VerifierKey, trusted: Checkpoint | null) {
  for (let tried = 0; ; tried++) {
    const note = await live.checkpoint();
    const head = headOf(note);
    if (!head) throw new CommandFault(`${live.url.href}checkpoint: it is no checkpoint`);
    const pause = STEPS_BACK_MS[tried];
    const back = trusted !== null && head.size < trusted.size && signedBy(note, key);
    if (!back || pause === undefined || !(await stillHas(live, trusted))) return { note, head };
    await wait(pause);
  }
}

async function stillHas(live: LiveLog, { size, root }: Checkpoint): Promise<boolean> {
  try {
    return equal(await rootAt(size, tiledHashes(size, live)), root);
  } catch (error) {
    if (error instanceof CommandFault) return false;
    throw error;
  }
}

function headOf(note: string): Checkpoint | null {
  try {
    return parseCheckpoint(parseNote(note).text);
  } catch (error) {
    if (error instanceof NoteError) return null;
    throw error;
  }
}

function signedBy(note: string, key: VerifierKey): boolean {
  try {
    openCheckpoint(note, key);
    return true;
  } catch (error) {
    if (error instanceof NoteError) return false;
    throw error;
  }
}
