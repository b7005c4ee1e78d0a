/**
 * The publisher extends the log's tree, and signs a checkpoint of it: the promise, to everybody, that these entries and no
 * others stand there. Of any number of servers one publishes at a time, and another within seconds of its death.
 *
 * A size and its root are staged first, in a transaction of their own that allows no second root for a size and no smaller
 * size; they are signed when that is on disk, and after the tiles in the database have shown that the new tree begins with
 * the last. What a publisher left half done, the next one takes up: it signs what was staged.
 */

import { equal } from '../log/bytes.js';
import { signCheckpoint } from '../log/checkpoint.js';
import { checkConsistency, proveConsistency } from '../log/consistency.js';
import type { SigningKey } from '../log/note-key.js';
import { tiledHashes } from '../log/tile.js';
import { TileEdge } from '../log/tile-edge.js';
import type { Hash } from '../log/tree.js';
import type { Publications } from './publications.js';
import type { StagedCheckpoint, TreeReader } from './tree-reader.js';

/** A checkpoint that this publisher has signed. */
export interface Published {
  readonly size: number;
  readonly note: string;
}

/** Standby: another publishes. Idle: there is nothing new. */
export type Outcome = 'standby' | 'idle' | Published;

/** The log is not what was signed: its entries, or its tiles, were changed. Nothing is signed any more. */
export class LogRewritten extends Error {
  override readonly name = 'LogRewritten';
  constructor(readonly size: number) {
    super(`the log no longer leads to the root that was signed for its first ${size} entries: verify it`);
  }
}

export interface Publisher {
  /**
   * One step: at most one checkpoint. Safe to call again after whatever it throws.
   *
   * @throws LogRewritten; LedgerFault, NotThere
   */
  publish(): Promise<Outcome>;
  /** Lets another publish at once. */
  release(): Promise<void>;
}

export interface PublisherParts {
  readonly reader: TreeReader;
  readonly publications: Publications;
  /** The log's: its name is the log's origin. */
  readonly key: SigningKey;
}

/** Until another may publish where this one does not say so again, in seconds. */
const LEASE_SECONDS = 4;

/** Entries between two checkpoints at most, so that what was missed during a long pause is taken up in steps. */
const MOST_ENTRIES = 50_000;
const ENTRIES_AT_ONCE = 5_000;

export function createPublisher({ reader, publications, key }: PublisherParts): Publisher {
  /** Of the tree that was staged last by this publisher. */
  let edge: TileEdge | null = null;

  async function publish(): Promise<Outcome> {
    if (!(await publications.lease(LEASE_SECONDS))) {
      edge = null;
      return 'standby';
    }
    const last = await reader.newestCheckpoint();
    const from = last?.size ?? 0;
    if (edge?.size !== from) edge = await edgeAt(last);
    if (last && last.note === null) {
      await checkFollows(await reader.newestSigned(), last.size, last.root);
      return sign(last.size, last.root);
    }

    const growing = edge;
    edge = null;
    const tiles = [];
    for (let read = -1; read !== 0 && growing.size - from < MOST_ENTRIES; ) {
      const links = await reader.links(growing.size, ENTRIES_AT_ONCE);
      for (const link of links) tiles.push(...growing.append(link));
      read = links.length;
    }
    const { size } = growing;
    if (size === from) {
      edge = growing;
      return 'idle';
    }
    const root = await growing.root();
    if (!(await publications.stage(size, root, tiles))) return 'standby';
    await checkFollows(last, size, root);
    edge = growing;
    return sign(size, root);
  }

  /** The edge of the tree as it is stored, which has to be of the tree that was signed. */
  async function edgeAt(last: StagedCheckpoint | null): Promise<TileEdge> {
    if (!last) return TileEdge.empty();
    const stored = await TileEdge.of(last.size, reader);
    if (!equal(await stored.root(), last.root)) throw new LogRewritten(last.size);
    return stored;
  }

  /** By what is stored now, and not by what was computed on the way. */
  async function checkFollows(
    last: Pick<StagedCheckpoint, 'size' | 'root'> | null,
    size: number,
    root: Hash,
  ): Promise<void> {
    if (!last) return;
    const proof = await proveConsistency(last.size, size, tiledHashes(size, reader));
    if (!checkConsistency(proof, last, { size, root })) throw new LogRewritten(last.size);
  }

  async function sign(size: number, root: Hash): Promise<Published> {
    const note = signCheckpoint({ origin: key.name, size, root }, key);
    await publications.sign(size, note);
    return { size, note };
  }

  return {
    publish,
    async release() {
      edge = null;
      await publications.release();
    },
  };
}
