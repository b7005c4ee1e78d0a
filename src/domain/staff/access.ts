/**
 * The verb by which somebody learns, before they try, what they lack to read (clause 5.2).
 */
import type { Context } from '../../graphql/context.js';
import { distinctKeys } from '../../graphql/keys.js';
import type { Refused } from '../../policy/refusal.js';

export interface Access {
  readonly permitted: readonly string[];
  readonly withheld: readonly (Refused & { readonly categories: readonly string[] })[];
  readonly missing: readonly string[];
}

/**
 * What is true of whoever asks is no disclosure, so it makes no entry. Whoever it is true of may know.
 *
 * @throws Fault BAD_INPUT
 */
export async function ownAccess(
  { gate }: Context,
  purpose: string,
  categories: readonly string[] | null,
): Promise<Access> {
  const asked = categories && distinctKeys('categories', categories);
  const decisions = await gate.foresee({ purpose, categories: asked });
  const withheld = decisions.flatMap((decision) =>
    decision.outcome === 'refused' ? [{ categories: decision.categories, ...decision.refusal }] : [],
  );
  return {
    permitted: decisions.flatMap((one) => (one.outcome === 'permitted' ? one.categories : [])),
    withheld,
    missing: [...new Set(withheld.flatMap(({ missing }) => missing))],
  };
}
