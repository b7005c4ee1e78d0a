/**
 * Foresee: what would be decided, at this moment, if whoever asks were to read. It decides by the same facts and rules as the
 * read will, but of no person: nothing is told of anybody else, so nothing is entered.
 */
import { type Decision, decide } from '../policy/decide.js';
import type { Asker } from './asker.js';
import type { ReadFacts } from './facts.js';

export interface ForeseeAsk {
  /** As it was sent. */
  readonly purpose: string;
  /** As they were sent; null for all that the purpose covers. */
  readonly categories: readonly string[] | null;
}

/** @throws LedgerFault */
export async function foresee(
  { readFacts }: { readonly readFacts: ReadFacts },
  { actor, now }: Asker,
  ask: ForeseeAsk,
): Promise<Decision[]> {
  const { answers } = await readFacts(actor.id, [{ ...ask, subject: null, values: false }]);
  const subject = actor.kind === 'user' ? actor.id : null;
  return decide({ ...ask, actor, event: 'record.read', subject }, answers[0]!.facts, now());
}
