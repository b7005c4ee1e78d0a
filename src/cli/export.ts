/**
 * `access-ledger export`: streams the log to a file, one line an entry. With its leaves anybody can verify it without the
 * database; in other formats, other tools can read it.
 */
import { once } from 'node:events';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Closing } from '../log/export-line.js';
import type { VerifierKey } from '../log/note-key.js';
import type { StoredEntry } from '../log/reading.js';
import type { Named } from './database.js';
import type { ExportSource } from './export-source.js';
import { CommandFault } from './fault.js';
import { FORMATS, type FormatName } from './formats/formats.js';
import { parseKey } from './key-options.js';
import { parseLogUrl } from './live-log.js';
import { formatCount, type Progress, showProgress } from './progress.js';

interface Options {
  readonly database?: Named;
  readonly url?: URL;
  readonly token?: string;
  readonly key?: VerifierKey;
  readonly format: 'ndjson' | FormatName;
  readonly from: number;
  readonly to?: number;
}

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('write the log to a file')
    .description(
      'Writes the log to a file, one JSON line an entry, as it stands when the command begins, and a last line that says up to where it is complete. ' +
        'An export that was interrupted leaves FILE.partial; the same command continues it, as it adds to FILE what is new. Other formats are for other tools, begin anew, and cannot be verified.',
    )
    .argument('[file]', 'where to, - for standard output', '-')
    .addOption(
      new Option('--format <format>', 'ndjson, with the leaves; csv; ocsf (1.8.0); fhir (R4 AuditEvent)')
        .choices(['ndjson', ...Object.keys(FORMATS)])
        .default('ndjson'),
    )
    .option('--database [url]', 'which database (default: DATABASE_URL, or the one that runs in DATA_DIR)')
    .option('--url <url>', 'from a server instead, up to its newest checkpoint, checking every link', parseUrl)
    .option('--token <token>', "for --url: a security reviewer's (default: ACCESS_LEDGER_TOKEN)")
    .option(
      '--key <vkey>',
      "for --url: the log's verifier key, from elsewhere than the log",
      parseKey('ed25519', 'a log'),
    )
    .option('--from <index>', 'the first entry; a log can be verified from 0 only', parseIndex, 0)
    .option('--to <index>', 'the last entry (default: the newest)', parseIndex)
    .addHelpText(
      'after',
      `
An export through a server is one entry in the log, the reading session of an hour. One from the database leaves none: it
reads with the role access_ledger_reviewer, which cannot append, and so can whoever has a login with that role.

The last record of each format says up to where it is complete: {"complete":…} in ndjson, a row of the event export.complete
in csv, an event of the export itself in ocsf and fhir. Without it, the file was cut.

Example:
  access-ledger export log.ndjson && access-ledger verify log.ndjson --held 41:9c0e52…
  access-ledger export --url https://ledger.example.com --key "$(cat log.vkey)" --format ocsf events.json`,
    )
    .action(run);
}

function parseIndex(text: string): number {
  const index = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(index)) return index;
  throw new InvalidArgumentError('It is the index of an entry, from 0.');
}

function parseUrl(text: string): URL {
  const url = parseLogUrl(text);
  if (url) return url;
  throw new InvalidArgumentError('It is the http or https URL of a log, such as https://ledger.example.com.');
}

async function run(path: string, options: Options): Promise<void> {
  const { database, url, token, key, format, from, to } = options;
  if (to !== undefined && to < from) throw new CommandFault('--to is before --from');
  if (url && database !== undefined) throw new CommandFault('give --url or --database, not both');
  if (!url && (token ?? key) !== undefined) throw new CommandFault(`--${key ? 'key' : 'token'} is for --url`);
  const progress = showProgress(process.stderr, () => performance.now());
  const use = async (source: ExportSource) => {
    const written = await writerOf(format, source.origin);
    const part = { from, last: Math.min(to ?? source.size - 1, source.size - 1) };
    const exporting = { source, part, written, progress };
    try {
      const continues = format === 'ndjson';
      const says = path === '-' ? await toStream(process.stdout, exporting) : await toFile(path, exporting, continues);
      progress.end();
      for (const line of [says, ...written.warnings()]) say(line);
    } finally {
      progress.end();
    }
  };
  const { fromDatabase } = await import('./export-source.js');
  await (url ? use(await openServer(url, options)) : fromDatabase(database, use));
}

async function openServer(url: URL, { token, key }: Options): Promise<ExportSource> {
  const { openLiveLog, tokenOf } = await import('./live-log.js');
  const { fromServer } = await import('./export-live.js');
  return fromServer(openLiveLog(url, tokenOf(token)), key ?? null);
}

/** Entries as they are written. */
interface Written {
  readonly head: string;
  entry(entry: StoredEntry): string;
  closing(closing: Closing): string;
  /** What people should know of what was written. */
  warnings(): readonly string[];
}

async function writerOf(format: Options['format'], origin: string): Promise<Written> {
  const { ExportError, formatClosingLine, formatExportLine } = await import('../log/export-line.js');
  if (format === 'ndjson') {
    const entry = (stored: StoredEntry) => {
      try {
        return formatExportLine(stored);
      } catch (error) {
        if (!(error instanceof ExportError)) throw error;
        throw new CommandFault(`entry ${stored.index} cannot be exported: ${error.message}`);
      }
    };
    return { head: '', entry, closing: formatClosingLine, warnings: () => [] };
  }
  const { saidBy } = await import('./formats/said.js');
  const { head, record, closing } = (await FORMATS[format]())(origin);
  let unreadable = 0;
  return {
    head,
    entry: (stored) => {
      const said = saidBy(stored);
      if (!said.body) unreadable++;
      return record(said);
    },
    closing: (told) => closing(told, new Date()),
    warnings: () =>
      unreadable > 0 ? [`edited so that they cannot be read: ${formatCount(unreadable)}; verify the log`] : [],
  };
}

/** `last` is before `from` where there is nothing to export. */
interface Part {
  readonly from: number;
  readonly last: number;
}

interface Exporting {
  readonly source: ExportSource;
  readonly part: Part;
  readonly written: Written;
  readonly progress: Progress;
}

/** @returns what became of it, in words */
async function toStream(out: NodeJS.WriteStream, exporting: Exporting): Promise<string> {
  for await (const text of textOf(exporting)) {
    if (out.destroyed) throw new CommandFault('whoever read this has stopped reading');
    if (out.write(text)) continue;
    const going = new AbortController();
    const { signal } = going;
    await Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]).finally(() => going.abort());
  }
  const { from, last } = exporting.part;
  return `${formatCount(Math.max(0, last + 1 - from))} entries${completed(exporting)}`;
}

/** @returns what became of it, in words */
async function toFile(path: string, exporting: Exporting, continues: boolean): Promise<string> {
  const { ExportFile } = await import('./export-file.js');
  const { source, part } = exporting;
  const file = await ExportFile.find(path, { continues });
  if (file.ends) await checkContinues(path, file.ends, source, part);
  const from = file.ends ? file.ends.last.index + 1 : part.from;
  const added = Math.max(0, part.last + 1 - from);
  if (file.isFinished && added === 0) return `${path}: nothing is new after entry ${from - 1}`;
  try {
    const before = await file.count();
    await file.begin();
    const rest = { ...exporting, part: { from, last: part.last } };
    try {
      for await (const text of textOf(rest, before)) await file.write(text);
    } catch (error) {
      if (!(error instanceof CommandFault && continues)) throw error;
      throw new CommandFault(`${error.message}; ${path}.partial has what came before: the same command continues it`);
    }
    await file.finish();
  } finally {
    await file.close();
  }
  const more = file.ends ? ` added after entry ${from - 1}` : '';
  return `${path}: ${formatCount(added)} entries${more}${completed(exporting)}`;
}

function completed({ part: { last }, source: { checked } }: Exporting): string {
  return `, complete${last < 0 ? '' : ` up to entry ${last}`}${checked === null ? '' : `; checked ${checked}`}`;
}

/** What is in the file must be the beginning of what is asked for, and the log must still have it. */
async function checkContinues(
  path: string,
  { first, last }: { first: StoredEntry; last: StoredEntry },
  source: ExportSource,
  part: Part,
): Promise<void> {
  if (first.index !== part.from) {
    throw new CommandFault(`${path}: it begins with entry ${first.index}, not ${part.from}: choose another name`);
  }
  const link = await source.linkAt(last.index);
  if (link !== last.link) {
    const found = link === null ? 'no such entry' : 'another link';
    throw new CommandFault(
      `${path}: it ends with entry ${last.index}, for which the log has ${found}: verify both, one of them was changed`,
    );
  }
  if (last.index > part.last) throw new CommandFault(`${path}: it goes on to entry ${last.index}: choose another name`);
}

/** @param before how many entries stand before these already */
async function* textOf(
  { source, part: { from, last }, written, progress }: Exporting,
  before = 0,
): AsyncGenerator<string> {
  if (written.head !== '') yield written.head;
  let entries = 0;
  if (from <= last) {
    for await (const page of source.pages(from, last)) {
      yield page.map((entry) => written.entry(entry)).join('');
      entries += page.length;
      progress.at(entries, entries / (last + 1 - from));
    }
  }
  yield written.closing({ entries: before + entries, last: last < 0 ? null : last });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
