/**
 * The verbs by which proofs are asked for: reviewers have them of every entry, people of those about themselves.
 *
 * A proof is worth nothing without the leaf, so whoever may have the proof gets the leaf. To a person it shows more than
 * their history in plain words: of staff, and of another user who was refused, the pseudonym. Without it they would have to
 * take our word for what each line says, which is what a proof is for; and a leaf cannot be shown in part, for its link is
 * the hash of all of it. It names nobody, and holds no value.
 */
import DataLoader from 'dataloader';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { bestFor, type EntryState, formatNoteOf, type Published, stateOf } from '../../ledger/prover.js';
import type { SignedCheckpoint } from '../../ledger/tree-reader.js';
import { toBase64 } from '../../log/bytes.js';
import type { LogIndex } from '../../log/leaf.js';
import { refused } from '../../policy/refusal.js';
import { refusedByRole } from '../../policy/role.js';
import { ENTRY_COLUMNS, type EntryRow, indexOf, readLeaf } from './entry.entity.js';
import { historySession, readingSession } from './reading-session.js';

export interface DisclosureProof {
  readonly index: LogIndex;
  /** The `.tlog-proof` file. */
  readonly file: string;
  /** Null for a person where it no longer says that it is about them: somebody has edited it. */
  readonly leaf: string | null;
}

/** One entry, and the size of the checkpoint that is to prove it; null for the best there is. */
export interface ProofAsk {
  readonly index: LogIndex;
  readonly under: number | null;
}

/** Null where the log is not that long. @throws Refusal, with its entry; Fault CHECKPOINT_PENDING, NO_SUCH_ID, BAD_INPUT */
export async function disclosureProof(context: Context, ask: ProofAsk): Promise<DisclosureProof | null> {
  const { actor, gate } = context;
  if (actor.kind !== 'user') {
    await readingSession(context, 'disclosureProof');
    return proofOf(context, ask);
  }
  await historySession(context, 'disclosureProof');
  const proof = await proofOf(context, ask);
  if (proof) return proof;
  // Whether it is another's or nobody's is nothing to them.
  const deed = { event: 'history.read', operation: 'disclosureProof', data: null } as const;
  return gate.refuse(deed, refused('NOT_YOUR_DATA', 'to be the person'));
}

const loaders = new WeakMap<Context, DataLoader<ProofAsk, DisclosureProof | null, string>>();

/**
 * The proof of an entry that the actor may see: for reviewers any, for others one about themselves; null where there is no
 * such entry. What is asked for in one turn is read together, in as many statements for a page as for one.
 *
 * @throws Fault CHECKPOINT_PENDING; NO_SUCH_ID where `under` is the size of no checkpoint; BAD_INPUT where it is too small
 */
export function proofOf(context: Context, ask: ProofAsk): Promise<DisclosureProof | null> {
  let loader = loaders.get(context);
  if (!loader) {
    loader = new DataLoader((asks) => proofsOf(context, asks), {
      cacheKeyFn: ({ index, under }) => `${index} ${under}`,
    });
    loaders.set(context, loader);
  }
  return loader.load(ask);
}

type Answer = DisclosureProof | null | Error;

async function proofsOf(context: Context, asks: readonly ProofAsk[]): Promise<Answer[]> {
  const leaves = await readLeaves(context, [...new Set(asks.map(({ index }) => index))]);
  const checkpointFor = await checkpointsFor(context, asks);
  const answers = new Map<ProofAsk, Answer>();
  const provable = new Map<SignedCheckpoint, ProofAsk[]>();
  for (const ask of asks) {
    const checkpoint = leaves.has(ask.index) ? checkpointFor(ask) : null;
    if (checkpoint === null || checkpoint instanceof Fault) answers.set(ask, checkpoint);
    else provable.set(checkpoint, [...(provable.get(checkpoint) ?? []), ask]);
  }
  for (const [checkpoint, group] of provable) {
    const indices = group.map(({ index }) => index);
    const files = await context.prover.proveEntries(checkpoint, indices);
    group.forEach((ask, nth) => {
      answers.set(ask, { index: ask.index, file: files[nth]!, leaf: leaves.get(ask.index) ?? null });
    });
  }
  return asks.map((ask) => answers.get(ask) ?? null);
}

/** The leaves of those entries that are there, and that the actor may see. */
async function readLeaves(
  { actor, log, rows }: Context,
  indices: readonly LogIndex[],
): Promise<Map<LogIndex, string | null>> {
  const isReviewer = refusedByRole(actor, 'log.read') === null;
  const found: EntryRow[] = await rows.query(
    `SELECT ${ENTRY_COLUMNS} FROM ledger.entry e
     WHERE e.log = $1 AND e.index = ANY ($2::bigint[])${isReviewer ? '' : ' AND e.subject = $3'}`,
    [log, indices, ...(isReviewer ? [] : [actor.id])],
  );
  // The column finds the entry and proves nothing: what is shown of whom is for the leaf to say.
  const isShown = ({ leaf }: EntryRow) => isReviewer || readLeaf(leaf)?.body.subject === actor.id;
  return new Map(found.map((row) => [indexOf(row), isShown(row) ? row.leaf : null]));
}

async function checkpointsFor(
  context: Context,
  asks: readonly ProofAsk[],
): Promise<(ask: ProofAsk) => SignedCheckpoint | Fault> {
  const newest = await published(context);
  const sizes = [...new Set(asks.map(({ under }) => under).filter((size) => size !== null))];
  const found = await Promise.all(sizes.map((size) => context.prover.checkpointAt(size)));
  const named = new Map(sizes.map((size, nth) => [size, found[nth]]));
  return ({ index, under }) => {
    if (under === null) return bestFor(index, newest) ?? new Fault('CHECKPOINT_PENDING');
    if (index >= under)
      return new Fault('BAD_INPUT', { detail: '"under" is the size of a log that has no such entry.' });
    return named.get(under) ?? new Fault('NO_SUCH_ID', { detail: '"under" is the size of no checkpoint.' });
  };
}

const newest = new WeakMap<Context, Promise<Published>>();

/** As it was when the operation first asked. */
function published(context: Context): Promise<Published> {
  const known = newest.get(context) ?? context.prover.published();
  newest.set(context, known);
  return known;
}

/** How far an entry had come when the operation first asked. */
export async function entryState(context: Context, index: LogIndex): Promise<EntryState> {
  return stateOf(index, await published(context));
}

export interface ConsistencyProof {
  readonly from: LogIndex;
  readonly to: LogIndex;
  /** Base64, lowest first. */
  readonly hashes: readonly string[];
  /** The signed note of size `to`; null where none was signed of that size. */
  readonly checkpoint: string | null;
}

/** For reviewers. @throws Refusal, with its entry; Fault BAD_INPUT, CHECKPOINT_PENDING */
export async function consistencyProof(context: Context, from: LogIndex, to: LogIndex): Promise<ConsistencyProof> {
  await readingSession(context, 'consistencyProof');
  if (from > to) throw new Fault('BAD_INPUT', { detail: '"from" is larger than "to".' });
  const { signed } = await published(context);
  if (to > (signed?.size ?? 0)) throw new Fault('CHECKPOINT_PENDING');
  const [hashes, checkpoint] = await Promise.all([
    context.prover.proveConsistency(from, to),
    context.prover.checkpointAt(to),
  ]);
  return { from, to, hashes: hashes.map(toBase64), checkpoint: checkpoint && formatNoteOf(checkpoint) };
}
