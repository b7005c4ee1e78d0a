/**
 * `access-ledger verify`: whether a log is what was written, from its export alone or from its database.
 * With a file it needs src/log and nothing else of ours: a reviewer can run it where no server ever was.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Evidence, EvidenceError } from '../log/evidence.js';
import { type Report, Verifier } from '../log/verify.js';
import { readKept, replaceKept } from './checkpoint-file.js';
import type { Named } from './database.js';
import { addEvidenceOptions, type EvidenceOptions, evidenceFault, openEvidenceOptions } from './evidence-options.js';
import { CommandFault, fileFault } from './fault.js';
import { openLiveLog, parseLogUrl, tokenOf } from './live-log.js';
import { type Progress, showProgress } from './progress.js';
import { formatReport } from './report-text.js';
import { evidenceWith, type Kept, openResumable, type ResumableEvidence, startOf, trustedHead } from './resuming.js';
import { verifyLines } from './verify-lines.js';
import { verifyLive } from './verify-live.js';

interface Options extends EvidenceOptions {
  readonly database?: Named;
  readonly token?: string;
  /** Files. */
  readonly since?: string;
  readonly save?: string;
  readonly linksOnly?: boolean;
  readonly json?: boolean;
}

const STATUS = { intact: 0, tampered: 1, inconclusive: 2 } as const;

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('tell whether a log is what was written')
    .description(
      'Verifies a log from its first entry to its last: every leaf, link and count, and the evidence that you hold from outside it. ' +
        'Without evidence nothing shows that the whole was not rewritten, and the verdict is `inconclusive`.',
    )
    .argument('[log]', 'an exported log, - for standard input; or the URL of a live one, which needs --key')
    .option(
      '--database [url]',
      'verify the database instead, its columns too (default: DATABASE_URL, or the one in DATA_DIR)',
    );
  addEvidenceOptions(command)
    .option(
      '--token <token>',
      "a security reviewer's, to read the leaves of a live log (default: ACCESS_LEDGER_TOKEN). Without it only hashes are checked",
    )
    .option(
      '--since <file>',
      'a checkpoint kept from an earlier verdict: of a live log or a database, read only what is new',
    )
    .option('--save <file>', 'keep the newest checkpoint there if the log is intact up to it, for --since')
    .option(
      '--links-only',
      'of a file, check that each entry is as it was written, and follows the one before; not what entries say of each other',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 intact, 1 tampered, 2 inconclusive, 3 unusable input or arguments.

Example:
  access-ledger verify log.ndjson --held 41:9c0e52…  (index and link of an entry that you were shown)
  access-ledger verify log.ndjson --checkpoint kept.txt --key "$(cat log.vkey)"
  access-ledger verify https://ledger.example.com --key "$(cat log.vkey)" --since kept.txt --save kept.txt`,
    )
    .action(run);
}

/** A report, and the checkpoint by which the log may be trusted up to its size another day. */
interface Verified {
  readonly report: Report;
  readonly note: string | null;
}

async function run(log: string | undefined, options: Options): Promise<void> {
  const { database, json, save } = options;
  if (log !== undefined && database !== undefined) throw new CommandFault('give a file or --database, not both');
  if (log === undefined && database === undefined) {
    throw new CommandFault('what is to be verified? Give the file of an exported log, or --database');
  }
  const progress = showProgress(process.stderr, () => performance.now());
  let verified: Verified;
  try {
    verified = await verifyAny(log, options, progress);
  } catch (error) {
    throw error instanceof EvidenceError ? evidenceFault(error, options) : error;
  } finally {
    progress.end();
  }
  const { report, note } = verified;
  if (save !== undefined) await keep(save, report, note);
  const coloured = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, coloured));
  process.exitCode = STATUS[report.verdict];
}

async function verifyAny(log: string | undefined, options: Options, progress: Progress): Promise<Verified> {
  const url = log === undefined ? null : parseLogUrl(log);
  if (url) {
    if (options.linksOnly)
      throw new CommandFault('--links-only is for a file: of a URL give no --token, and only hashes are checked');
    const evidence = await openLiveEvidence(options);
    const live = openLiveLog(url, tokenOf(options.token));
    return verifyLive(live, evidence, (entries, share) => progress.at(entries, share));
  }
  if (options.token !== undefined) throw new CommandFault('--token is for the URL of a live log');
  const resumable = (options.since ?? options.save) !== undefined;
  if (log === undefined) {
    if (options.linksOnly) throw new CommandFault('--links-only is for a file');
    return resumable
      ? resumeDatabase(options.database, await openLiveEvidence(options), progress)
      : verifyDatabase(options.database, await openEvidenceOptions(options, new Date()), progress);
  }
  if (resumable) throw new CommandFault('--since and --save are for a URL or --database: a file is read whole');
  const evidence = await openEvidenceOptions(options, new Date());
  const verifier = new Verifier(evidence, { linksOnly: options.linksOnly ?? false });
  return { report: await verifyFile(log, verifier, progress), note: null };
}

async function openLiveEvidence(options: Options): Promise<ResumableEvidence> {
  const { since } = options;
  return openResumable(options, new Date(), since === undefined ? null : await trusted(since));
}

async function trusted(file: string): Promise<Kept> {
  const note = await readKept(file);
  if (note !== null) return { note, file };
  throw new CommandFault(`${file}: there is no such file; --save makes one`);
}

/** Only what was found good: what is kept will not be read again. */
async function keep(path: string, report: Report, note: string | null): Promise<void> {
  if (report.verdict === 'intact' && note !== null) await replaceKept(path, note);
  else process.stderr.write(`${path}: left as it was\n`);
}

const CHUNK_BYTES = 1 << 19;
const OPEN_ENDED = 'no closing line, so nobody knows whether entries at the end were cut off';

/** All in one buffer, which is filled again: a stream leaves one for each chunk to the garbage, outside the heap. */
async function* chunksOf(file: FileHandle, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) return;
    onRead(bytesRead);
    yield buffer.subarray(0, bytesRead);
  }
}

async function verifyFile(file: string, verifier: Verifier, progress: Progress): Promise<Report> {
  let isClosed = false;
  const read = async (chunks: AsyncIterable<Uint8Array>, share: () => number | null) => {
    const told = (entries: number) => progress.at(entries, share());
    const report = await verifyLines(chunks, verifier, told, () => {
      isClosed = true;
    });
    if (!isClosed) process.stderr.write(`${file}: ${OPEN_ENDED}\n`);
    return report;
  };
  try {
    if (file === '-') return await read(process.stdin, () => null);
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      let bytesRead = 0;
      const chunks = chunksOf(handle, (bytes) => {
        bytesRead += bytes;
      });
      return await read(chunks, () => bytesRead / size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CommandFault) throw new CommandFault(`${file}: ${error.message}`);
    throw fileFault(file, error);
  }
}

async function verifyDatabase(named: Named, evidence: Evidence, progress: Progress): Promise<Verified> {
  const { withLog } = await import('./database.js');
  const { FIRST_LOG } = await import('../database/name.js');
  const { verifyRows } = await import('../ledger/verify-rows.js');
  const onEntries = shown(progress);
  return withLog(named, process.env, async (client) => {
    return { report: await verifyRows(client, FIRST_LOG, evidence, { onEntries }), note: null };
  });
}

/** From where the trusted checkpoint ends, with the newest of the database's own as evidence. */
async function resumeDatabase(named: Named, given: ResumableEvidence, progress: Progress): Promise<Verified> {
  const { withLog } = await import('./database.js');
  const { Frontier } = await import('../log/tree.js');
  const { FIRST_LOG } = await import('../database/name.js');
  const { logSize } = await import('../ledger/log-rows.js');
  const { formatNoteOf } = await import('../ledger/prover.js');
  const { NotThere, treeReader } = await import('../ledger/tree-reader.js');
  const { verifyRows } = await import('../ledger/verify-rows.js');
  const trusted = trustedHead(given);
  const onEntries = shown(progress);
  return withLog(named, process.env, async (client) => {
    const tree = treeReader(client, FIRST_LOG);
    const newest = await tree.newestSigned();
    const note = newest && formatNoteOf(newest);
    const evidence = evidenceWith(note === null ? null : { note, file: 'the newest checkpoint' }, given);
    const size = await logSize(client, FIRST_LOG);
    const start = await startOf(trusted, size, tree).catch((error: unknown) => {
      // Where hashes from before are gone, the whole is read, to find what else is.
      if (error instanceof NotThere) return new Frontier();
      throw error;
    });
    return { report: await verifyRows(client, FIRST_LOG, evidence, { start, onEntries }), note };
  });
}

function shown(progress: Progress): (entries: number, of: number) => void {
  return (entries, of) => progress.at(entries, entries / of);
}
