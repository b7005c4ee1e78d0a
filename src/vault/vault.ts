/**
 * The vault seals values for one log and opens them against a receipt. It is the only holder of keys, and holds no
 * database: wrapped keys and sealed bytes are rows of its caller's, handed in and out.
 *
 *     KEK (key provider)  wraps →  subject key (one a person)  seals →  value (one a version of a record)
 *
 * It guards values against our own mistakes and against whoever has the database but not the KEKs. It does not guard
 * them against who runs this process.
 */
import { type Receipt, spend } from '../ledger/receipt.js';
import type { Category, Pseudonym } from '../log/entry.js';
import type { KeyProvider } from './key-provider.js';
import { keyedDigests } from './keyed-digest.js';
import { type Clear, openValues, type Sealed, sealValues } from './sealed.js';
import { newSubjectKey, rewrapSubjectKey, type WrappedKey, withSubjectKey } from './subject-key.js';

export type { Clear, Sealed } from './sealed.js';
export type { WrappedKey } from './subject-key.js';

/** Until when copies of a shredded key that are left elsewhere can be unwrapped. */
export interface Residue {
  readonly kek: string;
  /** The day from which the KEK wraps no more and may be destroyed; null if it is destroyed already. */
  readonly retires: string | null;
}

/** Where a method can fail it rejects with a VaultError; none says more than its code, and all of them do all or nothing. */
export interface Vault {
  /** A person's own new key, wrapped by the current KEK. Rejects: KEK_RETIRED. */
  newKey(person: Pseudonym): Promise<WrappedKey>;

  /** The same key, wrapped by the current KEK. Rejects: SEAL_BROKEN, KEK_UNKNOWN, KEK_RETIRED. */
  rewrap(key: WrappedKey): Promise<WrappedKey>;

  /** Values of one person, in the order given. Rejects: SEAL_BROKEN, KEK_UNKNOWN, VALUE_NOT_TEXT. */
  seal(key: WrappedKey, clear: readonly Clear[]): Promise<Sealed[]>;

  /**
   * The values, in the order given. The receipt is used up first: if a value does not open then, its entry stands all
   * the same, for reads are conservative. Rejects: ReceiptRefused; SEAL_BROKEN, KEK_UNKNOWN.
   */
  open(receipt: Receipt, key: WrappedKey, sealed: readonly Sealed[]): Promise<string[]>;

  /**
   * Overwrites the copy of a person's key that it is given, and says what is left of the others. What destroys the key is
   * that its caller deletes the row, with the entry; copies in backups, replicas and dead rows are gone with the KEK.
   */
  shred(key: WrappedKey): Promise<Residue>;

  /** 32 bytes, equal for the spellings of one value. Whether the category may be searched is its caller's to know. */
  blindIndex(category: Category, value: string): Promise<Uint8Array>;

  /** 32 bytes, by which to find again what must not be stored: `digest('identity', issuer, sub)`. */
  digest(kind: string, ...parts: string[]): Promise<Uint8Array>;
}

/** @param log The log's origin: nothing sealed or indexed for one log opens or matches in another. */
export function makeVault(log: string, keys: KeyProvider): Vault {
  const digests = keyedDigests(keys.indexKey, log);
  return {
    async newKey(person) {
      return newSubjectKey(keys, log, person);
    },
    async rewrap(key) {
      return rewrapSubjectKey(keys, log, key);
    },
    async seal(key, clear) {
      return withSubjectKey(keys, log, key, (bare) => sealValues(bare, log, key.person, clear));
    },
    async open(receipt, { person, kek, bytes }, sealed) {
      // Copied, so that what is checked against the receipt is what is opened, whatever objects came in.
      const named = sealed.map(({ record: { id, category, version } }) => ({ id, category, version }));
      spend(receipt, person, named);
      const asked = sealed.map((one, at) => ({ record: named[at]!, bytes: one.bytes }));
      return withSubjectKey(keys, log, { person, kek, bytes }, (bare) => openValues(bare, log, person, asked));
    },
    async shred({ kek, bytes }) {
      bytes.fill(0);
      return { kek, retires: keys.byId(kek)?.retires ?? null };
    },
    async blindIndex(category, value) {
      return digests.blindIndex(category, value);
    },
    async digest(kind, ...parts) {
      return digests.digest(kind, ...parts);
    },
  };
}
