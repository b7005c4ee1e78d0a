/**
 * The demo's keys: a KEK file and the log's key in the data folder, made at the first start. The KEK is replaced when it is
 * about to retire, so that an old data folder still starts; a deployment's own keys are rotated by its people.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatSigningKey, signingKey } from '../../log/note-key.js';
import { SEED_BYTES } from '../../log/signature.js';
import { formatKeys, generateKeys, type KeyFile, parseKeys, rotateKeys } from '../../vault/key-file.js';
import { fileKeys, type KeyProvider } from '../../vault/key-provider.js';
import { changeSecretFile, readOrMakeSecretFile } from '../../vault/secret-file.js';
import { VaultError } from '../../vault/vault-error.js';

const KEK_FILE = 'demo-kek.json';
const LOG_KEY_FILE = 'demo-log.key';
const ROTATE_BEFORE_MS = 30 * 24 * 3_600_000;

export function openDemoKeys(dataDir: string, now: () => Date): KeyProvider {
  const file = demoKekFile(madeFolder(dataDir));
  const text = readOrMakeSecretFile(file, () => formatKeys(generateKeys(now(), randomBytes)));
  if (isEnding(parseKeys(text, file), now())) renew(file, now());
  return fileKeys(file, now);
}

export function demoKekFile(dataDir: string): string {
  return join(dataDir, KEK_FILE);
}

/** The text of the key that signs checkpoints; of the origin that was the folder's first. */
export function demoLogKey(dataDir: string, origin: string): string {
  const file = join(madeFolder(dataDir), LOG_KEY_FILE);
  return readOrMakeSecretFile(file, () => `${formatSigningKey(signingKey(origin, randomBytes(SEED_BYTES)))}\n`);
}

/** Where the database is not embedded, nobody has made it. */
function madeFolder(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true });
  return dataDir;
}

/** Another server of this folder may be at it, or have been quicker. */
function renew(file: string, now: Date): void {
  try {
    changeSecretFile(file, (text) => {
      const keys = parseKeys(text, file);
      return isEnding(keys, now) ? formatKeys(rotateKeys(keys, now, randomBytes)) : text;
    });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'FILE_BUSY') throw error;
  }
}

function isEnding({ keks, current }: KeyFile, now: Date): boolean {
  const { retires } = keks.find(({ id }) => id === current)!;
  return Date.parse(retires) - now.getTime() < ROTATE_BEFORE_MS;
}
