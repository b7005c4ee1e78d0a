/**
 * A room of lines, as Node finds the ends of lines in it soonest: a Buffer looks for a byte many times as fast as other bytes
 * do, and that is what a tenth of verifying a log would go for.
 */
import type { Batch } from '../log/lines.js';

export function asBuffer({ room, length }: Batch): Batch {
  return { room: Buffer.from(room.buffer, room.byteOffset, room.length), length };
}
