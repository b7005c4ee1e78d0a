/**
 * An export file is an exported log on its way to the disk. It grows under the name `FILE.partial`, so that half a file is
 * never taken for a whole one, and gets its own name when all of it is on the disk. One with leaves that stands already,
 * whole or partial, is continued: what it holds is not fetched again.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Closing, ExportError, MAX_LINE_BYTES, parseClosingLine, parseExportLine } from '../log/export-line.js';
import type { StoredEntry } from '../log/reading.js';
import { CommandFault, fileFault } from './fault.js';

/** The first and the last entry of whole lines. */
export interface Ends {
  readonly first: StoredEntry;
  readonly last: StoredEntry;
}

interface Begun {
  /** Null where no line is whole yet. */
  readonly ends: Ends | null;
  /** Up to the end of the last entry's line, in bytes. */
  readonly length: number;
  /** What stands after it, where that is the closing line and nothing else. */
  readonly closing: Closing | null;
}

const NOTHING: Begun = { ends: null, length: 0, closing: null };
const LINE_FEED = 0x0a;
/** The log is pseudonymous, and still personal data. */
const MODE = 0o600;

export class ExportFile {
  private file: FileHandle | null = null;

  private constructor(
    private readonly path: string,
    /** Where what was begun stands; null where nothing does. */
    private readonly found: string | null,
    private readonly begun: Begun,
  ) {}

  /**
   * @param continues otherwise it begins anew, and replaces a partial one only
   * @throws CommandFault for a path that holds something else than an export, or both a whole and a partial one
   */
  static async find(path: string, { continues }: { continues: boolean }): Promise<ExportFile> {
    const partial = `${path}.partial`;
    const [isWhole, isPartial] = [await isThere(path), await isThere(partial)];
    if (isWhole && isPartial) throw new CommandFault(`${path} and ${partial} both stand: remove the one not wanted`);
    if (isWhole && !continues) throw new CommandFault(`${path}: it stands already: choose another name`);
    const found = isWhole ? path : isPartial ? partial : null;
    if (!continues) return new ExportFile(path, found, NOTHING);
    return new ExportFile(path, found, found === null ? NOTHING : await attempt(found, () => lookInto(found)));
  }

  get ends(): Ends | null {
    return this.begun.ends;
  }

  /** How many entries it holds: by its closing line, or counted. */
  async count(): Promise<number> {
    const { closing, length } = this.begun;
    if (closing || length === 0) return closing?.entries ?? 0;
    let lines = 0;
    await attempt(this.found!, async () => {
      for await (const chunk of createReadStream(this.found!, { end: length - 1 })) {
        for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++;
      }
    });
    return lines;
  }

  /** Whether it was finished, and nothing is to be mended. */
  get isFinished(): boolean {
    return this.found === this.path && this.begun.closing !== null;
  }

  /** Makes it partial, and cuts off the closing line, or what was left of a line. */
  async begin(): Promise<void> {
    await attempt(this.partial, async () => {
      if (this.found === this.path) await rename(this.path, this.partial);
      this.file = await open(this.partial, this.found === null ? 'ax' : 'a', MODE);
      await this.file.truncate(this.begun.length);
    });
  }

  async write(lines: string): Promise<void> {
    await attempt(this.partial, () => this.file!.appendFile(lines));
  }

  /** Once it returns, the whole is on the disk under its own name. */
  async finish(): Promise<void> {
    await attempt(this.path, async () => {
      await this.file!.sync();
      await rename(this.partial, this.path);
      const folder = await open(dirname(this.path), 'r');
      await folder.sync().finally(() => folder.close());
    });
  }

  async close(): Promise<void> {
    await this.file?.close();
  }

  private get partial(): string {
    return `${this.path}.partial`;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isFile()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fileFault(path, error);
  }
  throw new CommandFault(`${path}: this is no file; give - for standard output`);
}

async function attempt<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof ExportError) throw notOurs(path);
    throw error instanceof CommandFault ? error : fileFault(path, error);
  }
}

function notOurs(path: string): CommandFault {
  return new CommandFault(`${path}: this is no exported log, and is left as it is: choose another name`);
}

async function lookInto(path: string): Promise<Begun> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    // Two lines at most, and the closing one: the last whole one, and what is left of another.
    const from = Math.max(0, size - 2 * (MAX_LINE_BYTES + 1) - MAX_CLOSING_BYTES);
    const end = await read(file, from, size - from);
    const whole = end.lastIndexOf(LINE_FEED) + 1;
    const head = await read(file, 0, Math.min(size, MAX_LINE_BYTES + 1));
    if (whole === 0) {
      if (!BEGINS.some((text) => head.subarray(0, text.length).equals(text.subarray(0, head.length))))
        throw notOurs(path);
      return NOTHING;
    }
    const last = lastLine(end, whole);
    const closing = whole === end.length ? parseClosingLine(last) : null;
    const length = closing ? whole - last.length - 1 : whole;
    if (from + length === 0) return { ...NOTHING, closing };
    const first = parseExportLine(head.subarray(0, head.indexOf(LINE_FEED)));
    return { ends: { first, last: parseExportLine(lastLine(end, length)) }, length: from + length, closing };
  } finally {
    await file.close();
  }
}

/** Of whole lines, without its line feed. */
function lastLine(lines: Buffer, length: number): Buffer {
  return lines.subarray(lines.subarray(0, length - 1).lastIndexOf(LINE_FEED) + 1, length - 1);
}

const MAX_CLOSING_BYTES = 100;

/** How lines of an export do. */
const BEGINS = [Buffer.from('{"index":'), Buffer.from('{"complete":')];

async function read(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
