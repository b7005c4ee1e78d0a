/**
 * Ed25519 (RFC 8032) over bytes: Node's own, or a portable one wherever there is no Node (hash.ts).
 */
import { publicKey, sign, verify } from '#signature';

export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** The public key, 32 bytes, of a seed of 32 bytes. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return publicKey(checked(seed));
}

/** The signature, 64 bytes. */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return sign(checked(seed), message);
}

/** False for a wrong signature, and for bytes that are no signature or no key. */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return key.length === PUBLIC_KEY_BYTES && signature.length === SIGNATURE_BYTES && verify(key, message, signature);
}

function checked(seed: Uint8Array): Uint8Array {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an Ed25519 seed has ${SEED_BYTES} bytes`);
  return seed;
}
