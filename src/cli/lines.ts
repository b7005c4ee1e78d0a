/**
 * The readings of a batch of lines: what may be done in any thread.
 */
import { ExportError, parseExportLine } from '../log/export-line.js';
import { type Batch, linesIn } from '../log/lines.js';
import { type Reading, readEntry } from '../log/reading.js';

export interface ReadLines {
  readonly readings: readonly Reading[];
  /** Why the line after the last reading is none; null where all are. */
  readonly fault: string | null;
}

export function readLines(batch: Batch): ReadLines {
  const readings: Reading[] = [];
  try {
    for (const line of linesIn(batch)) readings.push(readEntry(parseExportLine(line)));
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    return { readings, fault: error.message };
  }
  return { readings, fault: null };
}
