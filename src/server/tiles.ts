/**
 * What is published of the log, over HTTP, as C2SP tlog-tiles has it: so that monitors and witnesses of others' making can
 * follow it.
 *
 *     GET /checkpoint                        anybody
 *     GET /tile/<L>/<N>[.p/<W>]              anybody: hashes
 *     GET /tile/entries/<N>[.p/<W>]          bearer token of a reviewer: leaves
 *
 * Leaves are pseudonymous, and personal data all the same. Whoever reads them opens a reading session, which is an entry;
 * what is fetched within it makes none, or a monitor would have to read what its reading made, without end.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../graphql/fault.js';
import { formatNoteOf } from '../ledger/prover.js';
import { NotThere, type SignedCheckpoint, type TreeReader } from '../ledger/tree-reader.js';
import { type Bundle, formatBundle, lengthOfLevel, parseTilePath, TILE_WIDTH } from '../log/tile.js';

export interface PublishedLog {
  readonly tree: TreeReader;
  /** How many cosignatures a checkpoint is to have; 0: there are no witnesses. */
  readonly quorum: number;
  readonly now: () => Date;
}

export interface TilesOptions extends PublishedLog {
  /** Returns once the caller's reading stands in the log. @throws Unauthenticated, Refusal */
  readonly enterReading: (request: FastifyRequest) => Promise<void>;
}

/** How far the newest cosigned checkpoint may be behind the newest signed one before that is shown in its place. */
const PATIENCE_MS = 10_000;

/** What was published never changes. */
const FOR_EVER = 'max-age=31536000, immutable';

export function addTiles(app: FastifyInstance, published: TilesOptions): void {
  const { tree, enterReading } = published;

  app.get('/checkpoint', async (_, reply) => {
    const checkpoint = await shownCheckpoint(published);
    if (!checkpoint) throw new Fault('NOT_FOUND');
    return reply.header('cache-control', 'no-cache').type('text/plain; charset=utf-8').send(formatNoteOf(checkpoint));
  });

  app.get('/tile/*', async (request, reply) => {
    const tile = parseTilePath(`tile/${(request.params as { '*': string })['*']}`);
    if (!tile) throw new Fault('NOT_FOUND');
    const { level, ...place } = tile;
    if (level === 'entries') await enterReading(request);
    await checkPublished(level === 'entries' ? 0 : level, place);
    if (level === 'entries') return send(reply, 'private', formatBundle(await orNotFound(leavesOf(place))));
    const [hashes] = await orNotFound(tree.read([{ level, ...place }]));
    return send(reply, 'public', hashes!);
  });

  /** Only what a signed checkpoint covers. A partial tile is served at any width that it has had. */
  async function checkPublished(level: number, { index, width }: Bundle): Promise<void> {
    const signed = await tree.newestSigned();
    if (!signed || index * TILE_WIDTH + width > lengthOfLevel(level, signed.size)) throw new Fault('NOT_FOUND');
  }

  function leavesOf({ index, width }: Bundle): Promise<Uint8Array[]> {
    return tree.leaves(index * TILE_WIDTH, width);
  }
}

/** What was published and is gone is not there, to whoever verifies: a fault of ours would only have them try again. */
async function orNotFound<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw error instanceof NotThere ? new Fault('NOT_FOUND') : error;
  }
}

function send(reply: FastifyReply, who: 'public' | 'private', bytes: Uint8Array): FastifyReply {
  return reply
    .header('cache-control', `${who}, ${FOR_EVER}`)
    .type('application/octet-stream')
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** The newest that enough witnesses have cosigned; or the newest of all, where the witnesses are too far behind. */
async function shownCheckpoint({ tree, quorum, now }: PublishedLog): Promise<SignedCheckpoint | null> {
  const newest = await tree.newestSigned();
  if (!newest || quorum === 0 || newest.cosignatures.length >= quorum) return newest;
  const cosigned = await tree.newestSigned(quorum);
  return cosigned && now().getTime() - cosigned.stagedAt.getTime() < PATIENCE_MS ? cosigned : newest;
}
