/**
 * A key provider is where the vault gets its keys from: the key-encryption keys (KEKs), and the index key.
 * Here they come from a file or from the environment; a key management service would be another.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { isRetired, type KeyFile, parseKeys } from './key-file.js';
import { readSecretFile } from './secret-file.js';
import { VaultError } from './vault-error.js';

/** Its key is a KeyObject, which neither a log nor JSON shows. */
export interface Kek {
  readonly id: string;
  readonly key: KeyObject;
  /** Days, UTC, such as `2026-11-22`. From the second on it wraps no more; what it wrapped it still opens. */
  readonly made: string;
  readonly retires: string;
}

export interface KeyProvider {
  /**
   * The KEK that wraps.
   *
   * @throws VaultError KEK_RETIRED
   */
  current(): Kek;
  /** Null for one that was destroyed, or was never of this deployment. */
  byId(id: string): Kek | null;
  /** What blind indexes and digests derive their keys from. Always the same. */
  readonly indexKey: KeyObject;
}

/**
 * The keys of a key file. It is read again when a KEK is asked for that was not in it, or its current one has retired:
 * a rotation reaches running servers.
 *
 * @throws VaultError FILE_MISSING, FILE_UNREADABLE, FILE_EXPOSED, KEYS_MALFORMED, KEK_RETIRED
 */
export function fileKeys(path: string, now: () => Date): KeyProvider {
  return provide(() => load(parseKeys(readSecretFile(path), path)), now);
}

/**
 * The keys of a variable that holds the text of a key file. A rotation needs a restart.
 *
 * @throws VaultError KEYS_MALFORMED, KEK_RETIRED
 */
export function environmentKeys(variable: string, text: string, now: () => Date): KeyProvider {
  const keys = load(parseKeys(text, variable));
  return provide(() => keys, now);
}

interface Keys {
  readonly keks: ReadonlyMap<string, Kek>;
  readonly current: Kek;
  readonly indexKey: KeyObject;
}

function load(file: KeyFile): Keys {
  const keks = new Map(file.keks.map((kek) => [kek.id, { ...kek, key: keyObject(kek.key) }]));
  return { keks, current: keks.get(file.current)!, indexKey: keyObject(file.indexKey) };
}

function keyObject(base64: string): KeyObject {
  const bytes = Buffer.from(base64, 'base64');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Fails at once where nothing could be wrapped: better no start than a server that can register nobody. */
function provide(read: () => Keys, now: () => Date): KeyProvider {
  let keys = read();
  const { indexKey } = keys;
  const readAgain = () => {
    const fresh = read();
    if (!fresh.indexKey.equals(indexKey)) throw new VaultError('KEYS_MALFORMED', 'indexKey has changed');
    keys = fresh;
  };
  const provider: KeyProvider = {
    indexKey,
    current() {
      if (isRetired(keys.current, now())) readAgain();
      if (isRetired(keys.current, now())) throw new VaultError('KEK_RETIRED', keys.current.id);
      return keys.current;
    },
    byId(id) {
      if (!keys.keks.has(id)) readAgain();
      return keys.keks.get(id) ?? null;
    },
  };
  provider.current();
  return provider;
}
