/**
 * The verbs by which people choose what is not to be collected about them (clause 4.1): decline categories, and accept them
 * again. Declining takes nothing away that is held already: that is erasure.
 */
import { type Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { distinctKeys } from '../../graphql/keys.js';
import type { Category, Pseudonym } from '../../log/entry.js';
import { LAST_CHOICE, readCoverage, refuseUndeclared, throwAll } from './coverage.js';
import { CHOICES, type Choice, unmetByDeclining } from './service.rules.js';

const DEEDS = {
  DECLINED: { event: 'category.declined', operation: 'declineCategories' },
  ACCEPTED: { event: 'category.accepted', operation: 'acceptCategories' },
} as const;

/** Answers all that the person declines now. @throws Refusal; Fault BAD_INPUT */
export function declineCategories(context: Context, categories: readonly string[]): Promise<string[]> {
  return choose(context, 'DECLINED', categories);
}

/** Likewise. */
export function acceptCategories(context: Context, categories: readonly string[]): Promise<string[]> {
  return choose(context, 'ACCEPTED', categories);
}

async function choose(context: Context, choice: keyof typeof DEEDS, sent: readonly string[]): Promise<string[]> {
  const categories = distinctKeys('categories', sent).sort();
  if (categories.length === 0) throw new Fault('BAD_INPUT', { detail: '"categories" are one or more.' });
  const { gate, actor, log } = context;
  const subject: Pseudonym = actor.id;
  await gate.change({ ...DEEDS[choice], data: null }, async ({ rows }, permit) => {
    await refuseUndeclared(rows, categories);
    const coverage = await readCoverage(rows, { log, subject, categories });
    if (choice === 'DECLINED' && coverage) throwAll(unmetByDeclining(coverage, categories));
    const body = permit.body(DEEDS[choice].event, { subject, asked: categories as Category[] });
    // What was so chosen before stays as it is. Of two at once, one inserts nothing, and to it the other's entry is news.
    const before = (Object.keys(CHOICES) as Choice[]).filter((one) => CHOICES[one].includes(choice));
    await rows.query(
      `INSERT INTO registry.category_choice (log, subject, category, version, choice, entry)
       SELECT $1, $2, k.category, coalesce(l.version, 0) + 1, $4, $5
       FROM unnest($3::text[]) AS k(category) LEFT JOIN LATERAL (SELECT c.version, c.choice
         FROM registry.category_choice c WHERE c.subject = $2 AND c.log = $1 AND c.category = k.category
         ORDER BY c.version DESC LIMIT 1) l ON true
       WHERE coalesce(l.choice, 'UNDECIDED') = ANY ($6)
       ON CONFLICT DO NOTHING`,
      [log, subject, categories, choice, body.id, before],
    );
    return { bodies: [body], value: undefined };
  });
  return declinedCategories(context);
}

/** One's own, which are no disclosure to oneself; none for whoever is no user. */
export async function declinedCategories({ rows, actor, log }: Context): Promise<string[]> {
  const found: { category: string }[] = await rows.query(
    `SELECT k.category FROM (SELECT DISTINCT c.category FROM registry.category_choice c
       WHERE c.subject = $2 AND c.log = $1) k
     WHERE ${LAST_CHOICE('$2', '$1', 'k.category')} = 'DECLINED' ORDER BY k.category COLLATE "C"`,
    [log, actor.id],
  );
  return found.map(({ category }) => category);
}
