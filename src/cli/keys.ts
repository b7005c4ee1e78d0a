/**
 * `access-ledger keys`: makes the two secrets of a deployment, the key file that wraps people's keys and the key that signs
 * the log's checkpoints. It never replaces a file that exists, but for a rotation, which keeps every key in it.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { KeyFile } from '../vault/key-file.js';
import { CommandFault } from './fault.js';

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .summary('make the keys of a deployment')
    .description('Makes keys, in files that only their owner can read (mode 600). No file that exists is replaced.');
  keys
    .command('kek')
    .summary("make the key file that wraps people's keys (KEK_FILE)")
    .description(
      "Makes the key file: a KEK of a year, and the key of the blind indexes. It opens all of people's data: keep a copy elsewhere.",
    )
    .argument('[file]', 'where to', 'kek.json')
    .addHelpText('after', '\nExample:\n  access-ledger keys kek /etc/access-ledger/kek.json')
    .action(makeKek);
  keys
    .command('log')
    .summary("make the key that signs the log's checkpoints (LOG_KEY_FILE)")
    .description("Makes the log's key pair, and prints its public half, the verifier key, which reviewers should have.")
    .argument('[file]', 'where to', 'log.key')
    .requiredOption(
      '--origin <name>',
      "the log's name for ever, the server's LOG_ORIGIN, such as log.example.org/access",
    )
    .addHelpText(
      'after',
      '\nExample:\n  access-ledger keys log /etc/access-ledger/log.key --origin log.example.org/access',
    )
    .action(makeLogKey);
  keys
    .command('rotate')
    .summary('add a new KEK to a key file')
    .description('Adds a KEK of a year, which wraps from now on. The others stay, for what they wrapped.')
    .argument('<file>', 'the key file')
    .addHelpText('after', '\nExample:\n  access-ledger keys rotate /etc/access-ledger/kek.json')
    .action(rotate);
  keys
    .command('public')
    .summary("print the log's verifier key")
    .description("Prints the public half of the log's key: what `verify --key` takes.")
    .argument('<file>', "the log's key")
    .addHelpText('after', '\nExample:\n  access-ledger keys public /etc/access-ledger/log.key > log.vkey')
    .action(printPublic);
}

async function makeKek(file: string): Promise<void> {
  const { formatKeys, generateKeys } = await import('../vault/key-file.js');
  const keys = generateKeys(new Date(), await random());
  await make(file, formatKeys(keys));
  const { retires } = keys.keks[0]!;
  print(`KEK_FILE=${resolve(file)}`, `Its KEK wraps until ${retires}: \`access-ledger keys rotate\` before then.`);
}

async function makeLogKey(file: string, { origin }: { origin: string }): Promise<void> {
  const { origin: parseOrigin, SettingFault } = await import('../server/setting.js');
  const { formatSigningKey, formatVerifierKey, signingKey } = await import('../log/note-key.js');
  const { SEED_BYTES } = await import('../log/signature.js');
  try {
    parseOrigin(origin);
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    throw new CommandFault(`--origin ${error.message}`);
  }
  const key = signingKey(origin, (await random())(SEED_BYTES));
  await make(file, `${formatSigningKey(key)}\n`);
  print(`LOG_ORIGIN=${origin}`, `LOG_KEY_FILE=${resolve(file)}`, `Verifier key: ${formatVerifierKey(key)}`);
}

async function rotate(file: string): Promise<void> {
  const { parseKeys, formatKeys, rotateKeys } = await import('../vault/key-file.js');
  const { changeSecretFile } = await import('../vault/secret-file.js');
  const bytes = await random();
  let keks: KeyFile['keks'] = [];
  await orFault(() =>
    changeSecretFile(file, (text) => {
      const rotated = rotateKeys(parseKeys(text, file), new Date(), bytes);
      keks = rotated.keks;
      return formatKeys(rotated);
    }),
  );
  const { id, retires } = keks.at(-1)!;
  print(
    `${id} wraps until ${retires}, and ${keks.length - 1} before it still open.`,
    'Running servers wrap with it within two seconds; one that was given the keys as KEK, from its next start.',
  );
}

async function printPublic(file: string): Promise<void> {
  const { formatVerifierKey, parseSigningKey } = await import('../log/note-key.js');
  const key = parseSigningKey((await read(file)).trimEnd());
  if (!key) throw new CommandFault(`${file}: this is no log key as \`access-ledger keys log\` makes it`);
  print(formatVerifierKey(key));
}

async function random(): Promise<(bytes: number) => Uint8Array> {
  const { randomBytes } = await import('node:crypto');
  return randomBytes;
}

async function read(file: string): Promise<string> {
  const { readSecretFile } = await import('../vault/secret-file.js');
  return orFault(() => readSecretFile(file));
}

async function make(file: string, text: string): Promise<void> {
  const { makeSecretFile } = await import('../vault/secret-file.js');
  await orFault(() => makeSecretFile(file, text));
}

/** The vault's own words name files, and never what is in them. */
export async function orFault<T>(use: () => T): Promise<T> {
  const { VaultError } = await import('../vault/vault-error.js');
  try {
    return use();
  } catch (error) {
    if (error instanceof VaultError) throw new CommandFault(error.message, { cause: error });
    throw error;
  }
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
