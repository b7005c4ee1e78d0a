/**
 * Lines are what an exported log comes in: batches of whole ones, cut from chunks of bytes, and the readings of a batch.
 */
import { ExportError, MAX_LINE_BYTES, parseExportLine } from '../log/export-line.js';
import { type Reading, readEntry } from '../log/reading.js';
import { CommandFault } from './fault.js';

/** Whole lines, in a room that can be used again. */
export interface Batch {
  readonly room: Uint8Array<ArrayBuffer>;
  /** In bytes. */
  readonly length: number;
}

export interface ReadLines {
  readonly readings: readonly Reading[];
  /** Why the line after the last reading is none; null where all are. */
  readonly fault: string | null;
}

const LINE_FEED = 0x0a;

/** Every line fits, with its line feed: a full room without one holds a line that is too long. */
export const ROOM_BYTES = MAX_LINE_BYTES + 1;

/**
 * @param emptyRoom gives ROOM_BYTES that nobody uses
 * @throws CommandFault for a line that is too long, or whose line feed is missing at the end
 */
export async function* cutLines(
  chunks: AsyncIterable<Uint8Array>,
  emptyRoom: () => Uint8Array<ArrayBuffer>,
): AsyncGenerator<Batch, void, undefined> {
  let room = emptyRoom();
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + room.length - filled);
      room.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < room.length) continue;
      const length = room.lastIndexOf(LINE_FEED) + 1;
      if (length === 0) throw new CommandFault(`a line of more than ${MAX_LINE_BYTES} bytes: this is no exported log`);
      const next = emptyRoom();
      next.set(room.subarray(length));
      yield { room, length };
      filled -= length;
      room = next;
    }
  }
  const length = room.subarray(0, filled).lastIndexOf(LINE_FEED) + 1;
  if (length > 0) yield { room, length };
  if (length < filled) throw new CommandFault('the last line is cut short: the export was interrupted, so resume it');
}

/** The part of verification that needs no other line. */
export function readLines({ room, length }: Batch): ReadLines {
  const readings: Reading[] = [];
  for (let from = 0, end = 0; from < length; from = end + 1) {
    end = room.indexOf(LINE_FEED, from);
    try {
      readings.push(readEntry(parseExportLine(room.subarray(from, end))));
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      return { readings, fault: error.message };
    }
  }
  return { readings, fault: null };
}
