/**
 * Bytes and their spellings: hex, base64 (RFC 4648, section 4) and UTF-8.
 *
 * Each value has one spelling here. What decodes leniently lets two texts mean the same bytes, and then a changed byte
 * of a proof or a signature goes unnoticed.
 */

const HEX = /^(?:[0-9a-f]{2})*$/;
const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_PAIRS[byte];
  return text;
}

/** @returns null for anything but lower-case digits in pairs */
export function fromHex(text: string): Uint8Array | null {
  return HEX.test(text) ? hexBytes(text) : null;
}

/** For text that is known to be lower-case hex, such as a Link. */
export function hexBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = nibble(text, 2 * i) * 16 + nibble(text, 2 * i + 1);
  return bytes;
}

/** The value of the hex digit at a place of lower-case hex. Without a branch, which random digits would mispredict. */
export function nibble(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return (code & 15) + 9 * (code >> 6);
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** @returns null for anything that `toBase64` does not write: other alphabets, missing padding, loose last bits */
export function fromBase64(text: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  return btoa(binary) === text ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : null;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns null for bytes that are no UTF-8 */
export function fromUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

const encoder = new TextEncoder();

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function toUtf8(text: string): Uint8Array {
  return carve(3 * text.length, (room) => encoder.encodeInto(text, room).written);
}

const SLAB_BYTES = 1 << 18;
let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/**
 * New bytes, written by `write`, which is given room for `most` and returns how many it wrote. Small ones share a slab,
 * as an allocation for each leaf costs more than hashing it.
 */
export function carve(most: number, write: (room: Uint8Array) => number): Uint8Array {
  if (most > SLAB_BYTES / 4) {
    const room = new Uint8Array(most);
    return room.slice(0, write(room));
  }
  if (used + most > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const from = used;
  used += write(slab.subarray(from));
  return slab.subarray(from, used);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
