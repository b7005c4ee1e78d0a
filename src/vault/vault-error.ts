/**
 * A vault error says why the vault made, opened or read nothing. Its code is one of a closed union; its message may
 * name a file or the id of a KEK, and never holds a key, a value, a person or what another library said.
 */

const SAID = {
  SEAL_BROKEN: 'these bytes were not sealed for this log, person, record, category, version and key, or were changed',
  VALUE_NOT_TEXT: 'a value with a lone surrogate is no text, and would not come back as it was',
  KEK_UNKNOWN: 'this KEK is not among the keys: it was destroyed, or the keys are of another deployment',
  KEK_RETIRED: 'the current KEK is past its retirement and wraps no more: run `access-ledger keys rotate`',
  KEYS_MALFORMED: 'these are no keys as `access-ledger keys` writes them',
  FILE_MISSING: 'there is no such file or folder',
  FILE_UNREADABLE: 'this is no file that can be read or written',
  FILE_EXPOSED: 'others can reach this file: run `chmod 600` on it',
  FILE_BUSY: 'another process is changing this file, or was killed at it: if none is, remove the .next beside it',
  FILE_EXISTS: 'this file exists, and what it holds may be all that opens the data: it is not replaced',
} as const;

export type VaultErrorCode = keyof typeof SAID;

export class VaultError extends Error {
  override readonly name = 'VaultError';

  /** @param about A path, a KEK's id or a place in the key file; nothing secret. */
  constructor(
    readonly code: VaultErrorCode,
    about?: string,
  ) {
    super(about === undefined ? SAID[code] : `${about}: ${SAID[code]}`);
  }
}
