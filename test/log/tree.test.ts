import { expect } from 'chai';
import { fromHex, toHex } from '../../src/log/bytes.js';
import { checkConsistency, proveConsistency } from '../../src/log/consistency.js';
import { sha256 } from '../../src/log/hash.js';
import { checkInclusion, proveInclusion } from '../../src/log/inclusion.js';
import { linkOf } from '../../src/log/leaf.js';
import { EMPTY_ROOT, Frontier, type Hash, HashTable, rootAt } from '../../src/log/tree.js';

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** RFC 6962 section 2.1, word for word. */
function mth(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return sha256(new Uint8Array()) as Hash;
  if (leaves.length === 1) return leaves[0]!;
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(Buffer.concat([Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k))])) as Hash;
}

/** RFC 6962 section 2.1.1, word for word. */
function path(m: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length === 1) return [];
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return m < k
    ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))];
}

/** RFC 6962 section 2.1.2, word for word. */
function subproof(m: number, leaves: readonly Hash[], whole: boolean): Hash[] {
  if (m === leaves.length) return whole ? [] : [mth(leaves)];
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))];
}

const MOST = 300;
const leaves = Array.from({ length: MOST }, (_, i) => sha256(Uint8Array.of(i & 255, i >> 8)) as Hash);
const table = new HashTable();
for (const leaf of leaves) table.append(leaf);
const roots = Array.from({ length: MOST + 1 }, (_, size) => mth(leaves.slice(0, size)));
const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 255, 256, 257, 299, MOST];

function hex(hashes: readonly Hash[]): string[] {
  return hashes.map(toHex);
}

/** The proof with one bit of each byte changed, with a hash less and with one more. */
function* spoilt(proof: readonly Hash[]): Iterable<Hash[]> {
  for (const [i, hash] of proof.entries()) {
    for (const at of hash.keys()) yield proof.with(i, hash.with(at, hash[at]! ^ 0x10) as Hash);
    yield proof.toSpliced(i, 1);
    yield proof.toSpliced(i, 0, hash);
  }
  yield [...proof, EMPTY_ROOT];
}

describe('tree', () => {
  for (const [size, root] of ROOTS.entries()) {
    it(`has the root of RFC 6962 at size ${size}`, () => {
      const frontier = new Frontier();
      for (const leaf of LEAVES.slice(0, size)) frontier.append(fromHex(linkOf(fromHex(leaf)!)) as Hash);
      expect(toHex(frontier.root())).to.equal(root);
    });
  }

  it(`has the root of the definition at every size up to ${MOST}, growing and stored`, async () => {
    const frontier = new Frontier();
    for (const [i, leaf] of leaves.entries()) {
      expect(toHex(frontier.root()), `size ${i}`).to.equal(toHex(roots[i]!));
      expect(toHex(await rootAt(i, table)), `size ${i}`).to.equal(toHex(roots[i]!));
      frontier.append(leaf);
    }
    expect(frontier.size).to.equal(MOST);
  });

  it('reads no node that is not stored', async () => {
    const rejected = await rootAt(MOST + 1, table).catch((error) => error);
    expect(rejected).to.be.instanceOf(RangeError);
  });
});

describe('inclusion proof', () => {
  it('is that of the definition, and leads from every leaf to the root', async () => {
    for (const size of sizes) {
      for (let index = 0; index < size; index++) {
        const proof = await proveInclusion(index, size, table);
        expect(hex(proof)).to.deep.equal(hex(path(index, leaves.slice(0, size))));
        const claim = { index, size, leaf: leaves[index]!, root: roots[size]! };
        expect(checkInclusion(proof, claim), `${index} of ${size}`).to.equal(true);
      }
    }
  });

  it('fails with any other index, leaf or root, and with the root of any other size', async () => {
    for (const size of [1, 2, 3, 7, 8, 13, 64, 100]) {
      for (let index = 0; index < size; index++) {
        const proof = await proveInclusion(index, size, table);
        const claim = { index, size, leaf: leaves[index]!, root: roots[size]! };
        for (let other = -1; other <= size; other++) {
          if (other === index) continue;
          expect(checkInclusion(proof, { ...claim, index: other }), `${index}→${other} of ${size}`).to.equal(false);
          expect(checkInclusion(proof, { ...claim, leaf: leaves[other] ?? EMPTY_ROOT })).to.equal(false);
        }
        for (const other of sizes) {
          if (other !== size)
            expect(checkInclusion(proof, { ...claim, size: other, root: roots[other]! })).to.equal(false);
        }
      }
    }
  });

  it('fails with every changed byte', async () => {
    for (const [index, size] of [
      [0, 1],
      [0, 7],
      [6, 7],
      [12, 13],
      [299, 300],
    ] as const) {
      const claim = { index, size, leaf: leaves[index]!, root: roots[size]! };
      for (const proof of spoilt(await proveInclusion(index, size, table))) {
        expect(checkInclusion(proof, claim)).to.equal(false);
      }
    }
  });

  it('is refused for an index outside the tree', async () => {
    for (const [index, size] of [
      [0, 0],
      [7, 7],
      [-1, 7],
      [0.5, 7],
    ] as const) {
      expect(await proveInclusion(index, size, table).catch((error) => error)).to.be.instanceOf(RangeError);
    }
  });
});

describe('consistency proof', () => {
  it('is that of the definition, and leads from every size to every larger one', async () => {
    for (const to of sizes) {
      for (let from = 0; from <= to; from++) {
        const proof = await proveConsistency(from, to, table);
        if (from > 0) expect(hex(proof)).to.deep.equal(hex(subproof(from, leaves.slice(0, to), true)));
        const heads = [
          { size: from, root: roots[from]! },
          { size: to, root: roots[to]! },
        ] as const;
        expect(checkConsistency(proof, ...heads), `${from}→${to}`).to.equal(true);
      }
    }
  });

  it('fails with every changed byte, and with any other root or size', async () => {
    for (const [from, to] of [
      [1, 2],
      [3, 7],
      [4, 7],
      [6, 8],
      [7, 7],
      [0, 5],
      [129, 300],
      [256, 300],
    ] as const) {
      const proof = await proveConsistency(from, to, table);
      const [old, now] = [
        { size: from, root: roots[from]! },
        { size: to, root: roots[to]! },
      ];
      for (const other of spoilt(proof)) expect(checkConsistency(other, old, now), `${from}→${to}`).to.equal(false);
      for (const size of [from - 1, from + 1].filter((other) => other >= 0)) {
        const head = { size, root: roots[size]! };
        expect(checkConsistency(proof, head, now), `${size} for ${from}→${to}`).to.equal(false);
        expect(checkConsistency(proof, { ...head, size: from }, now), `root ${size} for ${from}→${to}`).to.equal(false);
      }
      // Every tree begins with the empty one, whatever its size and root.
      for (const size of from === 0 ? [] : [to - 1, to + 1]) {
        const head = { size, root: roots[size] ?? EMPTY_ROOT };
        expect(checkConsistency(proof, old, head), `${size} for ${from}→${to}`).to.equal(false);
        expect(checkConsistency(proof, old, { ...head, size: to }), `root ${size} for ${from}→${to}`).to.equal(false);
      }
    }
  });
});

describe('a growing tree', () => {
  it('takes leaves side by side as it takes them one by one', () => {
    const all = new Uint8Array(40 * 32).map((_, i) => (i * 31) >> 3);
    const leaf = (at: number) => all.slice(32 * at, 32 * (at + 1)) as Hash;
    for (let first = 0; first < 9; first++) {
      for (let second = 0; second < 31; second++) {
        const [one, other] = [new Frontier(), new Frontier()];
        for (let at = 0; at < first + second; at++) one.append(leaf(at));
        other.appendAll(all.subarray(0, 32 * first));
        other.appendAll(all.subarray(32 * first, 32 * (first + second)));
        expect([other.size, toHex(other.root())]).to.deep.equal([one.size, toHex(one.root())]);
      }
    }
  });
});
