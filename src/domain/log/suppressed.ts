/**
 * Suppressed refusals: what an actor asked beyond their budget was answered 429 and decided by nobody. One entry a minute
 * says how often, so that a flood neither hides in the log nor buries the rest of it.
 */
import type { Context } from '../../graphql/context.js';
import type { Pseudonym } from '../../log/entry.js';

export interface Suppressed {
  /** Who asked. */
  readonly actor: Pseudonym;
  readonly count: number;
}

/** @param context the system's */
export async function recordSuppressed({ gate }: Pick<Context, 'gate'>, { actor, count }: Suppressed): Promise<void> {
  const ask = { event: 'refusals.suppressed', operation: 'refusals', data: null } as const;
  await gate.note(ask, { details: { actor, count } });
}
