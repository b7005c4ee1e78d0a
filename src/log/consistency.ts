/**
 * A consistency proof shows that a tree is the beginning of a larger one: that nothing in it was changed or removed
 * (RFC 6962 section 2.1.2). Subtree roots from which both roots can be computed, lowest first.
 */
import { equal } from './bytes.js';
import { EMPTY_ROOT, type Hash, type Hashes, nodeHash, type Range, rootsOf, split } from './tree.js';

/** A tree as a checkpoint states it. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/**
 * Empty where `from` is 0 (every tree begins with the empty one) and where both sizes are the same.
 *
 * @throws RangeError unless 0 ≤ from ≤ to, both safe integers
 */
export async function proveConsistency(from: number, to: number, hashes: Hashes): Promise<Hash[]> {
  if (!ordered(from, to)) throw new RangeError(`a tree of ${from} leaves is no beginning of one of ${to}`);
  return from === 0 || from === to ? [] : rootsOf(besides(from, to).ranges, hashes);
}

/** Whether `proof` shows that the tree `from` is the beginning of the tree `to`. */
export function checkConsistency(proof: readonly Hash[], from: TreeHead, to: TreeHead): boolean {
  if (!ordered(from.size, to.size)) return false;
  if (from.size === to.size) return proof.length === 0 && equal(from.root, to.root);
  if (from.size === 0) return proof.length === 0 && equal(from.root, EMPTY_ROOT);
  const { ranges, whole } = besides(from.size, to.size);
  if (proof.length !== ranges.length) return false;
  // Where the old tree is one complete subtree of the new one, its root is known and stays out of the proof.
  let before = whole ? from.root : proof[0]!;
  let after = before;
  for (let i = whole ? 0 : 1; i < ranges.length; i++) {
    if (ranges[i]!.from < from.size) {
      before = nodeHash(proof[i]!, before);
      after = nodeHash(proof[i]!, after);
    } else {
      after = nodeHash(after, proof[i]!);
    }
  }
  return equal(before, from.root) && equal(after, to.root);
}

function ordered(from: number, to: number): boolean {
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to;
}

/**
 * The subtrees of a proof from `old` leaves to `size`, lowest first: one that ends exactly where the old tree ends
 * (left out where it is the whole of the old tree), then those beside the way from it to the root.
 */
function besides(old: number, size: number): { ranges: Range[]; whole: boolean } {
  const ranges: Range[] = [];
  let from = 0;
  let to = size;
  while (to !== old) {
    const middle = from + split(to - from);
    if (old <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  const whole = from === 0;
  if (!whole) ranges.push({ from, to });
  return { ranges: ranges.reverse(), whole };
}
