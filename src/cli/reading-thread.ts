/**
 * A reading thread answers each batch of lines with its runs: the part of verification that needs no other entry, and most
 * of its work.
 */
import { parentPort } from 'node:worker_threads';
import type { Batch } from '../log/lines.js';
import { buffersOf, isRun } from '../log/run.js';
import { type ReadLines, RunReader } from '../log/run-reader.js';

export interface Answer extends ReadLines {
  /** The batch's, handed back. */
  readonly room: Uint8Array<ArrayBuffer>;
}

const reader = new RunReader();

parentPort?.on('message', (batch: Batch) => {
  const answer: Answer = { ...reader.read(batch), room: batch.room };
  parentPort?.postMessage(answer, [batch.room.buffer, ...answer.parts.filter(isRun).flatMap(buffersOf)]);
});
