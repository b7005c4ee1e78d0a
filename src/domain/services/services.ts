/**
 * The verbs of services: enrolling one under the policy (clause 8.2), and saying which categories are essential for it
 * (clause 4.1). What is not enrolled can register nobody, and collects nothing.
 */
import type { EntityManager } from 'typeorm';
import { keyOrNone } from '../../gate/facts.js';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { distinctKeys } from '../../graphql/keys.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Category } from '../../log/entry.js';
import { POLICY } from '../../policy/policy.js';
import { Refusal, refused } from '../../policy/refusal.js';
import { readService, type ServiceRow } from '../purposes/declared.js';
import { declareOnce, insertOnce, StandsAlready } from '../purposes/declared-once.js';
import { readEssential, refuseUndeclared } from './coverage.js';

export interface Enrolment extends Pick<ServiceRow, 'key' | 'title'> {
  /** Keys of declared categories without which the service cannot be provided; none if left out. */
  readonly essential?: readonly string[];
}

export interface EnrolledService extends ServiceRow {
  /** Sorted. */
  readonly essential: readonly string[];
}

/**
 * Puts a service under the policy that is in force, unless it stands so. What is essential for one that stands is as its
 * last entry says, whoever enrols it again.
 *
 * @throws DeclaredDifferently, Refusal
 */
export function enrolService(context: Pick<Context, 'gate' | 'rows'>, enrolment: Enrolment): Promise<void> {
  const { key, title } = enrolment;
  return declareOnce({
    kind: 'service',
    wanted: { key, title, policy: POLICY },
    read: () => readService(context.rows, key),
    declare: () => enrol(context, enrolment),
  });
}

const KEY = /^[a-z][a-z-]{0,99}$/;
const LONGEST_TITLE = 200;

/** @throws Refusal; Fault BAD_INPUT, ALREADY_REGISTERED */
export async function enrolNewService(
  context: Context,
  { key, title, essential = [] }: Enrolment,
): Promise<EnrolledService> {
  if (!KEY.test(key)) throw new Fault('BAD_INPUT', { detail: '"key" is lower-case letters and hyphens.' });
  if (title.trim() === '' || title.length > LONGEST_TITLE || !isSpeakable(title)) {
    throw new Fault('BAD_INPUT', { detail: `"title" is text of 1 to ${LONGEST_TITLE} characters.` });
  }
  const enrolment = { key, title, essential: distinctKeys('essentialCategories', essential).sort() };
  try {
    await enrol(context, enrolment);
  } catch (error) {
    // Services are nobody's data, and whoever is signed in may list them: that one stands needs no entry.
    if (!(error instanceof StandsAlready)) throw error;
    throw new Fault('ALREADY_REGISTERED', { detail: '"key" is that of an enrolled service.' });
  }
  return { ...enrolment, policy: POLICY };
}

/** @throws StandsAlready, Refusal */
function enrol({ gate }: Pick<Context, 'gate'>, { key, title, essential = [] }: Enrolment): Promise<void> {
  const ask = { event: 'service.enrolled', operation: 'enrolService', data: null } as const;
  return gate.change(ask, async ({ rows }, permit) => {
    await refuseUndeclared(rows, essential);
    const body = permit.body(ask.event, { ...naming(essential), details: { service: key } });
    await insertOnce(rows, 'service', { key, title, policy: POLICY, entry: body.id });
    await insertOnce(rows, 'essential_categories', {
      service: key,
      version: 1,
      categories: [...essential].sort(),
      entry: body.id,
    });
    return { bodies: [body], value: undefined };
  });
}

function naming(essential: readonly string[]): { asked?: Category[] } {
  return essential.length > 0 ? { asked: [...essential].sort() as Category[] } : {};
}

/**
 * Says anew which categories are essential for a service: a new version, and what was before is kept.
 *
 * @throws Refusal; Fault BAD_INPUT
 */
export async function setEssentialCategories(
  { gate, rows }: Context,
  { service, categories }: { readonly service: string; readonly categories: readonly string[] },
): Promise<EnrolledService> {
  const essential = distinctKeys('categories', categories).sort();
  const ask = { event: 'service.amended', operation: 'setEssentialCategories', data: null } as const;
  await gate.change(ask, async ({ rows }, permit) => {
    if ((await readEssential(rows, service)) === null) {
      throw new Refusal(refused('SERVICE_NOT_COVERED', 'an enrolled service'), null);
    }
    await refuseUndeclared(rows, essential);
    const body = permit.body(ask.event, { ...naming(essential), details: { service } });
    // Of two at once, one inserts nothing: to that one the other's entry is news, so it runs again.
    await rows.query(
      `INSERT INTO registry.essential_categories (service, version, categories, entry)
       SELECT $1, coalesce((SELECT max(e.version) FROM registry.essential_categories e WHERE e.service = $1), 0) + 1, $2, $3
       ON CONFLICT DO NOTHING`,
      [service, essential, body.id],
    );
    return { bodies: [body], value: undefined };
  });
  const { key, title, policy } = (await readService(rows, service))!;
  return { key, title, policy, essential };
}

/** A page of services, by key. They are nobody's data, so that makes no entry. */
export function listServices({ rows }: Pick<Context, 'rows'>, args: PageArgs): Promise<Connection<EnrolledService>> {
  return page<EnrolledService>(
    args,
    ({ key }) => key,
    (after, limit) => readServices(rows, after ?? '', limit),
    (key) => keyOrNone(key) !== '',
  );
}

function readServices(rows: EntityManager, after: string, limit: number): Promise<EnrolledService[]> {
  return rows.query(
    `SELECT s.key, s.title, s.policy, coalesce(e.categories, '{}') AS essential
     FROM registry.service s LEFT JOIN LATERAL (SELECT e.categories FROM registry.essential_categories e
       WHERE e.service = s.key ORDER BY e.version DESC LIMIT 1) e ON true
     WHERE s.key COLLATE "C" > $1 ORDER BY s.key COLLATE "C" LIMIT $2`,
    [after, limit],
  );
}
