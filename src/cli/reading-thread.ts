/**
 * A reading thread answers each batch of entries with its runs: the part of verification that needs no other entry, and most
 * of its work.
 */
import { parentPort } from 'node:worker_threads';
import type { Batch } from '../log/lines.js';
import type { StoredEntry } from '../log/reading.js';
import { buffersOf, isRun } from '../log/run.js';
import { type ReadParts, RunReader } from '../log/run-reader.js';
import { asBuffer } from './line-room.js';

/** Lines, or entries that were fetched. */
export type Unread = Batch | readonly StoredEntry[];

const reader = new RunReader();

parentPort?.on('message', (unread: Unread) => {
  const read: ReadParts = isBatch(unread) ? reader.readLines(asBuffer(unread)) : reader.readEntries(unread);
  const rooms = isBatch(unread) ? [unread.room.buffer] : [];
  const answer: Answer = { ...read, room: isBatch(unread) ? unread.room : null };
  parentPort?.postMessage(answer, [...rooms, ...answer.parts.filter(isRun).flatMap(buffersOf)]);
});

export interface Answer extends ReadParts {
  /** Of a batch of lines, handed back. */
  readonly room: Uint8Array<ArrayBuffer> | null;
}

function isBatch(unread: Unread): unread is Batch {
  return 'room' in unread;
}
