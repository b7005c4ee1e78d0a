/**
 * An id table numbers uuids 0, 1, 2 … in the order in which they are first seen, so that what is known of each can
 * stand in plain arrays. It takes about 32 bytes an id (16 for the id, 4 to 8 for its slot, the rest is room to grow);
 * a Map of strings would take five times that.
 *
 * Open addressing over the 128 bits. Somebody who chooses ids to collide can make it slow, never wrong.
 */
import { nibble } from './bytes.js';
import { formatUuid } from './hex-words.js';

/** Of an id, 32 bits each. */
export const WORDS = 4;
const HYPHEN = 0x2d;

export class IdTable {
  private size = 0;
  /** The ids, four 32-bit words each, by row. */
  private ids = new Uint32Array(WORDS * 512);
  /** Row + 1 of the id that hashes here or before; 0 where none does. At least twice as many as rows. */
  private slots = new Uint32Array(2 * 1024);

  /** The row of the id whose words stand there, new at the end where it was not seen before. */
  row(words: Uint32Array, at: number): number {
    const slot = this.slotOf(words, at);
    const row = this.slots[slot]! - 1;
    if (row >= 0) return row;
    if (WORDS * this.size === this.ids.length) this.ids = grown(this.ids);
    for (let i = 0; i < WORDS; i++) this.ids[WORDS * this.size + i] = words[at + i]!;
    this.slots[slot] = ++this.size;
    if (2 * this.size > this.slots.length) this.rehash();
    return this.size - 1;
  }

  uuid(row: number): string {
    return formatUuid(this.ids, WORDS * row);
  }

  /** The slot where an id stands, or the free one where it would. */
  private slotOf(words: Uint32Array, at: number): number {
    const mask = this.slots.length - 1;
    for (let slot = hash(words, at) & mask; ; slot = (slot + 1) & mask) {
      const row = this.slots[slot]! - 1;
      if (row < 0 || this.holds(row, words, at)) return slot;
    }
  }

  private holds(row: number, words: Uint32Array, at: number): boolean {
    for (let i = 0; i < WORDS; i++) if (this.ids[WORDS * row + i] !== words[at + i]) return false;
    return true;
  }

  private rehash(): void {
    this.slots = new Uint32Array(2 * this.slots.length);
    for (let row = 0; row < this.size; row++) this.slots[this.slotOf(this.ids, WORDS * row)] = row + 1;
  }
}

/** One number for each row of an id table, 0 where none was set. */
export class Column {
  private values = new Float64Array(512);

  get(row: number): number {
    return this.values[row] ?? 0;
  }

  set(row: number, value: number): void {
    while (row >= this.values.length) {
      const wider = new Float64Array(2 * this.values.length);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[row] = value;
  }
}

function grown(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(2 * words.length);
  wider.set(words);
  return wider;
}

/** Random and time-ordered uuids alike differ in enough words for a multiplicative mix. */
function hash(words: Uint32Array, at: number): number {
  let mixed = 0;
  for (let i = 0; i < WORDS; i++) {
    mixed = Math.imul(mixed ^ words[at + i]!, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}

/** 32 lower-case hex digits among hyphens, into four words. */
export function parseUuid(uuid: string, words: Uint32Array, to: number): void {
  let digits = 0;
  let word = 0;
  for (let at = 0; at < uuid.length; at++) {
    if (uuid.charCodeAt(at) === HYPHEN) continue;
    word = (word << 4) | nibble(uuid, at);
    if (++digits % 8 === 0) words[to + digits / 8 - 1] = word;
  }
}
