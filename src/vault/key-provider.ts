/**
 * A key provider is where the vault gets its keys from: the key-encryption keys (KEKs), and the index key.
 * Here they come from a file or from the environment; a key management service would be another.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { isRetired, type KeyFile, parseKeys } from './key-file.js';
import { readSecretFile, secretFileVersion } from './secret-file.js';
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
   * @throws VaultError KEK_RETIRED; FILE_… and KEYS_MALFORMED while the keys cannot be read
   */
  current(): Kek;
  /**
   * Null for one that was destroyed, or was never of this deployment.
   *
   * @throws VaultError FILE_…, KEYS_MALFORMED while the keys cannot be read
   */
  byId(id: string): Kek | null;
  /** What blind indexes and digests derive their keys from. Always the same. */
  readonly indexKey: KeyObject;
}

/** How long a change of the file may go unseen, in milliseconds. */
const LOOK_MS = 2_000;

/**
 * The keys of a key file. A rotation, and the destruction of a KEK, reach running servers within seconds: the file is
 * looked at again and again, and read when it is another. While it cannot be read there are no keys.
 *
 * @throws VaultError FILE_MISSING, FILE_UNREADABLE, FILE_EXPOSED, KEYS_MALFORMED, KEK_RETIRED; so do its functions
 */
export function fileKeys(path: string, now: () => Date): KeyProvider {
  return provide(
    () => load(parseKeys(readSecretFile(path), path)),
    now,
    () => secretFileVersion(path),
  );
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

/**
 * Fails at once where nothing could be wrapped: better no start than a server that can register nobody.
 *
 * @param version Says by another text that the keys may be others now; without it they never are.
 */
function provide(read: () => Keys, now: () => Date, version?: () => string): KeyProvider {
  let lookedAt = now().getTime();
  let seen = version?.();
  let keys = read();
  let fault: VaultError | null = null;
  const { indexKey } = keys;

  const look = () => {
    const at = now().getTime();
    // A clock that was set back is no reason to wait.
    if (version && Math.abs(at - lookedAt) >= LOOK_MS) {
      lookedAt = at;
      readAgain(version);
    }
    if (fault) throw fault;
  };
  const readAgain = (versionNow: () => string) => {
    try {
      // Before the file is read: what changes in between is seen the next time.
      const current = versionNow();
      if (current === seen && !fault) return;
      const fresh = read();
      if (!fresh.indexKey.equals(indexKey)) throw new VaultError('KEYS_MALFORMED', 'indexKey has changed');
      keys = fresh;
      seen = current;
      fault = null;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      fault = error;
    }
  };
  const lookNow = () => {
    lookedAt = Number.NEGATIVE_INFINITY;
    look();
  };
  const provider: KeyProvider = {
    indexKey,
    current() {
      look();
      if (isRetired(keys.current, now())) lookNow();
      if (isRetired(keys.current, now())) throw new VaultError('KEK_RETIRED', keys.current.id);
      return keys.current;
    },
    byId(id) {
      look();
      if (!keys.keks.has(id)) lookNow();
      return keys.keks.get(id) ?? null;
    },
  };
  provider.current();
  return provider;
}
