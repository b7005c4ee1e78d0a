/**
 * A prover makes proofs out of what is published: that an entry is in the log, and that the log of one size is the
 * beginning of that of a larger. A proof reads at most one tile of each level, whatever the log's size, and a batch of
 * proofs reads all of theirs in one statement.
 */
import DataLoader from 'dataloader';
import { proveConsistency } from '../log/consistency.js';
import { proveInclusion } from '../log/inclusion.js';
import type { LogIndex } from '../log/leaf.js';
import { formatProof } from '../log/proof.js';
import { tiledHashes } from '../log/tile.js';
import type { Hash, Hashes, TreeNode } from '../log/tree.js';
import type { SignedCheckpoint, TreeReader } from './tree-reader.js';

/** The newest checkpoints, at one moment. Null while there is none. */
export interface Published {
  readonly signed: SignedCheckpoint | null;
  /** By as many witnesses as the log asks for, one at least. */
  readonly cosigned: SignedCheckpoint | null;
}

/** How far an entry has come. Each state includes those before it. */
export type EntryState = 'appended' | 'checkpointed' | 'cosigned';

export interface Prover {
  published(): Promise<Published>;
  /** Null where none of this size was signed. */
  checkpointAt(size: number): Promise<SignedCheckpoint | null>;
  /**
   * Disclosure proofs, as the text of `.tlog-proof` files, in the order of the indices.
   *
   * @param indices below the checkpoint's size
   * @throws NotThere where a tile that was published is no longer there
   */
  proveEntries(checkpoint: SignedCheckpoint, indices: readonly LogIndex[]): Promise<string[]>;
  /** @param to covered by a checkpoint @throws RangeError unless 0 ≤ from ≤ to; NotThere */
  proveConsistency(from: number, to: number): Promise<Hash[]>;
}

/** @param quorum how many witnesses make a checkpoint a cosigned one, from 1 */
export function createProver(tree: TreeReader, quorum: number): Prover {
  return {
    async published() {
      const [signed, cosigned] = await Promise.all([tree.newestSigned(), tree.newestSigned(quorum)]);
      return { signed, cosigned };
    },
    checkpointAt: (size) => tree.signedAt(size),
    async proveEntries(checkpoint, indices) {
      const { size } = checkpoint;
      const hashes = readTogether(tiledHashes(size, tree));
      const note = formatNoteOf(checkpoint);
      return Promise.all(
        indices.map(async (index) =>
          formatProof({ index, hashes: await proveInclusion(index, size, hashes), checkpoint: note }),
        ),
      );
    },
    proveConsistency: (from, to) => proveConsistency(from, to, tiledHashes(to, tree)),
  };
}

/** What is asked for in one turn is read at once, and each node once. */
function readTogether(hashes: Hashes): Hashes {
  const loader = new DataLoader<TreeNode, Hash, string>((nodes) => hashes.read(nodes), {
    cacheKeyFn: ({ level, index }) => `${level}/${index}`,
  });
  return { read: (nodes) => Promise.all(nodes.map((node) => loader.load(node))) };
}

/** The checkpoint as everybody gets it: the log's note, and below it the lines of its witnesses. */
export function formatNoteOf({ note, cosignatures }: SignedCheckpoint): string {
  return [note, ...cosignatures.map((line) => `${line}\n`)].join('');
}

export function stateOf(index: LogIndex, { signed, cosigned }: Published): EntryState {
  if (cosigned && index < cosigned.size) return 'cosigned';
  return signed && index < signed.size ? 'checkpointed' : 'appended';
}

/** The checkpoint that proves most of an entry: the newest cosigned one that covers it, or the newest signed one. */
export function bestFor(index: LogIndex, { signed, cosigned }: Published): SignedCheckpoint | null {
  return [cosigned, signed].find((one) => one && index < one.size) ?? null;
}
