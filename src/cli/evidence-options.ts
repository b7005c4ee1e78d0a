/**
 * Evidence options are what a reviewer holds from outside the log, as the arguments and files of `verify`.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Entry } from '../log/entry.js';
import type { CheckpointEvidence, Evidence, EvidenceError } from '../log/evidence.js';
import { isLink, type LogIndex } from '../log/leaf.js';
import { CommandFault, fileFault } from './fault.js';
import { addKeyOptions, collect, type KeyOptions } from './key-options.js';

export interface EvidenceOptions extends KeyOptions {
  readonly held?: readonly Entry[];
  /** Files. */
  readonly checkpoint?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

export function addEvidenceOptions(command: Command): Command {
  command
    .option(
      '--held <entry>',
      'INDEX:LINK as extensions.ledger returned it, or the file of an answer; may be repeated',
      collectAll(parseHeld),
    )
    .option('--checkpoint <file>', 'a checkpoint that was kept elsewhere; may be repeated', collect(parseText));
  return addKeyOptions(command).option(
    '--max-age <time>',
    'how old the newest cosigned checkpoint may be, such as 90s, 15m, 24h, 7d',
    parseTime,
  );
}

/**
 * @param others whether there are checkpoints besides those of the options
 * @throws CommandFault for options that mean nothing without others, and for files that cannot be read
 */
export async function openEvidenceOptions(options: EvidenceOptions, now: Date, others = false): Promise<Evidence> {
  const { held = [], checkpoint = [], key, witness = [], quorum, maxAge } = options;
  if (checkpoint.length > 0 && !key)
    throw new CommandFault('--checkpoint needs --key: without it, anybody may have signed');
  if (witness.length === 0 && quorum !== undefined) throw new CommandFault('--quorum needs --witness');
  if (witness.length === 0 && maxAge !== undefined) {
    throw new CommandFault('--max-age needs --witness: only a cosignature says when it was made');
  }
  if (checkpoint.length === 0 && !others && (key || witness.length > 0)) {
    throw new CommandFault(`--${key ? 'key' : 'witness'} needs --checkpoint`);
  }
  if (!key) return { held };
  const notes = await Promise.all(checkpoint.map(readNote));
  const checkpoints: CheckpointEvidence = {
    key,
    notes,
    ...(witness.length > 0 && { witnesses: { keys: witness, quorum: quorum ?? witness.length } }),
    ...(maxAge !== undefined && { freshness: { maxSeconds: maxAge, now } }),
  };
  return { held, checkpoints };
}

/** Names the file that is no checkpoint of this log's. */
export function evidenceFault(error: EvidenceError, { checkpoint = [] }: EvidenceOptions): CommandFault {
  const file = error.note === null ? undefined : checkpoint[error.note];
  return new CommandFault(file ? `${file}: ${error.message}` : `the evidence asks for ${error.message}`, {
    cause: error,
  });
}

function readNote(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw fileFault(file, error);
  });
}

function collectAll<T>(parse: (text: string) => readonly T[]): (text: string, before?: readonly T[]) => T[] {
  return (text, before = []) => [...before, ...parse(text)];
}

function parseText(text: string): string {
  return text;
}

function parseHeld(text: string): readonly Entry[] {
  const entry = parseEntry(text);
  return entry ? [entry] : readAnswer(text);
}

function parseEntry(text: string): Entry | null {
  const [, digits = '', link = ''] = /^(0|[1-9][0-9]{0,15}):(.+)$/.exec(text) ?? [];
  const index = Number(digits);
  return digits && Number.isSafeInteger(index) && isLink(link) ? { index: index as LogIndex, link } : null;
}

/** The entries that an answer of the server's says it caused. */
function readAnswer(file: string): readonly Entry[] {
  const found = answersOf(file).flatMap((answer) => answer?.extensions?.ledger?.entries ?? []);
  const entries = found.map(({ index, link }) => parseEntry(`${index}:${link}`)).filter((entry) => entry !== null);
  if (entries.length > 0) return entries;
  throw new InvalidArgumentError(
    'It is an index, a colon and a link of 64 hex digits, such as 41:9c0e…, or the file of an answer that has extensions.ledger.',
  );
}

type Answer = { extensions?: { ledger?: { entries?: { index: number; link: string }[] } } } | null;

/** Nothing for what is no file, or no JSON. */
function answersOf(file: string): readonly Answer[] {
  try {
    return [JSON.parse(readFileSync(file, 'utf8'))].flat() as Answer[];
  } catch {
    return [];
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function parseTime(text: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? [];
  if (digits && unit) return Number(digits) * SECONDS[unit]!;
  throw new InvalidArgumentError('It is a number and s, m, h or d, such as 24h.');
}
