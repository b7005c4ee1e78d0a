/**
 * The log's signing key belongs to the log's origin. That is checked at start, so that a checkpoint signed later is one
 * that reviewers of this log accept.
 */
import { parseSigningKey } from '../log/note-key.js';
import { readSecretFile } from '../vault/secret-file.js';
import type { Config } from './config.js';

/** @throws VaultError where the file cannot be read; LogKeyError where it is no key of this log's */
export function checkLogKey({ log }: Config): void {
  if (!log.keyFile) return;
  if (parseSigningKey(readSecretFile(log.keyFile).trim())?.name !== log.origin) throw new LogKeyError();
}

export class LogKeyError extends Error {
  override readonly name = 'LogKeyError';
  constructor() {
    super('LOG_KEY_FILE holds no signing key of LOG_ORIGIN: make one with `access-ledger keys log`.');
  }
}
