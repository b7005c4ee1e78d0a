/**
 * An envelope is bytes sealed under one key for one place, which its reader must name again.
 *
 *     1 ‖ nonce (12) ‖ ciphertext (as long as the clear bytes) ‖ tag (16)
 *
 * AES-256-GCM (NIST SP 800-38D). The nonce is 96 random bits, fresh each time: under one key that holds for 2^32
 * envelopes (section 8.3). The place is the AAD; it is not in the envelope, so an envelope moved elsewhere does not
 * open. The length of what is inside can be seen from outside.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { VaultError } from './vault-error.js';

const FORMAT = 1;
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** How many bytes an envelope is longer than what it holds. */
export const ENVELOPE_BYTES = 1 + NONCE + TAG;

/** Every key here has 32 bytes. */
export type Key = Uint8Array | KeyObject;

/** @param place A canonical encoding: two places never have the same bytes. */
export function sealEnvelope(key: Key, place: Uint8Array, clear: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(place);
  const inside = cipher.update(clear);
  cipher.final();
  return Buffer.concat([Buffer.of(FORMAT), nonce, inside, cipher.getAuthTag()]);
}

/**
 * @returns bytes of their own, which the caller may overwrite.
 * @throws VaultError SEAL_BROKEN for any other key, place or bytes.
 */
export function openEnvelope(key: Key, place: Uint8Array, envelope: Uint8Array): Buffer {
  const end = envelope.length - TAG;
  if (end < 1 + NONCE || envelope[0] !== FORMAT) throw new VaultError('SEAL_BROKEN');
  const decipher = createDecipheriv(CIPHER, key, envelope.subarray(1, 1 + NONCE));
  decipher.setAAD(place);
  decipher.setAuthTag(envelope.subarray(end));
  const clear = decipher.update(envelope.subarray(1 + NONCE, end));
  try {
    decipher.final();
  } catch {
    clear.fill(0);
    throw new VaultError('SEAL_BROKEN');
  }
  return clear;
}
