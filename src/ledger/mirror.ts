/**
 * A mirror keeps what is published outside the database, in the layout of C2SP tlog-tiles, so that any static file server
 * can serve it: leaves, tiles, and checkpoints. It is the high-water mark: a log that is shorter than its mirror, or is not
 * its beginning, is not the log that was published.
 *
 *     checkpoint                    the newest
 *     checkpoints/000/012/345       each that was mirrored, by its size
 *     tile/0/x001/x234/067          as in src/log/tile.ts; names with a width go once the full tile is there
 *     tile/entries/x001/x234/067
 */

import { equal, fromUtf8, toUtf8 } from '../log/bytes.js';
import { openCheckpoint } from '../log/checkpoint.js';
import type { VerifierKey } from '../log/note-key.js';
import {
  type Bundle,
  formatBundle,
  formatBundlePath,
  formatTilePath,
  newTiles,
  TILE_WIDTH,
  tiledHashes,
} from '../log/tile.js';
import { type Hash, rootAt } from '../log/tree.js';
import { NotThere, type TreeReader } from './tree-reader.js';

/** A folder, or an object store. Paths are relative, with slashes. */
export interface Store {
  /** Null where there is nothing. */
  read(path: string): Promise<Uint8Array | null>;
  /** Keeps bytes for ever, durably. @throws StandsOtherwise where other bytes are kept already */
  keep(path: string, bytes: Uint8Array): Promise<void>;
  /** Puts bytes in the place of what is there, all or nothing, durably. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Lets go what a full tile has replaced, where the storage can let go of anything. */
  release(path: string): Promise<void>;
}

/** The mirror holds something else than what is to be kept in that place. */
export class StandsOtherwise extends Error {
  override readonly name = 'StandsOtherwise';
  constructor(path: string) {
    super(`${path} of the mirror holds something else than the log`);
  }
}

export interface MirroredCheckpoint {
  readonly size: number;
  readonly root: Hash;
}

export interface Mirror {
  /** Null for a new mirror. @throws NoteError for what the log's key did not sign */
  newest(): Promise<MirroredCheckpoint | null>;
  /** Mirrors all that the newest signed checkpoint covers, itself last. Does nothing where the mirror is as far already. */
  followNewest(reader: TreeReader): Promise<void>;
}

const CHECKPOINT = 'checkpoint';

export function createMirror(store: Store, key: VerifierKey): Mirror {
  async function newest(): Promise<MirroredCheckpoint | null> {
    const bytes = await store.read(CHECKPOINT);
    return bytes && openCheckpoint(fromUtf8(bytes) ?? '', key);
  }

  async function keepTiles(from: number, to: number, reader: TreeReader): Promise<void> {
    for (const tile of newTiles(from, to)) {
      const { level, ...bundle } = tile;
      const [hashes] = await reader.read([tile]);
      if (level === 0) await keep(formatBundlePath, bundle, formatBundle(await leavesOf(bundle, reader)));
      await keep((place) => formatTilePath({ level, ...place }), bundle, hashes!);
    }
  }

  async function keep(name: (place: Bundle) => string, place: Bundle, bytes: Uint8Array): Promise<void> {
    const path = name(place);
    await store.keep(path, bytes);
    if (place.width === TILE_WIDTH) await store.release(`${path}.p`);
  }

  return {
    newest,
    async followNewest(reader) {
      const [from, signed] = [(await newest())?.size ?? 0, await reader.newestSigned()];
      if (!signed || signed.size <= from) return;
      const { size, note } = signed;
      await keepTiles(from, size, reader);
      await store.keep(`checkpoints/${groups(size)}`, toUtf8(note));
      await store.replace(CHECKPOINT, toUtf8(note));
    },
  };
}

async function leavesOf({ index, width }: Bundle, reader: TreeReader): Promise<Uint8Array[]> {
  const leaves = await reader.leaves(index * TILE_WIDTH, width);
  if (leaves.length < width) throw new NotThere(`no ${width} leaves from ${index * TILE_WIDTH} on`);
  return leaves;
}

function groups(size: number): string {
  return String(size)
    .padStart(9, '0')
    .replace(/\d(?=(?:\d{3})+$)/g, '$&/');
}

/** What is wrong with a log, seen from its mirror. */
export type MirrorFault = 'LOG_SHORTER_THAN_MIRROR' | 'LOG_DIFFERS_FROM_MIRROR';

export async function compareWithMirror(mirror: Mirror, reader: TreeReader): Promise<MirrorFault | null> {
  const mirrored = await mirror.newest();
  if (!mirrored) return null;
  if (mirrored.size > (await reader.size())) return 'LOG_SHORTER_THAN_MIRROR';
  const staged = await reader.newestCheckpoint();
  // Checkpoints that a restored backup lacks are made anew, and compared then.
  if (!staged || staged.size < mirrored.size) return null;
  const root = await rootAt(mirrored.size, tiledHashes(staged.size, reader));
  return equal(root, mirrored.root) ? null : 'LOG_DIFFERS_FROM_MIRROR';
}
