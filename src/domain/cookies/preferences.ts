/**
 * The verbs of cookie preferences (clause 4.2): set one's own, look at it, and check a cookie against it.
 *
 * To look at one's own, or to check a cookie for oneself, makes no entry: nothing is disclosed to anybody else, no value is
 * opened, and the preference stands by an entry of its own. A page checks each of its cookies each time it is shown, and an
 * entry for each would bury the reads of real data. For another person it is a look at what they chose, and is entered.
 */
import type { EntityManager } from 'typeorm';
import { keyOrNone } from '../../gate/facts.js';
import type { Context } from '../../graphql/context.js';
import type { Pseudonym } from '../../log/entry.js';
import { POLICY } from '../../policy/policy.js';
import { refused } from '../../policy/refusal.js';
import { refuseUncovered } from '../services/coverage.js';
import { type CookieCategory, type CookiePreference, type CookieVerdict, judgeCookie } from './cookie.rules.js';
import { nameOrNone } from './cookies.js';

export interface StandingPreference {
  readonly service: string;
  readonly preference: CookiePreference;
  /** 0 for who has set none, and is asked. */
  readonly version: number;
  readonly setAt: Date | null;
}

/** @throws Refusal */
export async function setCookiePreference(
  { gate, actor, log }: Context,
  { service, preference }: { readonly service: string; readonly preference: CookiePreference },
): Promise<StandingPreference> {
  const subject: Pseudonym = actor.id;
  const ask = { event: 'cookie-preference.set', operation: 'setCookiePreference', data: null } as const;
  return gate.change(ask, async ({ rows }, permit) => {
    await refuseUncovered(rows, service);
    const version = (await readPreference(rows, { log, subject, service })).version + 1;
    const body = permit.body(ask.event, { subject, details: { service, preference, version } });
    const setAt = new Date(body.at);
    // Of two at once, one inserts nothing: to that one the other's entry is news, so it runs again.
    await rows.query(
      `INSERT INTO registry.cookie_preference (log, subject, service, version, preference, set_at, entry)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [log, subject, service, version, preference, setAt, body.id],
    );
    return { bodies: [body], value: { service, preference, version, setAt } };
  });
}

/** @param user null for oneself @throws Refusal */
export async function cookiePreference(
  context: Context,
  service: string,
  user: Pseudonym | null,
): Promise<StandingPreference> {
  const subject = await looking(context, user, 'cookiePreference');
  return readPreference(context.rows, { log: context.log, subject, service: keyOrNone(service) });
}

/** One statement, by key. @param user null for oneself @throws Refusal */
export async function checkCookie(
  context: Context,
  { service, name, user }: { readonly service: string; readonly name: string; readonly user: Pseudonym | null },
): Promise<CookieVerdict> {
  const subject = await looking(context, user, 'checkCookie');
  const [facts]: { policy: string | null; category: CookieCategory | null; preference: CookiePreference | null }[] =
    await context.rows.query(
      `SELECT (SELECT s.policy FROM registry.service s WHERE s.key = $1) AS policy,
         (SELECT c.category FROM registry.cookie c WHERE c.service = $1 AND c.name = $2) AS category,
         (SELECT p.preference FROM registry.cookie_preference p WHERE p.subject = $3 AND p.log = $4 AND p.service = $1
          ORDER BY p.version DESC LIMIT 1) AS preference`,
      [keyOrNone(service), nameOrNone(name), subject, context.log],
    );
  const { policy, category, preference } = facts!;
  return judgeCookie({ covered: policy === POLICY, category, preference });
}

/** Whose preference is looked at, once that is entered. Whom a client named is for the log only if there is such a person. */
async function looking(context: Context, user: Pseudonym | null, operation: string): Promise<Pseudonym> {
  const { actor, gate, rows, log } = context;
  if (user === null || user === actor.id) return actor.id;
  const ask = { event: 'cookie-preference.read', operation, data: null } as const;
  if (actor.kind === 'user') return gate.refuse(ask, refused('NOT_YOUR_DATA', 'to be the person'));
  const [known] = await rows.query('SELECT FROM registry.subject s WHERE s.id = $1 AND s.log = $2', [user, log]);
  await gate.note(ask, known ? { subject: user, details: { count: 1 } } : { details: { count: 0 } });
  return user;
}

async function readPreference(
  rows: EntityManager,
  { log, subject, service }: { log: number; subject: Pseudonym; service: string },
): Promise<StandingPreference> {
  const [stands] = await rows.query(
    `SELECT p.preference, p.version, p.set_at FROM registry.cookie_preference p
     WHERE p.subject = $1 AND p.log = $2 AND p.service = $3 ORDER BY p.version DESC LIMIT 1`,
    [subject, log, service],
  );
  if (!stands) return { service, preference: 'ASK', version: 0, setAt: null };
  return { service, preference: stands.preference, version: stands.version, setAt: stands.set_at };
}
