/**
 * A subject key is one person's own key: 32 random bytes that every value of theirs is sealed under. It rests wrapped,
 * an envelope under a KEK, bound to the log, the person and the KEK; unwrapped it lives for one call, then it is
 * overwritten. (OpenSSL's copy goes with its context, which Node frees on the last block.)
 */
import { randomBytes } from 'node:crypto';
import type { Pseudonym } from '../log/entry.js';
import { ENVELOPE_BYTES, openEnvelope, sealEnvelope } from './envelope.js';
import type { Kek, KeyProvider } from './key-provider.js';
import { VaultError } from './vault-error.js';

export interface WrappedKey {
  readonly person: Pseudonym;
  /** The id of the KEK that wrapped it. */
  readonly kek: string;
  /** An envelope of 32 bytes: 61. */
  readonly bytes: Uint8Array;
}

const KEY_BYTES = 32;

/** @throws VaultError KEK_RETIRED */
export function newSubjectKey(keys: KeyProvider, log: string, person: Pseudonym): WrappedKey {
  const key = randomBytes(KEY_BYTES);
  try {
    return wrap(keys.current(), log, person, key);
  } finally {
    key.fill(0);
  }
}

/**
 * The same key under the current KEK, in a fresh envelope.
 *
 * @throws VaultError SEAL_BROKEN, KEK_UNKNOWN, KEK_RETIRED
 */
export function rewrapSubjectKey(keys: KeyProvider, log: string, wrapped: WrappedKey): WrappedKey {
  return withSubjectKey(keys, log, wrapped, (key) => wrap(keys.current(), log, wrapped.person, key));
}

/**
 * Lends the unwrapped key to `use`, which must be done with it when it returns.
 *
 * @throws VaultError SEAL_BROKEN, KEK_UNKNOWN
 */
export function withSubjectKey<T>(keys: KeyProvider, log: string, wrapped: WrappedKey, use: (key: Uint8Array) => T): T {
  const { person, kek, bytes } = wrapped;
  if (bytes.length !== ENVELOPE_BYTES + KEY_BYTES) throw new VaultError('SEAL_BROKEN');
  const wrapper = keys.byId(kek);
  if (!wrapper) throw new VaultError('KEK_UNKNOWN');
  const key = openEnvelope(wrapper.key, placeOf(log, person, kek), bytes);
  try {
    return use(key);
  } finally {
    key.fill(0);
  }
}

function wrap(kek: Kek, log: string, person: Pseudonym, key: Uint8Array): WrappedKey {
  return { person, kek: kek.id, bytes: sealEnvelope(kek.key, placeOf(log, person, kek.id), key) };
}

/** A JSON array of strings: two places never have the same bytes. */
function placeOf(log: string, person: Pseudonym, kek: string): Uint8Array {
  return Buffer.from(JSON.stringify(['access-ledger subject-key 1', log, person, kek]));
}
