import { expect } from 'chai';
import fc from 'fast-check';
import { checkConsistency, proveConsistency } from '../../src/log/consistency.js';
import { sha256 } from '../../src/log/hash.js';
import { checkInclusion, proveInclusion } from '../../src/log/inclusion.js';
import {
  formatBundle,
  formatBundlePath,
  formatTilePath,
  lengthOfLevel,
  newTiles,
  parseBundle,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  tileAt,
  tiledHashes,
} from '../../src/log/tile.js';
import { TileEdge } from '../../src/log/tile-edge.js';
import { Frontier, type Hash, HashTable, rootAt } from '../../src/log/tree.js';

const leaf = (index: number) => sha256(new TextEncoder().encode(String(index))) as Hash;

/** A tree of this size, as a table of all its hashes and as the tiles that an edge handed over. */
function grow(size: number) {
  const table = new HashTable();
  const frontier = new Frontier();
  const edge = TileEdge.empty();
  const full = new Map<string, Uint8Array>();
  for (let index = 0; index < size; index++) {
    table.append(leaf(index));
    frontier.append(leaf(index));
    for (const tile of edge.append(leaf(index))) {
      full.set(formatTilePath({ ...tile, width: TILE_WIDTH }), tile.hashes);
    }
  }
  /** Partial tiles out of the table. */
  const read = async (tiles: readonly Tile[]) =>
    Promise.all(
      tiles.map(async (tile) => {
        const stored = full.get(formatTilePath(tile));
        if (stored) return stored;
        const nodes = Array.from({ length: tile.width }, (_, at) => ({
          level: 8 * tile.level,
          index: tile.index * TILE_WIDTH + at,
        }));
        return new Uint8Array(Buffer.concat(await table.read(nodes)));
      }),
    );
  return { table, frontier, edge, full, tiles: { read } };
}

describe('tiles', () => {
  const SIZE = 66_100;
  let tree: ReturnType<typeof grow>;
  before(() => {
    tree = grow(SIZE);
  });

  it('are named as C2SP names them', () => {
    expect(formatTilePath({ level: 0, index: 1_234_067, width: 256 })).to.equal('tile/0/x001/x234/067');
    expect(formatTilePath({ level: 1, index: 0, width: 12 })).to.equal('tile/1/000.p/12');
    expect(formatBundlePath({ index: 1_000, width: 256 })).to.equal('tile/entries/x001/000');
  });

  it('have one name each, which is parsed, and nothing else is', () => {
    const tile = fc.record({ level: fc.nat(63), index: fc.nat(2 ** 40), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(
      fc.property(tile, (any) => {
        expect(parseTilePath(formatTilePath(any))).to.deep.equal(any);
        expect(parseTilePath(formatBundlePath(any))).to.deep.equal({ ...any, level: 'entries' });
      }),
    );
    for (const path of [
      'tile/0/0',
      'tile/00/000',
      'tile/64/000',
      'tile/0/x000/001',
      'tile/0/001/002',
      'tile/0/x01/002',
      'tile/0/000.p/256',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000/',
      '/tile/0/000',
      'tile/data/000',
      'tile/0/000.p/1/../2',
    ]) {
      expect(parseTilePath(path), path).to.equal(null);
    }
  });

  it('hold what the tree holds: every root, and the proofs of any leaf and size', async () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: SIZE }), fc.constantFrom(1, 255, 256, 257, 65_535, 65_536, SIZE));
    const hashes = tiledHashes(SIZE, tree.tiles);
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const index = from - 1;
        const [before, after] = await Promise.all([rootAt(from, hashes), rootAt(to, hashes)]);
        expect(before).to.deep.equal(await rootAt(from, tree.table));
        const inclusion = await proveInclusion(index, to, hashes);
        expect(checkInclusion(inclusion, { index, size: to, leaf: leaf(index), root: after })).to.equal(true);
        const consistency = await proveConsistency(from, to, hashes);
        expect(checkConsistency(consistency, { size: from, root: before }, { size: to, root: after })).to.equal(true);
      }),
      { numRuns: 60 },
    );
  });

  it('are read by few at a time: at most two a level of tiles for a proof', async () => {
    let reads = 0;
    const counted = {
      read: (tiles: readonly Tile[]) => {
        reads += tiles.length;
        return tree.tiles.read(tiles);
      },
    };
    await proveInclusion(40_000, SIZE, tiledHashes(SIZE, counted));
    expect(reads).to.be.at.most(6);
  });

  it('are rejected if they are shorter than their place says', async () => {
    const short = { read: async (tiles: readonly Tile[]) => tiles.map(() => new Uint8Array(32)) };
    const outcome = await rootAt(300, tiledHashes(300, short)).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(RangeError);
  });

  it('grow at their edge, which has the root of the tree, and can be taken up where it was left', async () => {
    expect(await tree.edge.root()).to.deep.equal(tree.frontier.root());
    expect(await TileEdge.empty().root()).to.deep.equal(new Frontier().root());
    for (const size of [1, 255, 256, 257, 65_535, 65_536, 65_537, SIZE - 1]) {
      const edge = await TileEdge.of(size, tree.tiles);
      expect(await edge.root(), `root at ${size}`).to.deep.equal(await rootAt(size, tree.table));
      const filled = Array.from({ length: Math.min(600, SIZE - size) }, (_, at) => edge.append(leaf(size + at))).flat();
      for (const { level, index, hashes } of filled) {
        expect(hashes).to.deep.equal(tree.full.get(formatTilePath({ level, index, width: TILE_WIDTH })));
      }
      expect(await edge.root(), `root on from ${size}`).to.deep.equal(await rootAt(edge.size, tree.table));
    }
  });

  it('that are new are those with hashes that were not there', () => {
    const size = fc.nat(200_000);
    fc.assert(
      fc.property(size, size, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const tiles = [...newTiles(from, to)];
        for (const { level, index, width } of tiles) {
          expect(tileAt(level, index, to)?.width).to.equal(width);
          expect(index * TILE_WIDTH + width).to.be.above(lengthOfLevel(level, from));
        }
        const hashes = tiles.reduce((sum, { width }) => sum + width, 0);
        let added = 0;
        for (let level = 0; lengthOfLevel(level, to) > 0; level++) {
          added += lengthOfLevel(level, to) - lengthOfLevel(level, from);
        }
        expect(hashes).to.be.within(added, added + 255 * 3);
      }),
    );
  });

  it('of entries are bundles, each leaf behind its length', () => {
    const leaves = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 });
    fc.assert(
      fc.property(leaves, (any) => {
        expect(parseBundle(formatBundle(any))).to.deep.equal(any);
      }),
    );
    const long = new Uint8Array(65_535).fill(7);
    expect(parseBundle(formatBundle([long]))).to.deep.equal([long]);
    expect(parseBundle(Uint8Array.of(0))).to.equal(null);
    expect(parseBundle(Uint8Array.of(0, 2, 1))).to.equal(null);
  });
});
