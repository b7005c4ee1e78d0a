/**
 * What the limits turned away is no entry each, but one with a count, so that a flood of refusals buries nothing.
 */
import type { Context } from '../../graphql/context.js';
import type { Entry, Pseudonym } from '../../log/entry.js';

export interface Suppressed {
  readonly count: number;
  /** Who was over their budget; null for somebody whom nobody registered. */
  readonly actor: Pseudonym | null;
}

/** @param context the system's @throws Refusal for anybody else's */
export function recordSuppressed({ gate }: Pick<Context, 'gate'>, { count, actor }: Suppressed): Promise<Entry> {
  const ask = { event: 'refusals.suppressed', operation: 'limits', data: null } as const;
  return gate.note(ask, { details: { count, ...(actor && { of: actor }) } });
}
