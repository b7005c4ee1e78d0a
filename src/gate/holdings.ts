/**
 * Holdings are what is kept about one person, as far as an ask goes: their wrapped key, and the current version of each
 * record, sealed. They are read together with the facts, and opened only against a receipt.
 */
import type { Pseudonym, RecordVersion } from '../log/entry.js';
import type { WrappedKey } from '../vault/vault.js';

export interface HeldRecord extends RecordVersion {
  readonly channel: string;
  /** Null unless the ask selects values. */
  readonly sealed: Uint8Array | null;
}

/** Null for an unknown person. The key is null once it has been destroyed. */
export type Holdings = {
  readonly subject: Pseudonym;
  readonly key: WrappedKey | null;
  readonly records: readonly HeldRecord[];
} | null;

/** More than one operation may bring: ask for fewer people or categories at once. Nothing was opened. */
export class TooMuchAtOnce extends Error {
  override readonly name = 'TooMuchAtOnce';
  constructor() {
    super('More is held about somebody than one operation may bring. Ask for fewer people or categories at once.');
  }
}
