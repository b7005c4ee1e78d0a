/**
 * A note key signs notes under a name (C2SP signed-note). Its public half travels as a verifier key, one line of text:
 *
 *     ledger.example.com/main+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 *
 * The name, the key ID (hex of the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)), and type ‖ public key.
 * Two types: an Ed25519 signature of the text, as a log makes it, and a cosignature/v1, by which a witness says when.
 */
import { concat, fromBase64, toBase64, toHex, toUtf8 } from './bytes.js';
import { sha256 } from './hash.js';
import { PUBLIC_KEY_BYTES, publicKeyOf, SEED_BYTES } from './signature.js';

export type NoteKeyType = 'ed25519' | 'cosignature';

/** The signature type bytes of C2SP signed-note. */
const TYPE_BYTE: Readonly<Record<NoteKeyType, number>> = { ed25519: 1, cosignature: 4 };

export interface VerifierKey {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly id: string;
  readonly type: NoteKeyType;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface SigningKey extends VerifierKey {
  /** 32 bytes, secret. */
  readonly seed: Uint8Array;
}

/** Whether a key may bear the name: not empty, no space of any kind, no plus, no control character, valid UTF-8. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}\p{Cc}\p{Cs}+]+$/u.test(name);
}

/** @throws RangeError for a name that no key may bear, or a seed that is not 32 bytes */
export function signingKey(name: string, seed: Uint8Array, type: NoteKeyType = 'ed25519'): SigningKey {
  if (!isKeyName(name)) throw new RangeError('a key name has no space, no plus and no control character');
  const publicKey = publicKeyOf(seed);
  return { name, id: keyId(name, type, publicKey), type, publicKey, seed };
}

/** The half that anybody may have. */
export function verifierKey({ name, id, type, publicKey }: SigningKey): VerifierKey {
  return { name, id, type, publicKey };
}

export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${id}+${toBase64(concat(Uint8Array.of(TYPE_BYTE[type]), publicKey))}`;
}

/** @returns null for anything that `formatVerifierKey` does not write, an id that is not the key's included */
export function parseVerifierKey(text: string): VerifierKey | null {
  const key = parseKey(text, PUBLIC_KEY_BYTES);
  if (!key || keyId(key.name, key.type, key.bytes) !== key.id) return null;
  return { name: key.name, id: key.id, type: key.type, publicKey: key.bytes };
}

const PRIVATE = 'PRIVATE+KEY+';

/** A secret, one line: as a verifier key, but with the seed in place of the public key. */
export function formatSigningKey({ name, id, type, seed }: SigningKey): string {
  return `${PRIVATE}${name}+${id}+${toBase64(concat(Uint8Array.of(TYPE_BYTE[type]), seed))}`;
}

/** @returns null for anything that `formatSigningKey` does not write */
export function parseSigningKey(text: string): SigningKey | null {
  const parsed = text.startsWith(PRIVATE) ? parseKey(text.slice(PRIVATE.length), SEED_BYTES) : null;
  if (!parsed) return null;
  const key = signingKey(parsed.name, parsed.bytes, parsed.type);
  return key.id === parsed.id ? key : null;
}

function parseKey(
  text: string,
  length: number,
): { name: string; id: string; type: NoteKeyType; bytes: Uint8Array } | null {
  const [, name, id, base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const bytes = base64 === undefined ? null : fromBase64(base64);
  if (!name || !id || !isKeyName(name) || bytes?.length !== 1 + length) return null;
  const type = bytes[0] === TYPE_BYTE.ed25519 ? 'ed25519' : bytes[0] === TYPE_BYTE.cosignature ? 'cosignature' : null;
  return type && { name, id, type, bytes: bytes.slice(1) };
}

function keyId(name: string, type: NoteKeyType, publicKey: Uint8Array): string {
  const hashed = sha256(concat(toUtf8(`${name}\n`), Uint8Array.of(TYPE_BYTE[type]), publicKey));
  return toHex(hashed.subarray(0, 4));
}
