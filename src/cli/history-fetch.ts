/**
 * How a person's history is fetched from a server: ask, with a fresh challenge; wait until a checkpoint covers the entry of
 * the asking; then take all lines under that same checkpoint, page by page.
 */
import { openCheckpoint } from '../log/checkpoint.js';
import { NoteError } from '../log/note.js';
import { ProofError, parseProof } from '../log/proof.js';
import type { ProvenHistory } from '../log/proven-history.js';
import { meetsQuorum, type Trust } from './key-options.js';
import { type Client, objectOf, ServerError, strange } from './server-client.js';

export interface Fetched {
  /** How many entries there are, as the server says. */
  readonly count: number;
  /** How many entries the fetching itself made, after that of the asking. */
  readonly more: number;
  /** In the order of the lines: what a proof file holds. */
  readonly files: readonly ProofFile[];
}

export interface ProofFile {
  readonly file: string;
  readonly leaf: string | null;
}

export interface FetchOptions {
  readonly client: Client;
  /** 64 hex digits. */
  readonly challenge: string;
  readonly trust: Trust;
  /** How long to wait for a checkpoint, and for witnesses to cosign it, in milliseconds. */
  readonly patience: number;
  /** Milliseconds, of any clock that only goes forward. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

const ASK = `query ($challenge: String!) {
  whoAccessedMyData(challenge: $challenge, merge: false, first: 1) {
    count entry { index } pageInfo { endCursor }
  }
}`;
const PROVE = 'query ($index: LogIndex!) { disclosureProof(index: $index) { file leaf } }';
const PAGE = `query ($challenge: String!, $after: String!, $under: LogIndex!) {
  whoAccessedMyData(challenge: $challenge, merge: false, first: 100, after: $after) {
    edges { node { newest { proof(under: $under) { file leaf } } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

const AGAIN_MS = 250;

/**
 * @param history takes the lines
 * @returns null where no checkpoint covered the asking in time
 * @throws HistoryError; CommandFault
 */
export async function fetchHistory(history: ProvenHistory, options: FetchOptions): Promise<Fetched | null> {
  const { client, challenge } = options;
  const asked = objectOf(objectOf(await client.ask(ASK, { challenge })).whoAccessedMyData);
  const { count, entry } = asked;
  const { index } = objectOf(entry);
  if (typeof count !== 'number' || typeof index !== 'number') throw strange();
  const own = await proofOfAsking(index, options);
  if (!own) return null;
  const files = [own];
  history.take(own.file, own.leaf);

  const under = history.checkpoint!.size;
  let more = 0;
  let page = asked;
  while (history.next !== 0) {
    const after = objectOf(page.pageInfo).endCursor;
    if (typeof after !== 'string') break;
    page = objectOf(objectOf(await client.ask(PAGE, { challenge, after, under })).whoAccessedMyData);
    more++;
    const lines = linesOf(page.edges);
    if (lines.length === 0) break;
    for (const { file, leaf } of lines) history.take(file, leaf);
    files.push(...lines);
  }
  history.conclude(count);
  return { count, more, files };
}

function linesOf(edges: unknown): ProofFile[] {
  if (!Array.isArray(edges)) throw strange();
  return edges.map((edge) => {
    const { newest } = objectOf(objectOf(edge).node);
    return proofIn(objectOf(newest).proof);
  });
}

function proofIn(proof: unknown): ProofFile {
  if (proof === null) return { file: '', leaf: null };
  const { file, leaf } = objectOf(proof);
  if (typeof file !== 'string' || !(typeof leaf === 'string' || leaf === null)) throw strange();
  return { file, leaf };
}

/** As soon as a checkpoint covers it, and enough witnesses have cosigned that; or the best there is when patience ends. */
async function proofOfAsking(
  index: number,
  { client, trust, patience, now, wait }: FetchOptions,
): Promise<ProofFile | null> {
  const until = now() + patience;
  for (;;) {
    const proof = await proofIfCovered(client, index);
    if ((proof && isCosigned(proof, trust)) || now() >= until) return proof;
    await wait(AGAIN_MS);
  }
}

/** Null while no checkpoint covers it. */
async function proofIfCovered(client: Client, index: number): Promise<ProofFile | null> {
  try {
    return proofIn(objectOf(await client.ask(PROVE, { index })).disclosureProof);
  } catch (error) {
    if (error instanceof ServerError && error.code === 'CHECKPOINT_PENDING') return null;
    throw error;
  }
}

/** What proves nothing is not waited for: whoever takes it says why. */
function isCosigned({ file }: ProofFile, trust: Trust): boolean {
  try {
    return meetsQuorum(openCheckpoint(parseProof(file).checkpoint, trust.key, trust.witnesses), trust);
  } catch (error) {
    if (error instanceof ProofError || error instanceof NoteError) return true;
    throw error;
  }
}
