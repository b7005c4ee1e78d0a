/**
 * SHA-256 (FIPS 180-4) in plain JavaScript: what a browser has of its own answers later, and verification does not wait.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from './bytes.js';

export { sha256 };

/** SHA-256 of the bytes as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}
