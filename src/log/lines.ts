/**
 * Lines are what an exported log comes in: batches of whole ones, cut from chunks of bytes however they come.
 */
import {
  type Closing,
  checkClosing,
  ExportError,
  MAX_LINE_BYTES,
  parseClosingLine,
  parseExportLine,
} from './export-line.js';
import type { StoredEntry } from './reading.js';

/** Whole lines, in a room that can be used again. */
export interface Batch {
  readonly room: Uint8Array<ArrayBuffer>;
  /** In bytes. */
  readonly length: number;
}

export const LINE_FEED = 0x0a;

/** Every line fits, with its line feed: a full room without one holds a line that is too long. */
export const ROOM_BYTES = MAX_LINE_BYTES + 1;

/**
 * @param emptyRoom gives ROOM_BYTES that nobody uses
 * @param onClosing is told of the closing line, which is in no batch
 * @throws ExportError `TOO_LONG`, `CUT_SHORT`, after all whole lines before
 */
export async function* cutLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  emptyRoom: () => Uint8Array<ArrayBuffer>,
  onClosing: (closing: Closing) => void = () => {},
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
      const length = wholeLines(room, filled);
      // Whether the last one is the closing line shows when nothing comes after it.
      const early = length === filled ? lastLine(room, length) || length : length;
      if (early === 0) throw new ExportError('TOO_LONG', 0, `a line of more than ${MAX_LINE_BYTES} bytes`);
      const next = emptyRoom();
      next.set(room.subarray(early));
      yield { room, length: early };
      filled -= early;
      room = next;
    }
  }
  const length = wholeLines(room, filled);
  const last = lastLine(room, length);
  const closing = length === filled && length > 0 ? parseClosingLine(room.subarray(last, length - 1)) : null;
  const entries = closing ? last : length;
  if (entries > 0) yield { room, length: entries };
  if (length < filled) {
    throw new ExportError('CUT_SHORT', 0, 'the last line is cut short: the export was interrupted, so resume it');
  }
  if (closing) onClosing(closing);
}

/** How far whole lines reach. */
function wholeLines(room: Uint8Array, filled: number): number {
  return room.subarray(0, filled).lastIndexOf(LINE_FEED) + 1;
}

/** Where the last of whole lines begins. */
function lastLine(room: Uint8Array, length: number): number {
  return length === 0 ? 0 : wholeLines(room, length - 1);
}

/** The lines of a batch, without their line feeds. They live in its room. */
export function* linesIn({ room, length }: Batch): Generator<Uint8Array, void, undefined> {
  for (let from = 0, end = 0; from < length; from = end + 1) {
    end = room.indexOf(LINE_FEED, from);
    yield room.subarray(from, end);
  }
}

/**
 * The entries of an export, in one thread.
 *
 * @param onClosing is told of the closing line in the end: without one, nobody knows whether entries there were cut off
 * @throws ExportError at the first line that is none, with its number
 */
export async function* parseExportLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onClosing: (closing: Closing) => void = () => {},
): AsyncGenerator<StoredEntry, void, undefined> {
  let line = 1;
  let closing: Closing | null = null;
  const close = (told: Closing) => {
    closing = told;
  };
  try {
    for await (const batch of cutLines(chunks, () => new Uint8Array(ROOM_BYTES), close)) {
      for (const bytes of linesIn(batch)) {
        yield parseExportLine(bytes);
        line++;
      }
    }
    checkClosing(closing, line - 1);
    if (closing) onClosing(closing);
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    throw new ExportError(error.code, line, error.message);
  }
}
