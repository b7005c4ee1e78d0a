/**
 * A tile is 256 hashes of the tree side by side, as logs publish them (C2SP tlog-tiles). On level 0 they are the links of
 * entries; each hash of a higher level is the root of a full tile of the level below. A full tile never changes, so a reader
 * may keep it for ever; the last tile of a level may be partial, and is then named with its width.
 *
 *     tile/0/x001/x234/067            256 links, from entry 1234067 × 256 on
 *     tile/1/000.p/12                 the roots of the first 12 full tiles
 *     tile/entries/x001/x234/067      the leaves of those 256 entries, each behind its length
 */
import { concat } from './bytes.js';
import { HASH_BYTES, type Hash, type Hashes, nodeHash, pairHash, type TreeNode } from './tree.js';

export const TILE_WIDTH = 256;
/** Levels of the tree in one level of tiles: 2^8 is the width. */
const TILE_HEIGHT = 8;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256; 256 is a full tile. */
  readonly width: number;
}

/** The leaves under a tile of level 0, with the same index and width. */
export type Bundle = Omit<Tile, 'level'>;

/** How many hashes a level of tiles has, under a tree of `size` leaves. */
export function lengthOfLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The tile of this place in a tree of `size` leaves; null if there is none. */
export function tileAt(level: number, index: number, size: number): Tile | null {
  const width = Math.min(TILE_WIDTH, lengthOfLevel(level, size) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : null;
}

/** The tiles that a tree of `to` leaves has and one of `from` leaves had not, full and partial, from level 0 upward. */
export function* newTiles(from: number, to: number): Generator<Tile> {
  for (let level = 0; lengthOfLevel(level, to) > 0; level++) {
    const had = lengthOfLevel(level, from);
    if (had === lengthOfLevel(level, to)) return;
    for (
      let index = Math.floor(had / TILE_WIDTH), tile = tileAt(level, index, to);
      tile;
      tile = tileAt(level, ++index, to)
    ) {
      yield tile;
    }
  }
}

/** Without a slash in front. */
export function formatTilePath({ level, ...bundle }: Tile): string {
  return `tile/${level}/${formatPlace(bundle)}`;
}

export function formatBundlePath(bundle: Bundle): string {
  return `tile/entries/${formatPlace(bundle)}`;
}

/** The index in groups of three digits, all but the last behind an `x`; the width where it is not full. */
function formatPlace({ index, width }: Bundle): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  const last = groups.pop();
  return [...groups.map((group) => `x${group}`), last].join('/') + (width < TILE_WIDTH ? `.p/${width}` : '');
}

const PATH = /^tile\/(entries|0|[1-5]?[0-9]|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** @returns null for a path that `formatTilePath` and `formatBundlePath` do not write */
export function parseTilePath(path: string): (Bundle & { readonly level: number | 'entries' }) | null {
  const [, kind, groups, partial] = PATH.exec(path) ?? [];
  if (!kind || !groups) return null;
  const index = Number(groups.replace(/\D/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const level = kind === 'entries' ? kind : Number(kind);
  const written = level === 'entries' ? formatBundlePath({ index, width }) : formatTilePath({ level, index, width });
  return Number.isSafeInteger(index) && written === path ? { level, index, width } : null;
}

/** @param leaves of at most 65,535 bytes each */
export function formatBundle(leaves: readonly Uint8Array[]): Uint8Array {
  return concat(...leaves.flatMap((leaf) => [Uint8Array.of(leaf.length >> 8, leaf.length & 0xff), leaf]));
}

/** @returns null for bytes that are no bundle */
export function parseBundle(bytes: Uint8Array): Uint8Array[] | null {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 2 > bytes.length) return null;
    const from = at + 2;
    at = from + bytes[at]! * 256 + bytes[at + 1]!;
    if (at > bytes.length) return null;
    leaves.push(bytes.subarray(from, at));
  }
  return leaves;
}

/** The root of a full tile, or of any 2^n hashes that stand side by side. */
export function rootOfHashes(hashes: Uint8Array): Hash {
  const halve = (from: number, count: number): Hash =>
    count === 2
      ? pairHash(hashes, from * HASH_BYTES)
      : nodeHash(halve(from, count / 2), halve(from + count / 2, count / 2));
  return hashes.length === HASH_BYTES ? (hashes as Hash) : halve(0, hashes.length / HASH_BYTES);
}

/** Where tiles are kept: a table, a folder, an HTTP server. */
export interface Tiles {
  /** The bytes of each tile, in order: its width × 32. Rejects where one is not there. */
  read(tiles: readonly Tile[]): Promise<readonly Uint8Array[]>;
}

/** The hashes of a tree of `size` leaves, out of its tiles: at most one tile a level of tiles for a path to the root. */
export function tiledHashes(size: number, tiles: Tiles): Hashes {
  return {
    async read(nodes) {
      const places = nodes.map((node) => placeOf(node, size));
      const wanted = new Map(places.map(({ tile }) => [formatTilePath(tile), tile]));
      const read = await tiles.read([...wanted.values()]);
      const bytes = new Map([...wanted.keys()].map((path, nth) => [path, read[nth]!]));
      return places.map(({ tile, from, to }) => {
        const hashes = bytes.get(formatTilePath(tile))!;
        if (hashes.length !== tile.width * HASH_BYTES) throw new RangeError(`a tile of ${hashes.length} bytes`);
        return rootOfHashes(hashes.subarray(from * HASH_BYTES, to * HASH_BYTES));
      });
    },
  };
}

/** The tile whose hashes [from, to) are below a node, or are the node. */
function placeOf({ level, index }: TreeNode, size: number): { tile: Tile; from: number; to: number } {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const first = index * count;
  const tile = tileAt(tileLevel, Math.floor(first / TILE_WIDTH), size);
  const from = first % TILE_WIDTH;
  if (!tile || from + count > tile.width) throw new RangeError(`no node ${index} at level ${level} of ${size} leaves`);
  return { tile, from, to: from + count };
}
