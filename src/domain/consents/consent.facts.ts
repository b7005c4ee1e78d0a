/**
 * The fact of clause 3.1 about a person: their consents for the purposes asked, each as it was last changed. Whether one is
 * in force at this moment is for `decide` to say, which has the clock.
 */
import type { FactSource } from '../../gate/fact-source.js';
import type { Category, Purpose } from '../../log/entry.js';
import type { ConsentAct, ConsentFact } from '../../policy/consent.js';

type Row = [purpose: Purpose, categories: Category[], act: ConsentAct, until: string | null];

/** The LIMIT has the last change looked up by its key, also by a plan that was made while the tables were empty. */
export const consentFact: FactSource<readonly ConsentFact[]> = {
  sql: `SELECT json_agg(json_build_array(c.purpose, c.categories, v.act, v.valid_until) ORDER BY v.at DESC)
        FROM registry.consent c
          CROSS JOIN LATERAL (SELECT v.act, v.at, v.valid_until FROM registry.consent_version v
            WHERE v.consent = c.id AND v.log = $1 ORDER BY v.version DESC LIMIT 1) v
        WHERE c.subject = ask.subject AND c.log = $1 AND c.purpose = ANY (ask.purposes)`,
  parse: (json) =>
    ((json as Row[] | null) ?? []).map(([purpose, categories, act, until]) => ({
      purpose,
      categories,
      act,
      until: until === null ? null : new Date(until),
    })),
};
