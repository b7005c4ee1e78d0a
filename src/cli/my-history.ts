/**
 * `access-ledger my-history`: for the person whom data is about. It asks a server who accessed it, with a challenge made up
 * for this, and believes of the answer what the log proves.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { HistoryError, ProvenHistory } from '../log/proven-history.js';
import { CommandFault, fileFault } from './fault.js';
import { type Fetched, fetchHistory, type ProofFile } from './history-fetch.js';
import { addKeyOptions, type KeyOptions, meetsQuorum, type Trust, trustOf } from './key-options.js';
import { writeProofFiles } from './proof-files.js';
import { createClient, parseServerUrl } from './server-client.js';

interface Options extends KeyOptions {
  readonly url?: URL;
  readonly token?: string;
  readonly person?: string;
  readonly save?: string;
  readonly wait: number;
  readonly json?: boolean;
}

export function addMyHistory(program: Command): void {
  const command = program
    .command('my-history')
    .summary('tell who accessed your data, as far as the log proves it')
    .description(
      'For the person whom data is about. Asks a server who accessed it, with a fresh challenge, checks the proof of every line and that none is missing, ' +
        'and says what that shows and what not. Asking is an entry too, and so is each further page of 100.',
    )
    .option('--url <url>', 'of the server', parseServerUrl)
    .option(
      '--token <token>',
      'your access token (default: ACCESS_LEDGER_TOKEN, which nobody sees in a list of processes)',
    );
  addKeyOptions(command)
    .option('--person <uuid>', 'who you were in this log when you asked before', parsePerson)
    .option('--save <folder>', 'keep each proof and leaf there, for `check-proof`')
    .option('--wait <seconds>', 'how long to wait for a checkpoint, and its witnesses', parseSeconds, 10)
    .option('--json', 'print the verdict and the entries as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 proven, 1 not so, 2 inconclusive (no checkpoint yet, or too few witnesses), 3 unusable input or no answer.

Example:
  access-ledger my-history --url https://ledger.example.com --token "$TOKEN" --key "$(cat log.vkey)"`,
    )
    .action(run);
}

function parsePerson(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('It is the uuid that this command printed before.');
}

function parseSeconds(text: string): number {
  if (/^(0|[1-9][0-9]{0,2})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds, to 999.');
}

type Verdict =
  | { readonly verdict: 'proven' | 'inconclusive'; readonly history: ProvenHistory; readonly fetched: Fetched }
  | { readonly verdict: 'inconclusive'; readonly history: null }
  | { readonly verdict: 'failed'; readonly error: HistoryError };

const STATUS = { proven: 0, failed: 1, inconclusive: 2 } as const;

async function run({ url, token = process.env.ACCESS_LEDGER_TOKEN, person, save, wait, json, ...keys }: Options) {
  if (!url) throw new CommandFault('--url is missing: where is the server?');
  if (!token)
    throw new CommandFault('--token is missing: your access token, or ACCESS_LEDGER_TOKEN in the environment');
  if (!/^[\w.~+/=-]+$/.test(token)) throw new CommandFault('--token is no token');
  const trust = trustOf(keys);
  const verdict = await ask(url, token, { trust, person: person ?? null, patience: wait * 1_000 });
  if (save !== undefined && 'fetched' in verdict) await keep(save, verdict.history, verdict.fetched.files);
  process.stdout.write(json ? `${JSON.stringify(shown(verdict), null, 2)}\n` : await said(verdict, trust));
  process.exitCode = STATUS[verdict.verdict];
}

interface Asking {
  readonly trust: Trust;
  readonly person: string | null;
  /** Milliseconds. */
  readonly patience: number;
}

async function ask(url: URL, token: string, { trust, person, patience }: Asking): Promise<Verdict> {
  const { randomBytes } = await import('node:crypto');
  const { setTimeout: wait } = await import('node:timers/promises');
  const { sha256Hex } = await import('../log/hash.js');
  const challenge = randomBytes(32);
  const { key, witnesses } = trust;
  const history = new ProvenHistory({ key, witnesses, challenge: sha256Hex(challenge), person });
  const client = createClient(url, token, wait);
  const now = () => performance.now();
  try {
    const options = { client, challenge: challenge.toString('hex'), trust, patience, now, wait };
    const fetched = await fetchHistory(history, options);
    if (!fetched) return { verdict: 'inconclusive', history: null };
    const isCosigned = meetsQuorum(history.checkpoint!, trust);
    return { verdict: isCosigned ? 'proven' : 'inconclusive', history, fetched };
  } catch (error) {
    if (error instanceof HistoryError) return { verdict: 'failed', error };
    throw error;
  }
}

async function keep(folder: string, { lines }: ProvenHistory, files: readonly ProofFile[]): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const { toUtf8 } = await import('../log/bytes.js');
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileFault(folder, error);
  });
  for (const [at, { index }] of lines.entries()) {
    const { file, leaf } = files[at]!;
    await writeProofFiles(join(folder, String(index)), file, toUtf8(leaf!));
  }
}

async function said(verdict: Verdict, trust: Trust): Promise<string> {
  const { formatFailure, formatHistory } = await import('./history-text.js');
  if (verdict.verdict === 'failed') return formatFailure(verdict.error);
  if (!verdict.history) {
    return 'inconclusive: CHECKPOINT_PENDING: the server has no checkpoint yet that covers your asking. Try again, or --wait longer.\n';
  }
  const { lines, person, checkpoint } = verdict.history;
  const isCosigned = verdict.verdict === 'proven';
  const history = { lines, person: person!, checkpoint: checkpoint!, isCosigned, more: verdict.fetched.more };
  return formatHistory(history, trust);
}

function shown(verdict: Verdict): object {
  if (verdict.verdict === 'failed') {
    const { code, nth, message } = verdict.error;
    return { verdict: 'failed', code, nth, message };
  }
  if (!verdict.history) return { verdict: 'inconclusive', code: 'CHECKPOINT_PENDING' };
  const { lines, person, checkpoint } = verdict.history;
  const { origin, size, signed } = checkpoint!;
  const cosigned = signed.slice(1).map(({ key, time }) => ({ witness: key.name, time }));
  const code = verdict.verdict === 'inconclusive' ? { code: 'QUORUM_NOT_MET' } : {};
  return { verdict: verdict.verdict, ...code, person, count: lines.length, origin, size, cosigned, entries: lines };
}
