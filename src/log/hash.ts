/**
 * The log's one hash function. A browser build swaps this file, and nothing else, for its own SHA-256.
 */
import { hash } from 'node:crypto';

/** SHA-256 of the bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256 of the bytes as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
