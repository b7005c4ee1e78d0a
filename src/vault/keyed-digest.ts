/**
 * A keyed digest finds a value again without keeping it: equal values have equal digests, and without the index key
 * nobody can tell from a digest what it was made of, nor make one to compare.
 *
 *     blindIndex('user.contact.email', 'ana@example.com')       equality search over one category of one log
 *     digest('identity', issuer, sub)                           a token's subject, which is never stored in clear
 *
 * HMAC-SHA-256. Each category, and each kind of digest, has a key of its own, derived from the index key for one log
 * (HKDF, RFC 5869), so digests of different categories or logs cannot be laid beside each other.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Category } from '../log/entry.js';
import { normalForm } from './normal-form.js';

export interface KeyedDigests {
  /** 32 bytes. Who may search a category is decided elsewhere; this computes for any. */
  blindIndex(category: Category, value: string): Uint8Array;
  /** 32 bytes over the parts exactly as they are: `('a', 'b')` is not `('ab')`. */
  digest(kind: string, ...parts: string[]): Uint8Array;
}

export function keyedDigests(indexKey: KeyObject, log: string): KeyedDigests {
  const derived = new Map<string, KeyObject>();
  const keyFor = (use: string, name: string): KeyObject => {
    const info = JSON.stringify([`access-ledger ${use} 1`, log, name]);
    const known = derived.get(info);
    if (known) return known;
    const bytes = Buffer.from(hkdfSync('sha256', indexKey, '', info, 32));
    const key = createSecretKey(bytes);
    bytes.fill(0);
    derived.set(info, key);
    return key;
  };
  return {
    blindIndex: (category, value) => hmac(keyFor('blind-index', category), normalForm(category, value)),
    digest: (kind, ...parts) => hmac(keyFor('digest', kind), JSON.stringify(parts)),
  };
}

function hmac(key: KeyObject, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}
