/**
 * The id of an entry: UUIDv7 (RFC 9562, section 5.7), 48 bits of milliseconds and 74 random ones. Made once for a body and
 * kept through every retry, so that the entry is written once.
 */
import { randomFillSync } from 'node:crypto';
import type { EntryId } from '../log/entry.js';

/** Random bytes are drawn for many ids at once. */
const stock = new Uint8Array(16 * 128);
let used = stock.length;

export function entryId(at: Date): EntryId {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const bytes = Buffer.from(stock.subarray(used, used + 16));
  stock.fill(0, used, used + 16);
  used += 16;
  bytes.writeUIntBE(at.getTime(), 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as EntryId;
}
