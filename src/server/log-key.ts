/**
 * The log's signing key belongs to the log's origin. That is checked at start, so that a checkpoint signed later is one
 * that reviewers of this log accept.
 */
import { parseSigningKey, type SigningKey } from '../log/note-key.js';
import { readSecretFile } from '../vault/secret-file.js';
import type { Config } from './config.js';
import { demoLogKey } from './demo/keys.js';

/** @throws VaultError where the file cannot be read; LogKeyError where it holds no key of this log's */
export function openLogKey({ log: { origin, keyFile }, dataDir }: Config): SigningKey {
  const key = parseSigningKey((keyFile ? readSecretFile(keyFile) : demoLogKey(dataDir, origin)).trim());
  if (key?.name === origin && key.type === 'ed25519') return key;
  throw new LogKeyError(
    keyFile
      ? 'LOG_KEY_FILE holds no signing key of LOG_ORIGIN: make one with `access-ledger keys log`.'
      : 'The demo’s log key in DATA_DIR is of another log than LOG_ORIGIN: set either as it was, or DATA_DIR to another folder.',
  );
}

export class LogKeyError extends Error {
  override readonly name = 'LogKeyError';
}
