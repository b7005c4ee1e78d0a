/**
 * An inclusion proof shows that a leaf stands at an index of a tree: the roots of the subtrees beside its path, from
 * the leaf's sibling upward (RFC 6962 section 2.1.1). At most ⌈log2 size⌉ hashes.
 */
import { equal } from './bytes.js';
import { type Hash, type Hashes, nodeHash, type Range, rootsOf, split } from './tree.js';

/**
 * @param size of the tree that the proof is for, which may be smaller than the tree that is stored
 * @throws RangeError unless 0 ≤ index < size, both safe integers
 */
export async function proveInclusion(index: number, size: number, hashes: Hashes): Promise<Hash[]> {
  if (!within(index, size)) throw new RangeError(`no index ${index} in a tree of ${size} leaves`);
  return rootsOf(besides(index, { from: 0, to: size }), hashes);
}

/**
 * Whether `proof` leads from the leaf at `index` to the root. Size and root belong together: take both from one
 * checkpoint, for trees of different sizes can share the shape of a path.
 */
export function checkInclusion(
  proof: readonly Hash[],
  claim: { readonly index: number; readonly size: number; readonly leaf: Hash; readonly root: Hash },
): boolean {
  if (!within(claim.index, claim.size)) return false;
  const path = besides(claim.index, { from: 0, to: claim.size });
  if (path.length !== proof.length) return false;
  const root = path.reduce(
    (hash, beside, i) => (beside.from > claim.index ? nodeHash(hash, proof[i]!) : nodeHash(proof[i]!, hash)),
    claim.leaf,
  );
  return equal(root, claim.root);
}

function within(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}

/** The subtrees beside the path from a leaf to the root of `tree`, lowest first. */
function besides(index: number, tree: Range): Range[] {
  const ranges: Range[] = [];
  for (let { from, to } = tree; to - from > 1; ) {
    const middle = from + split(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}
