/**
 * Ed25519 (RFC 8032) in plain JavaScript. Lengths are checked before (signature.ts).
 *
 * Of signatures that only the owner of a key could make, and on purpose, some are valid to one implementation and not to
 * another: the RFC allows two equations, and keys of small order. What an honest key signs is the same to all.
 */
import * as ed25519 from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';

ed25519.hashes.sha512 = sha512;

export function publicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed);
}

export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return ed25519.verify(signature, message, key, { zip215: false });
}
