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
import { checkConsistency, proveConsistency, type TreeHead } from '../log/consistency.js';
import type { SigningKey } from '../log/note-key.js';
import { tiledHashes } from '../log/tile.js';
import { type FullTile, TileEdge } from '../log/tile-edge.js';
import type { Mirror } from './mirror.js';
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
  /** Until another may publish where this one does not say so again. */
  readonly leaseSeconds: number;
  /** What is published is compared with it; who follows it there is not the publisher's to know. */
  readonly mirror?: Mirror | undefined;
}

/** Entries between two checkpoints at most, so that what was missed during a long pause is taken up in steps. */
const MOST_ENTRIES = 50_000;
const ENTRIES_AT_ONCE = 5_000;

export function createPublisher({ reader, publications, key, leaseSeconds, mirror }: PublisherParts): Publisher {
  /** Of the tree that was staged last by this publisher. */
  let edge: TileEdge | null = null;

  async function publish(): Promise<Outcome> {
    if (!(await publications.lease(leaseSeconds))) {
      edge = null;
      return 'standby';
    }
    const last = await reader.newestCheckpoint();
    const mirrored = (await mirror?.newest()) ?? null;
    const from = last?.size ?? 0;
    if (edge?.size !== from) edge = await edgeAt(last);
    if (last && last.note === null) {
      await checkFollows([await reader.newestSigned(), mirrored], last);
      return sign(last);
    }

    const growing = edge;
    edge = null;
    // What was mirrored once is signed again at that very size: after a restored backup, say.
    const ahead = mirrored && mirrored.size > from ? mirrored : null;
    const tiles = await grow(growing, ahead?.size ?? from + MOST_ENTRIES);
    const head = { size: growing.size, root: await growing.root() };
    if (ahead && !(head.size === ahead.size && equal(head.root, ahead.root))) throw new LogRewritten(ahead.size);
    if (head.size > from) {
      if (!(await publications.stage(head.size, head.root, tiles))) return 'standby';
      await checkFollows([last, mirrored], head);
    }
    edge = growing;
    return head.size > from ? sign(head) : 'idle';
  }

  async function grow(growing: TileEdge, until: number): Promise<FullTile[]> {
    const tiles: FullTile[] = [];
    for (let more = true; more && growing.size < until; ) {
      const links = await reader.links(growing.size, Math.min(ENTRIES_AT_ONCE, until - growing.size));
      for (const link of links) tiles.push(...growing.append(link));
      more = links.length > 0;
    }
    return tiles;
  }

  /** The edge of the tree as it is stored, which has to be of the tree that was signed. */
  async function edgeAt(last: StagedCheckpoint | null): Promise<TileEdge> {
    if (!last) return TileEdge.empty();
    const stored = await TileEdge.of(last.size, reader);
    if (!equal(await stored.root(), last.root)) throw new LogRewritten(last.size);
    return stored;
  }

  /** By what is stored now, and not by what was computed on the way. */
  async function checkFollows(earlier: readonly (TreeHead | null)[], head: TreeHead): Promise<void> {
    for (const one of earlier) {
      if (!one || one.size > head.size) continue;
      const proof = await proveConsistency(one.size, head.size, tiledHashes(head.size, reader));
      if (!checkConsistency(proof, one, head)) throw new LogRewritten(one.size);
    }
  }

  async function sign({ size, root }: TreeHead): Promise<Published> {
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
