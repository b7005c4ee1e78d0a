/**
 * `access-ledger witness`: cosigns the checkpoints of logs, of any log by the C2SP specifications, for whoever should not
 * have to believe the log's operator alone. A process of its own, with its own key and its own state.
 */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { SigningKey, VerifierKey } from '../log/note-key.js';
import { CommandFault, UNUSABLE } from './fault.js';
import { orFault } from './keys.js';

interface Options {
  readonly key?: string;
  readonly state?: string;
  readonly log?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly new?: boolean;
}

export function addWitness(program: Command): void {
  const witness = program
    .command('witness')
    .summary("cosign logs' checkpoints")
    .description(
      'Runs a witness: it cosigns checkpoints of the logs named, each only if it continues the one before. ' +
        'It answers at /add-checkpoint (C2SP tlog-witness).',
    )
    .option('--key <file>', "the witness's key, made by `access-ledger witness keys`")
    .option('--state <file>', 'the file where it keeps what it cosigned last')
    .option('--log <vkey...>', 'the verifier key of a log to witness; may be repeated')
    .option('--host <address>', 'the address to listen on', 'localhost')
    .option('--port <number>', 'the TCP port to listen on; 0: any that is free', parsePort, 4001)
    .option('--new', 'make the state: for a key that has never cosigned anything')
    .addHelpText(
      'after',
      `
A witness that lost its state, or has an old copy back, could cosign a second history. So it does not start without a
state unless --new says that there was none, nor on one that was damaged; an old copy it cannot tell: make a new key.

Example:
  access-ledger witness keys witness.key --name witness.example.org/w1
  access-ledger witness --key witness.key --state witness.json --new --log "$(cat log.vkey)"`,
    )
    .action(run);
  witness
    .command('keys')
    .summary("make a witness's key")
    .description(
      "Makes a witness's key pair, in a file that only its owner can read (mode 600), and prints its public half. No file that exists is replaced.",
    )
    .argument('[file]', 'where to', 'witness.key')
    .requiredOption('--name <name>', "the witness's name in its cosignatures, such as witness.example.org/w1")
    .addHelpText('after', '\nExample:\n  access-ledger witness keys witness.key --name witness.example.org/w1')
    .action(makeKey);
}

function parsePort(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 0 to 65535.');
}

async function makeKey(file: string, { name }: { name: string }): Promise<void> {
  const { origin: parseName, SettingFault } = await import('../server/setting.js');
  const { formatSigningKey, formatVerifierKey, signingKey } = await import('../log/note-key.js');
  const { SEED_BYTES } = await import('../log/signature.js');
  const { randomBytes } = await import('node:crypto');
  const { makeSecretFile } = await import('../vault/secret-file.js');
  try {
    parseName(name);
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    throw new CommandFault('--name is a host and a path without scheme, space or plus, such as witness.example.org/w1');
  }
  const key = signingKey(name, randomBytes(SEED_BYTES), 'cosignature');
  await orFault(() => makeSecretFile(file, `${formatSigningKey(key)}\n`));
  process.stdout.write(`Witness key: ${resolve(file)}\nVerifier key: ${formatVerifierKey(key)}\n`);
}

async function run({ key: keyFile, state, log, host, port, new: fresh = false }: Options): Promise<void> {
  if (!keyFile) throw new CommandFault('--key is missing: the file that `access-ledger witness keys` made');
  if (!state) throw new CommandFault('--state is missing: the file where it keeps what it cosigned last');
  if (!log)
    throw new CommandFault('--log is missing: the verifier key of a log, such as `access-ledger keys public` prints');
  const key = await readKey(keyFile);
  const logs = await parseLogs(log, key);
  const { createLog } = await import('../server/log.js');
  const { handleShutdown } = await import('../server/shutdown.js');
  const { serveWitness } = await import('../witness/server.js');
  const { StateError } = await import('../witness/state-error.js');
  const { StateFile } = await import('../witness/state-file.js');
  const { Witness } = await import('../witness/witness.js');
  const { formatVerifierKey } = await import('../log/note-key.js');

  const file = await StateFile[fresh ? 'create' : 'open']({ path: state, witness: key, logs }).catch(
    (error: unknown) => {
      if (!(error instanceof StateError)) throw error;
      const code = codeOf(error.cause);
      throw new CommandFault(`${state}: ${error.message}${code && ` (${code})`}`, { cause: error });
    },
  );
  const told = createLog({ level: 'info' });
  const witness = new Witness({ key, logs, keeper: file, now: () => new Date() });
  const server = await serveWitness(witness, {
    host,
    port,
    tell: (level, message, fields) => told[level](message, fields),
  }).catch(async (error: unknown) => {
    await file.close();
    throw listenFault(error, host, port);
  });
  handleShutdown({
    log: told,
    exit: (status) => process.exit(status === 1 ? UNUSABLE : status),
    signals: process,
    steps: [
      { name: 'http', patience: PATIENCE_MS + 1_000, run: () => server.close(PATIENCE_MS) },
      { name: 'state', patience: 1_000, run: () => file.close() },
    ],
  });
  const origins = [...new Set(logs.map(({ name }) => name))].join(', ');
  process.stdout.write(
    `Witness ${key.name} at ${server.url}, of ${origins}\nVerifier key: ${formatVerifierKey(key)}\n`,
  );
}

const PATIENCE_MS = 5_000;

async function readKey(file: string): Promise<SigningKey> {
  const { parseSigningKey } = await import('../log/note-key.js');
  const { readSecretFile } = await import('../vault/secret-file.js');
  const key = parseSigningKey((await orFault(() => readSecretFile(file))).trimEnd());
  if (key?.type === 'cosignature') return key;
  throw new CommandFault(`${file}: this is no witness’s key as \`access-ledger witness keys\` makes it`);
}

async function parseLogs(texts: readonly string[], { publicKey }: SigningKey): Promise<VerifierKey[]> {
  const { parseVerifierKey } = await import('../log/note-key.js');
  const { equal } = await import('../log/bytes.js');
  return texts.map((text) => {
    const log = parseVerifierKey(text.trim());
    if (!log) throw new CommandFault('--log is no verifier key that this witness can use: name+id+base64, of Ed25519');
    if (equal(log.publicKey, publicKey)) throw new CommandFault('--log is the witness’s own key');
    return log;
  });
}

function listenFault(error: unknown, host: string, port: number): unknown {
  const code = codeOf(error);
  const says = { EADDRINUSE: 'another program listens there', EACCES: 'you may not listen there' }[code];
  if (!code) return error;
  return new CommandFault(`--host ${host} --port ${port}: ${says ?? `the system says ${code}`}`, { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
