/**
 * The demo's keys: a KEK file in the data folder, made at the first start. Its KEK is replaced when it is about to retire,
 * so that an old data folder still starts; a deployment's own keys are rotated by its people.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { formatKeys, generateKeys, type KeyFile, parseKeys, rotateKeys } from '../../vault/key-file.js';
import { fileKeys, type KeyProvider } from '../../vault/key-provider.js';
import { changeSecretFile, readOrMakeSecretFile } from '../../vault/secret-file.js';
import { VaultError } from '../../vault/vault-error.js';

const FILE = 'demo-kek.json';
const ROTATE_BEFORE_MS = 30 * 24 * 3_600_000;

export function openDemoKeys(dataDir: string, now: () => Date): KeyProvider {
  const file = join(dataDir, FILE);
  const text = readOrMakeSecretFile(file, () => formatKeys(generateKeys(now(), randomBytes)));
  if (isEnding(parseKeys(text, file), now())) renew(file, now());
  return fileKeys(file, now);
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
