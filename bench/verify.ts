/**
 * `npm run bench -- verify [ENTRIES]`: the command, built as it is shipped, verifies an exported log, 1,000,000 entries unless
 * told otherwise, beside a bare SHA-256 of the same leaves in one thread.
 */
import { execFile, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Chain } from '../src/log/chain.js';
import { formatBody } from '../src/log/entry.js';
import { formatClosingLine, formatExportLine } from '../src/log/export-line.js';
import { parseExportLines } from '../src/log/lines.js';
import { median, table } from './support/table.js';
import { Traffic } from './support/traffic.js';

const ROUNDS = 3;

export async function verify(entries = '1000000'): Promise<void> {
  const count = Number(entries);
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError('how many entries?');
  await promisify(execFile)('npm', ['run', '-s', 'build']);
  const folder = await mkdtemp(join(tmpdir(), 'access-ledger-bench-'));
  try {
    const file = join(folder, 'log.ndjson');
    const held = await writeLog(file, count);
    const whole: Run[] = [];
    const links: Run[] = [];
    const bare: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      whole.push(await verifyOnce(file, held));
      links.push(await verifyOnce(file, held, '--links-only'));
      bare.push(await hashOnce(file));
    }
    const hashing = median(bare);
    const row = (name: string, runs: readonly Run[]) => {
      const seconds = median(runs.map((run) => run.seconds));
      return [name, count / seconds, seconds, hashing / seconds, median(runs.map((run) => run.peakMb))];
    };
    const rows = [
      row('access-ledger verify', whole),
      row('with --links-only', links),
      ['SHA-256 alone', count / hashing, hashing, 1, '-'],
    ];
    const head = [`${count.toLocaleString('en')} entries`, 'entries/s', 'seconds', 'of SHA-256', 'peak RSS, MB'];
    process.stdout.write(`${table(head, rows)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const FLUSH_CHARS = 1 << 20;

/** @returns the last entry, as `--held` takes it */
async function writeLog(path: string, count: number): Promise<string> {
  const file = await open(path, 'wx');
  try {
    const traffic = new Traffic();
    const chain = new Chain();
    const at = new Date();
    let lines = '';
    let held = '';
    for (let i = 0; i < count; i++) {
      const body = traffic.body(at);
      const entry = chain.append(formatBody(body), body.subject ?? null);
      lines += formatExportLine(entry);
      held = `${entry.index}:${entry.link}`;
      if (lines.length < FLUSH_CHARS) continue;
      await file.appendFile(lines);
      lines = '';
    }
    await file.appendFile(lines + formatClosingLine({ entries: count, last: count - 1 }));
    return held;
  } finally {
    await file.close();
  }
}

interface Run {
  readonly seconds: number;
  readonly peakMb: number;
}

async function verifyOnce(file: string, held: string, ...options: string[]): Promise<Run> {
  const began = performance.now();
  const program = ['--import', './bench/support/peak.mjs', 'dist/src/cli/access-ledger.js'];
  const command = [...program, 'verify', file, '--held', held, ...options];
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let told = '';
  child.stdio[3]!.on('data', (text: Buffer) => {
    told += text;
  });
  const [status] = await once(child, 'close');
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`verify ended with status ${status}`);
  return { seconds, peakMb: Number(told) / 1e6 };
}

/** @returns seconds, those of reading the file not counted */
async function hashOnce(file: string): Promise<number> {
  let ms = 0;
  let leaves: Uint8Array[] = [];
  const hashAll = () => {
    const began = performance.now();
    for (const leaf of leaves) hash('sha256', leaf, 'hex');
    ms += performance.now() - began;
    leaves = [];
  };
  for await (const { leaf } of parseExportLines(createReadStream(file))) {
    if (leaves.push(leaf) === 1_000) hashAll();
  }
  hashAll();
  return ms / 1000;
}
