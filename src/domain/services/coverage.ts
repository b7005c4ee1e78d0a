/**
 * A coverage is how far a service may process somebody's data: whether it is enrolled, what is essential for it, and what the
 * person declined. It is read inside the transaction that registers or collects. Whatever changes it is a fact-changing
 * entry, so what was read there and has changed since is stale when the entries are appended, and the change runs again.
 */
import type { EntityManager } from 'typeorm';
import { keyOrNone } from '../../gate/facts.js';
import type { Pseudonym } from '../../log/entry.js';
import { together } from '../../policy/decide.js';
import { POLICY } from '../../policy/policy.js';
import { Refusal, type Refused, refused } from '../../policy/refusal.js';
import { readService } from '../purposes/declared.js';
import { type Coverage, notCovered, unmetByCollection, unmetByRegistration } from './service.rules.js';

/** The newest version, by key: of a service whose key is the expression. */
const ESSENTIAL = (service: string) => `coalesce((SELECT e.categories FROM registry.essential_categories e
  WHERE e.service = ${service} ORDER BY e.version DESC LIMIT 1), '{}')`;

/** What was last chosen of the category, by the person. */
export const LAST_CHOICE = (subject: string, log: string, category: string) => `(SELECT c.choice
  FROM registry.category_choice c WHERE c.subject = ${subject} AND c.log = ${log} AND c.category = ${category}
  ORDER BY c.version DESC LIMIT 1)`;

/** What a service asks of people. Null for one that is not enrolled. */
export async function readEssential(rows: EntityManager, service: string): Promise<string[] | null> {
  const [row] = await rows.query(`SELECT ${ESSENTIAL('s.key')} AS essential FROM registry.service s WHERE s.key = $1`, [
    keyOrNone(service),
  ]);
  return row?.essential ?? null;
}

/** As far as these categories go. Null for an unknown person. */
export async function readCoverage(
  rows: EntityManager,
  { log, subject, categories }: { log: number; subject: Pseudonym; categories: readonly string[] },
): Promise<Coverage | null> {
  const [row] = await rows.query(
    `SELECT (SELECT v.policy FROM registry.service v WHERE v.key = s.service) AS policy,
       ${ESSENTIAL('s.service')} AS essential,
       ARRAY(SELECT k.category FROM unnest($3::text[]) AS k(category)
         WHERE ${LAST_CHOICE('s.id', 's.log', 'k.category')} = 'DECLINED') AS declined
     FROM registry.subject s WHERE s.id = $2 AND s.log = $1`,
    [log, subject, categories],
  );
  return row ?? null;
}

/** @throws Refusal unless the service is enrolled under the policy in force */
export async function refuseUncovered(rows: EntityManager, service: string): Promise<void> {
  const known = await readService(rows, keyOrNone(service));
  throwAll(notCovered(known?.policy ?? null, POLICY));
}

/** @throws Refusal */
export async function refuseCollection(
  rows: EntityManager,
  about: { log: number; subject: Pseudonym; categories: readonly string[] },
): Promise<void> {
  const coverage = await readCoverage(rows, about);
  throwAll(coverage ? unmetByCollection(coverage, POLICY, about.categories) : []);
}

/** @throws Refusal where one of these people is not to be registered, with all that any of them lacks */
export async function refuseRegistrations(
  rows: EntityManager,
  people: readonly { readonly service: string; readonly categories: readonly string[] }[],
): Promise<void> {
  const services = [...new Set(people.map(({ service }) => keyOrNone(service)))];
  const found: { key: string; policy: string; essential: string[] }[] = await rows.query(
    `SELECT s.key, s.policy, ${ESSENTIAL('s.key')} AS essential FROM registry.service s WHERE s.key = ANY ($1)`,
    [services],
  );
  const none = { policy: null, essential: [] };
  throwAll(
    people.flatMap(({ service, categories }) => {
      const known = found.find(({ key }) => key === service) ?? none;
      return unmetByRegistration({ ...known, declined: [] }, POLICY, categories);
    }),
  );
}

/** @throws Refusal unless all of them are declared */
export async function refuseUndeclared(rows: EntityManager, categories: readonly string[]): Promise<void> {
  const [{ count }] = await rows.query(
    'SELECT count(*)::int AS count FROM registry.category c WHERE c.key = ANY ($1)',
    [categories.map(keyOrNone)],
  );
  if (count < categories.length) throwAll([refused('CATEGORY_NOT_DECLARED', 'a declared category')]);
}

export function throwAll(unmet: readonly Refused[]): void {
  if (unmet.length > 0) throw new Refusal(together(unmet), null);
}
