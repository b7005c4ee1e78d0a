/**
 * `access-ledger verify`: whether a log is what was written, from its export alone or from its database.
 * With a file it needs src/log and nothing else of ours: a reviewer can run it where no server ever was.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Evidence, EvidenceError } from '../log/evidence.js';
import type { Report } from '../log/verify.js';
import type { Named } from './database.js';
import { addEvidenceOptions, type EvidenceOptions, evidenceFault, openEvidenceOptions } from './evidence-options.js';
import { CommandFault, fileFault } from './fault.js';
import { type Progress, showProgress } from './progress.js';
import { formatReport } from './report-text.js';
import { verifyLines } from './verify-lines.js';

interface Options extends EvidenceOptions {
  readonly database?: Named;
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
    .argument('[file]', 'an exported log, - for standard input')
    .option(
      '--database [url]',
      'verify the database instead, its columns too (default: DATABASE_URL, or the one in DATA_DIR)',
    );
  addEvidenceOptions(command)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 intact, 1 tampered, 2 inconclusive, 3 unusable input or arguments.

Example:
  access-ledger verify log.ndjson --held 41:9c0e52…  (index and link of an entry that you were shown)
  access-ledger verify log.ndjson --checkpoint kept.txt --key "$(cat log.vkey)"`,
    )
    .action(run);
}

async function run(file: string | undefined, options: Options): Promise<void> {
  if (file !== undefined && options.database !== undefined)
    throw new CommandFault('give a file or --database, not both');
  if (file === undefined && options.database === undefined) {
    throw new CommandFault('what is to be verified? Give the file of an exported log, or --database');
  }
  const evidence = await openEvidenceOptions(options, new Date());
  const progress = showProgress(process.stderr, () => performance.now());
  let report: Report;
  try {
    report = await (file === undefined
      ? verifyDatabase(options.database, evidence, progress)
      : verifyFile(file, evidence, progress));
  } catch (error) {
    throw error instanceof EvidenceError ? evidenceFault(error, options) : error;
  } finally {
    progress.end();
  }
  const coloured = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, coloured));
  process.exitCode = STATUS[report.verdict];
}

const CHUNK_BYTES = 1 << 19;

async function verifyFile(file: string, evidence: Evidence, progress: Progress): Promise<Report> {
  try {
    if (file === '-') return await verifyLines(process.stdin, evidence, (entries) => progress.at(entries, null));
    const { size } = await stat(file);
    const stream = createReadStream(file, { highWaterMark: CHUNK_BYTES });
    return await verifyLines(stream, evidence, (entries) => progress.at(entries, stream.bytesRead / size));
  } catch (error) {
    if (error instanceof CommandFault) throw new CommandFault(`${file}: ${error.message}`);
    throw fileFault(file, error);
  }
}

async function verifyDatabase(named: Named, evidence: Evidence, progress: Progress): Promise<Report> {
  const { withLog } = await import('./database.js');
  const { logPages, logSize } = await import('./log-rows.js');
  const { Verifier } = await import('../log/verify.js');
  const { readEntry } = await import('../log/reading.js');
  const verifier = new Verifier(evidence);
  return withLog(named, process.env, async (client) => {
    const size = await logSize(client);
    let entries = 0;
    for await (const page of logPages(client, { from: 0, to: null }, { projected: true })) {
      for (const entry of page) verifier.take(readEntry(entry));
      entries += page.length;
      progress.at(entries, entries / size);
    }
    return verifier.conclude();
  });
}
