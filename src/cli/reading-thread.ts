/**
 * A reading thread answers each batch of lines with its readings: the part of verification that needs no other entry, and
 * most of its work.
 */
import { parentPort } from 'node:worker_threads';
import type { Batch } from '../log/lines.js';
import { readLines } from './lines.js';
import { type PackedReadings, packReadings } from './packed-readings.js';

export interface Answer extends PackedReadings {
  /** The batch's, handed back. */
  readonly room: Uint8Array<ArrayBuffer>;
  readonly fault: string | null;
}

parentPort?.on('message', (batch: Batch) => {
  const { readings, fault } = readLines(batch);
  const packed = packReadings(readings);
  const answer: Answer = { ...packed, room: batch.room, fault };
  parentPort?.postMessage(answer, [batch.room.buffer, packed.numbers.buffer]);
});
