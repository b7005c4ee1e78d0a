/**
 * `access-ledger export`: streams the log to a file, one line an entry, which anybody can verify without the database.
 */
import { once } from 'node:events';
import { type Command, InvalidArgumentError } from 'commander';
import type pg from 'pg';
import type { StoredEntry } from '../log/reading.js';
import type { Named } from './database.js';
import { CommandFault } from './fault.js';
import { formatCount, type Progress, showProgress } from './progress.js';

interface Options {
  readonly database?: Named;
  readonly from: number;
  readonly to?: number;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('write the log to a file')
    .description(
      'Writes the log to a file, one JSON line an entry, as it stands when the command begins. ' +
        'An export that was interrupted leaves FILE.partial; the same command continues it, as it adds to FILE what is new.',
    )
    .argument('[file]', 'where to, - for standard output', '-')
    .option('--database [url]', 'which database (default: DATABASE_URL, or the one that runs in DATA_DIR)')
    .option('--from <index>', 'the first entry; a log can be verified from 0 only', parseIndex, 0)
    .option('--to <index>', 'the last entry (default: the newest)', parseIndex)
    .addHelpText(
      'after',
      `
It reads with the role access_ledger_reviewer, which cannot append: unlike an export through the server, this one leaves
no entry in the log, and whoever has a login with that role can read the log without leaving one.

Example:
  access-ledger export log.ndjson && access-ledger verify log.ndjson --held 41:9c0e52…`,
    )
    .action(run);
}

function parseIndex(text: string): number {
  const index = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(index)) return index;
  throw new InvalidArgumentError('It is the index of an entry, from 0.');
}

async function run(path: string, { database, from, to }: Options): Promise<void> {
  if (to !== undefined && to < from) throw new CommandFault('--to is before --from');
  const { withLog } = await import('./database.js');
  const { logSize } = await import('../ledger/log-rows.js');
  const { FIRST_LOG } = await import('../database/migrating.js');
  const progress = showProgress(process.stderr, () => performance.now());
  await withLog(database, process.env, async (client) => {
    const size = await logSize(client, FIRST_LOG);
    const last = Math.min(to ?? size - 1, size - 1);
    try {
      if (path === '-') await toStream(process.stdout, client, { from, last }, progress);
      else say(await toFile(path, client, { from, last }, progress));
    } finally {
      progress.end();
    }
  });
}

/** `last` is before `from` where there is nothing to export. */
interface Part {
  readonly from: number;
  readonly last: number;
}

async function toStream(out: NodeJS.WriteStream, client: pg.ClientBase, part: Part, progress: Progress): Promise<void> {
  for await (const lines of linesOf(client, part, progress)) {
    if (out.destroyed) throw new CommandFault('whoever read this has stopped reading');
    if (!out.write(lines)) await Promise.race([once(out, 'drain'), once(out, 'close')]);
  }
}

/** @returns what became of it, in words */
async function toFile(path: string, client: pg.ClientBase, part: Part, progress: Progress): Promise<string> {
  const { ExportFile } = await import('./export-file.js');
  const file = await ExportFile.find(path);
  if (file.ends) await checkContinues(path, file.ends, client, part);
  const from = file.ends ? file.ends.last.index + 1 : part.from;
  const added = Math.max(0, part.last + 1 - from);
  if (file.isFinished && added === 0) return `${path}: nothing is new after entry ${from - 1}`;
  try {
    await file.begin();
    for await (const lines of linesOf(client, { from, last: part.last }, progress)) await file.write(lines);
    await file.finish();
  } finally {
    await file.close();
  }
  return `${path}: ${formatCount(added)} entries${file.ends ? ` added after entry ${from - 1}` : ''}`;
}

/** What is in the file must be the beginning of what is asked for, and the database must still have it. */
async function checkContinues(
  path: string,
  { first, last }: { first: StoredEntry; last: StoredEntry },
  client: pg.ClientBase,
  part: Part,
): Promise<void> {
  if (first.index !== part.from) {
    throw new CommandFault(`${path}: it begins with entry ${first.index}, not ${part.from}: choose another name`);
  }
  const { linkAt } = await import('../ledger/log-rows.js');
  const { FIRST_LOG } = await import('../database/migrating.js');
  const link = await linkAt(client, FIRST_LOG, last.index);
  if (link !== last.link) {
    const found = link === null ? 'no such entry' : 'another link';
    throw new CommandFault(
      `${path}: it ends with entry ${last.index}, for which the database has ${found}: verify both, one of them was changed`,
    );
  }
  if (last.index > part.last) throw new CommandFault(`${path}: it goes on to entry ${last.index}: choose another name`);
}

async function* linesOf(client: pg.ClientBase, { from, last }: Part, progress: Progress): AsyncGenerator<string> {
  if (last < from) return;
  const { ExportError, formatExportLine } = await import('../log/export-line.js');
  const line = (entry: StoredEntry) => {
    try {
      return formatExportLine(entry);
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      throw new CommandFault(`entry ${entry.index} cannot be exported: ${error.message}`);
    }
  };
  const { logPages } = await import('../ledger/log-rows.js');
  const { FIRST_LOG } = await import('../database/migrating.js');
  let entries = 0;
  for await (const page of logPages(client, FIRST_LOG, { from, to: last }, { projected: false })) {
    yield page.map(line).join('');
    entries += page.length;
    progress.at(entries, entries / (last + 1 - from));
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
