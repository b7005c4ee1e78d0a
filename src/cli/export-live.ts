/**
 * A live export is one from a server, up to the checkpoint that it shows: every leaf must name the link of the leaf before
 * it, and together they must be the beginning of the tree that the checkpoint is of.
 */
import { hexBytes, toHex } from '../log/bytes.js';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../log/checkpoint.js';
import { checkConsistency, proveConsistency } from '../log/consistency.js';
import { checkInclusion, proveInclusion } from '../log/inclusion.js';
import { GENESIS, linkOf, parseLeaf } from '../log/leaf.js';
import { NoteError, parseNote } from '../log/note.js';
import type { VerifierKey } from '../log/note-key.js';
import type { StoredEntry } from '../log/reading.js';
import { TILE_WIDTH, tiledHashes } from '../log/tile.js';
import { Frontier, type Hash } from '../log/tree.js';
import type { ExportSource } from './export-source.js';
import { CommandFault } from './fault.js';
import type { LiveLog } from './live-log.js';
import { formatCount } from './progress.js';
import { bundlesOf, inOrder } from './verify-live.js';

/** @param key the log's, if the signature is to be checked */
export async function fromServer(live: LiveLog, key: VerifierKey | null): Promise<ExportSource> {
  const head = open(live, await live.checkpoint(), key);
  const { size } = head;
  const hashes = tiledHashes(size, live);
  const signed = key
    ? 'a checkpoint that the log signed'
    : 'a checkpoint whose signature nobody checked: there was no --key';

  /** What entries are held against must be of the checkpoint itself. */
  async function linkAt(index: number): Promise<string | null> {
    const [link] = index < size ? await hashes.read([{ level: 0, index }]) : [];
    if (!link) return null;
    const proof = await proveInclusion(index, size, hashes);
    if (checkInclusion(proof, { index, size, leaf: link, root: head.root })) return toHex(link);
    throw new CommandFault(
      `${live.url.href}: the link of entry ${index} is not of its checkpoint: verify ${live.url.href}`,
    );
  }

  async function* pages(from: number, last: number): AsyncGenerator<StoredEntry[]> {
    const tree = from === 0 ? new Frontier() : await Frontier.of(from, hashes);
    let prev: string = from === 0 ? GENESIS : (await linkAt(from - 1))!;
    for await (const [bundle, leaves] of inOrder(
      bundlesOf(from, last + 1),
      async (one) => [one, await live.leaves(one)] as const,
    )) {
      const first = bundle.index * TILE_WIDTH;
      const page: StoredEntry[] = [];
      for (let nth = Math.max(0, from - first); nth < bundle.width; nth++) {
        const index = first + nth;
        const leaf = leaves[nth];
        if (!leaf) throw new CommandFault(`${live.url.href}: entry ${index} is not served: verify ${live.url.href}`);
        const placed = parseLeaf(leaf);
        if (placed?.index !== index || placed.prev !== prev) {
          throw new CommandFault(
            `${live.url.href}: entry ${index} does not follow the one before it: verify ${live.url.href}`,
          );
        }
        const link = linkOf(leaf);
        page.push({ index, link, leaf });
        tree.append(hexBytes(link) as Hash);
        prev = link;
      }
      yield page;
    }
    const exported = { size: last + 1, root: tree.root() };
    if (checkConsistency(await proveConsistency(exported.size, size, hashes), exported, head)) return;
    throw new CommandFault(`${live.url.href}: the entries are not those of its checkpoint: verify ${live.url.href}`);
  }

  const checked = `each link, up to ${signed}, of ${formatCount(size)} entries`;
  return { origin: head.origin, size, linkAt, pages, checked };
}

function open({ url }: LiveLog, note: string, key: VerifierKey | null): Checkpoint {
  try {
    const head = key ? openCheckpoint(note, key) : parseCheckpoint(parseNote(note).text);
    if (head) return head;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    if (error.code !== 'MALFORMED') throw new CommandFault(`${url.href}checkpoint: it is not signed by --key`);
  }
  throw new CommandFault(`${url.href}checkpoint: it is no checkpoint`);
}
