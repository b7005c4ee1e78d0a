/**
 * Hex digits, four at once: a word of four characters as they stand in bytes. Verifying a log reads a few hundred of them an
 * entry, and one by one they would take as long as hashing it.
 */

/** One in each byte. */
export const EACH = 0x01010101;

/** Whether all four are hex digits, lower-case; letters only where `letters` has a 1. */
export function areHex(four: number, letters: number = EACH): boolean {
  // A letter, 0x61 to 0x66, has a bit that a digit, 0x30 to 0x39, has not.
  const letter = (four >>> 6) & EACH;
  if ((four & 0xf0f0f0f0) !== 0x30303030 + letter * 0x30 || (letter & ~letters) !== 0) return false;
  const value = (four & 0x0f0f0f0f) + letter * 9;
  // At most 15, and from 10 on if it is a letter, and only then.
  return ((value & 0x10101010) | ((((value + 0x06060606) >>> 4) & EACH) ^ letter)) === 0;
}

/** Of four hex digits: 0 to 0xffff. */
export function hexValue(four: number): number {
  const value = (four & 0x0f0f0f0f) + ((four >>> 6) & EACH) * 9;
  return ((value >>> 12) & 0xf000) | ((value >>> 8) & 0xf00) | ((value >>> 4) & 0xf0) | (value & 0xf);
}

/** Of eight. */
export function hexWord(view: DataView, at: number): number {
  return (hexValue(view.getInt32(at)) << 16) | hexValue(view.getInt32(at + 4));
}

/** Into four words. @param at where a lower-case uuid stands */
export function readUuid(view: DataView, at: number, words: Uint32Array, to: number): void {
  words[to] = hexWord(view, at);
  words[to + 1] = (hexValue(view.getInt32(at + 9)) << 16) | hexValue(view.getInt32(at + 14));
  words[to + 2] = (hexValue(view.getInt32(at + 19)) << 16) | hexValue(view.getInt32(at + 24));
  words[to + 3] = hexWord(view, at + 28);
}

/** The uuid that four words stand for. */
export function formatUuid(words: Uint32Array, at: number): string {
  const hex = Array.from(words.subarray(at, at + 4), (word) => word.toString(16).padStart(8, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
