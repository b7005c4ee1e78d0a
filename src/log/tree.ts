/**
 * The tree is the RFC 6962 Merkle tree over the links: each link is its entry's leaf hash, a node is
 * SHA-256(0x01 ‖ left ‖ right), and a tree of n leaves splits at the largest power of two below n.
 *
 * Nothing here does I/O. `Frontier` keeps the right edge of a growing tree, O(log n) hashes; proofs ask for the inner
 * nodes that they need through `Hashes`, one method behind which tiles, a table or an array may stand.
 */
import { sha256 } from './hash.js';

declare const brand: unique symbol;

/** A leaf hash, a node or a root: 32 bytes. */
export type Hash = Uint8Array & { readonly [brand]: 'Hash' };

/** The root of a complete subtree: of the leaves [index·2^level, (index+1)·2^level). Level 0 are the leaf hashes. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Where the hashes of complete subtrees are kept. They never change once written. */
export interface Hashes {
  /** One hash for each node asked for, in order. Rejects where a node is not stored. */
  read(nodes: readonly TreeNode[]): Promise<readonly Hash[]>;
}

/** Leaves [from, to) as one subtree of a tree: `from` is a multiple of the largest power of two below `to − from`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const HASH_BYTES = 32;

/** The root of the tree of no leaves, RFC 6962 section 2.1. */
export const EMPTY_ROOT = sha256(new Uint8Array()) as Hash;

const pair = new Uint8Array(1 + 2 * HASH_BYTES);
pair[0] = 1;

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1. */
export function nodeHash(left: Hash, right: Hash): Hash {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair) as Hash;
}

/** Of two hashes that stand side by side. */
export function pairHash(hashes: Uint8Array, at: number): Hash {
  for (let i = 0; i < 2 * HASH_BYTES; i++) pair[1 + i] = hashes[at + i]!;
  return sha256(pair) as Hash;
}

/** The largest power of two below n, for n > 1: where a tree of n leaves splits. */
export function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

/** The complete subtrees that make up a range, from left to right. */
export function nodesOf({ from, to }: Range): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = from; at < to; ) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level++;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** The root over complete subtrees that stand side by side, the larger ones left. */
export function fold(subtrees: readonly Hash[]): Hash {
  return subtrees.length === 0 ? EMPTY_ROOT : subtrees.reduceRight((right, left) => nodeHash(left, right));
}

/** The roots of ranges, read in one go. */
export async function rootsOf(ranges: readonly Range[], hashes: Hashes): Promise<Hash[]> {
  const nodes = ranges.map(nodesOf);
  const read = await hashes.read(nodes.flat());
  let at = 0;
  return nodes.map(({ length }) => {
    at += length;
    return fold(read.slice(at - length, at));
  });
}

/** The root of the tree of the first `size` leaves. */
export async function rootAt(size: number, hashes: Hashes): Promise<Hash> {
  const [root] = await rootsOf([{ from: 0, to: size }], hashes);
  return root!;
}

/** The right edge of a growing tree: the roots of its complete subtrees, enough to append to it and to know its root. */
export class Frontier {
  private count = 0;
  private subtrees: Hash[] = [];

  /** Of a tree that is kept somewhere. @param hashes at least of its complete subtrees */
  static async of(size: number, hashes: Hashes): Promise<Frontier> {
    const frontier = new Frontier();
    frontier.subtrees = [...(await hashes.read(nodesOf({ from: 0, to: size })))];
    frontier.count = size;
    return frontier;
  }

  get size(): number {
    return this.count;
  }

  append(leaf: Hash): void {
    this.put(leaf, 1);
  }

  /** @param leaves side by side */
  appendAll(leaves: Uint8Array): void {
    let at = 0;
    const leaf = () => leaves.slice(at, at + HASH_BYTES) as Hash;
    if (this.count % 2 === 1 && leaves.length > 0) {
      this.append(leaf());
      at = HASH_BYTES;
    }
    for (; at + 2 * HASH_BYTES <= leaves.length; at += 2 * HASH_BYTES) this.put(pairHash(leaves, at), 2);
    if (at < leaves.length) this.append(leaf());
  }

  /** Each one bit at the end of the size, counted in subtrees as large as this one, is a complete subtree that it doubles. */
  private put(subtree: Hash, leaves: 1 | 2): void {
    let hash = subtree;
    for (let rest = this.count / leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(this.subtrees.pop()!, hash);
    }
    this.subtrees.push(hash);
    this.count += leaves;
  }

  root(): Hash {
    return fold(this.subtrees);
  }

  /** The same tree, to grow by itself. */
  clone(): Frontier {
    const clone = new Frontier();
    clone.count = this.count;
    clone.subtrees = [...this.subtrees];
    return clone;
  }
}

/** All hashes of a tree in memory: 64 bytes a leaf. For small logs, and for proofs over an exported one. */
export class HashTable implements Hashes {
  private readonly levels: Hash[][] = [[]];

  get size(): number {
    return this.levels[0]!.length;
  }

  append(leaf: Hash): void {
    this.levels[0]!.push(leaf);
    for (let level = 0; this.levels[level]!.length % 2 === 0; level++) {
      const [left, right] = this.levels[level]!.slice(-2);
      this.levels[level + 1] ??= [];
      this.levels[level + 1]!.push(nodeHash(left!, right!));
    }
  }

  async read(nodes: readonly TreeNode[]): Promise<Hash[]> {
    return nodes.map(({ level, index }) => {
      const hash = this.levels[level]?.[index];
      if (!hash) throw new RangeError(`no node ${index} at level ${level} in a tree of ${this.size} leaves`);
      return hash;
    });
  }
}
