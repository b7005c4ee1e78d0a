/**
 * The fact of clause 5.2: the actor's need-to-know grants for the purpose that have not been revoked. Whether one is in
 * force at this moment is for `decide` to say, which has the clock.
 */
import type { FactSource } from '../../gate/fact-source.js';
import type { Category } from '../../log/entry.js';
import type { GrantFact } from '../../policy/decide.js';

type Row = [categories: Category[] | null, from: string, until: string];

export const grantFact: FactSource<readonly GrantFact[]> = {
  sql: `SELECT json_agg(json_build_array(g.categories, g.valid_from, g.valid_until))
        FROM registry.need_to_know_grant g
        WHERE g.staff = actor.id AND g.purpose = aim.purpose AND g.revoked_at IS NULL`,
  parse: (json) =>
    ((json as Row[] | null) ?? []).map(([categories, from, until]) => ({
      categories,
      from: new Date(from),
      until: new Date(until),
    })),
};
