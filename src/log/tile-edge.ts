/**
 * The edge of a growing tree of tiles: the partial tile of each level, which is all that it takes to append to the tree, to
 * know its root, and to hand over each tile when it is full.
 */
import { concat } from './bytes.js';
import { rootOfHashes, TILE_WIDTH, type Tile, type Tiles, tileAt, tiledHashes } from './tile.js';
import { type Hash, rootAt } from './tree.js';

/** A tile that is full, and the one hash that stands for it on the level above. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
  readonly root: Hash;
}

export class TileEdge {
  private constructor(
    private count: number,
    /** The hashes of each level's partial tile. */
    private readonly levels: Hash[][],
  ) {}

  static empty(): TileEdge {
    return new TileEdge(0, []);
  }

  /** The edge of a tree of `size` leaves whose tiles are kept somewhere. */
  static async of(size: number, tiles: Tiles): Promise<TileEdge> {
    const partial = partialTiles(size);
    const read = await tiles.read(partial);
    const levels: Hash[][] = [];
    partial.forEach(({ level, width }, nth) => {
      levels[level] = Array.from({ length: width }, (_, at) => read[nth]!.slice(at * 32, at * 32 + 32) as Hash);
    });
    for (let level = 0; level < levels.length; level++) levels[level] ??= [];
    return new TileEdge(size, levels);
  }

  get size(): number {
    return this.count;
  }

  /** @returns the tiles that this leaf fills, from level 0 upward */
  append(link: Hash): FullTile[] {
    const filled: FullTile[] = [];
    this.count++;
    for (let level = 0, hash = link, more = true; more; level++) {
      const tile = this.levels[level] ?? [];
      this.levels[level] = tile;
      tile.push(hash);
      more = tile.length === TILE_WIDTH;
      if (!more) break;
      const hashes = concat(...tile);
      hash = rootOfHashes(hashes);
      filled.push({ level, index: this.count / TILE_WIDTH ** (level + 1) - 1, hashes, root: hash });
      this.levels[level] = [];
    }
    return filled;
  }

  root(): Promise<Hash> {
    const read = async (tiles: readonly Tile[]) => tiles.map(({ level }) => concat(...this.levels[level]!));
    return rootAt(this.count, tiledHashes(this.count, { read }));
  }
}

/** Every complete subtree at the end of a tree stands in one of these. */
function partialTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level++) {
    const length = Math.floor(size / TILE_WIDTH ** level);
    const tile = length % TILE_WIDTH === 0 ? null : tileAt(level, Math.floor(length / TILE_WIDTH), size);
    if (tile) tiles.push(tile);
  }
  return tiles;
}
