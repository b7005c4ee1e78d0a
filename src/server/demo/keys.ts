/**
 * The demo's keys: a KEK file in the data folder, made at the first start. Its KEK is replaced when it is about to retire,
 * so that an old data folder still starts; a deployment's own keys are rotated by its people.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { formatKeys, generateKeys, parseKeys, rotateKeys } from '../../vault/key-file.js';
import { fileKeys, type KeyProvider } from '../../vault/key-provider.js';
import { readSecretFile, writeSecretFile } from '../../vault/secret-file.js';
import { VaultError } from '../../vault/vault-error.js';

const FILE = 'demo-kek.json';
const ROTATE_BEFORE_MS = 30 * 24 * 3_600_000;

export function openDemoKeys(dataDir: string, now: () => Date): KeyProvider {
  const file = join(dataDir, FILE);
  try {
    writeSecretFile(file, formatKeys(generateKeys(now(), randomBytes)), { replace: false });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'FILE_EXISTS') throw error;
  }
  const keys = parseKeys(readSecretFile(file), file);
  const current = keys.keks.find(({ id }) => id === keys.current);
  if (current && Date.parse(current.retires) - now().getTime() < ROTATE_BEFORE_MS) {
    writeSecretFile(file, formatKeys(rotateKeys(keys, now(), randomBytes)), { replace: true });
  }
  return fileKeys(file, now);
}
