/**
 * Verifies a log from the lines of its export, on all cores: threads read entries; this one follows the chain, and reads
 * a batch itself whenever they are all busy. Memory is a few rooms of lines, and what verification itself keeps.
 */
import { availableParallelism } from 'node:os';
import { type Closing, checkClosing, ExportError } from '../log/export-line.js';
import { type Batch, cutLines, ROOM_BYTES } from '../log/lines.js';
import { RunReader } from '../log/run-reader.js';
import type { Report, Verifier } from '../log/verify.js';
import { CommandFault } from './fault.js';
import { asBuffer } from './line-room.js';
import type { Answer } from './reading-thread.js';
import { ReadingThreads } from './reading-threads.js';

/** As many batches as may be read before the chain has come to them. */
const MOST_AHEAD = 12;

/**
 * @param onEntries is told how many were verified so far
 * @param onClosing is told of the closing line, which an export has that is whole
 * @throws CommandFault for what is no exported log
 */
export async function verifyLines(
  chunks: AsyncIterable<Uint8Array>,
  verifier: Verifier,
  onEntries: (entries: number) => void,
  onClosing: (closing: Closing) => void = () => {},
): Promise<Report> {
  const rooms: Batch['room'][] = [];
  let entries = 0;
  const reader = new RunReader();
  const take = ({ parts, fault, room }: Answer) => {
    for (const part of parts) entries += verifier.takePart(part);
    if (fault) throw new CommandFault(`line ${entries + 1}: ${fault}`);
    if (room) rooms.push(room);
    onEntries(entries);
  };

  let threads: ReadingThreads | null = null;
  const ahead: (Answer | Promise<Answer>)[] = [];
  try {
    let closing: Closing | null = null;
    const close = (told: Closing) => {
      closing = told;
      onClosing(told);
    };
    for await (const batch of cutLines(chunks, () => rooms.pop() ?? new Uint8Array(ROOM_BYTES), close)) {
      const reading = threads?.read(batch) ?? { ...reader.readLines(asBuffer(batch)), room: batch.room };
      if (reading instanceof Promise) reading.catch(() => {}); // it fails where it is awaited
      ahead.push(reading);
      // Where there is one batch there may be many, and it takes threads a while to start.
      threads ??= batch.length > ROOM_BYTES / 2 ? new ReadingThreads(availableParallelism()) : null;
      if (ahead.length === MOST_AHEAD) take(await ahead.shift()!);
      while (ahead.length > 0 && !(ahead[0] instanceof Promise)) take(ahead.shift() as Answer);
    }
    for (const reading of ahead) take(await reading);
    checkClosing(closing, entries);
    return verifier.conclude();
  } catch (error) {
    throw error instanceof ExportError ? new CommandFault(error.message, { cause: error }) : error;
  } finally {
    await threads?.end();
  }
}
