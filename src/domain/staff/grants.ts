/**
 * The verbs of need-to-know grants (clause 5.2): approve, revoke, list. Both changes end what was decided before them, so a
 * revocation holds for the very next read, whichever server answers it.
 */
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Particulars } from '../../gate/asker.js';
import type { LookedUp } from '../../gate/change.js';
import { keyOrNone } from '../../gate/facts.js';
import type { Permit } from '../../gate/permit.js';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { distinctKeys } from '../../graphql/keys.js';
import type { Category, PermittedBody, Pseudonym, Purpose } from '../../log/entry.js';
import { Refusal, type Refused, refused } from '../../policy/refusal.js';
import { readPurpose } from '../purposes/declared.js';
import { GrantRow } from './grant.entity.js';
import { LONGEST_GRANT_DAYS, type TermFault, termFault } from './grant.rules.js';
import { NEXT, needToKnowState } from './request.rules.js';

export interface GrantAsk {
  readonly staff: Pseudonym;
  /** As it was sent. */
  readonly purpose: string;
  /** As they were sent; null for all that the purpose covers, now and later. */
  readonly categories: readonly string[] | null;
  /** Null for now. */
  readonly from: Date | null;
  readonly until: Date;
}

export const SAID: Record<TermFault, string> = {
  BACKDATED: '"from" is not in the past.',
  ENDS_BEFORE_IT_BEGINS: '"until" is after "from".',
  TOO_LONG: `"until" is at most ${LONGEST_GRANT_DAYS} days from now.`,
};

/** @throws Refusal; Fault BAD_INPUT, and NO_SUCH_ID where nobody of the staff has the id */
export async function grantNeedToKnow({ gate, actor, now }: Context, wanted: GrantAsk): Promise<GrantRow> {
  const { staff, purpose, until } = wanted;
  const at = now();
  const from = wanted.from ?? at;
  const fault = termFault({ from, until }, at);
  if (fault) throw new Fault('BAD_INPUT', { detail: SAID[fault] });
  const categories = scopeOf(wanted.categories);
  const ask = { event: 'grant.approved', operation: 'grantNeedToKnow', data: null } as const;
  const granted = await gate.change<GrantRow | null>(ask, async ({ rows }, permit) => {
    if (staff === actor.id) throw new Refusal(refused('OWN_GRANT', 'another approver'), null);
    const refusal = await refusedScope(rows, purpose, categories);
    if (refusal) throw new Refusal(refusal, null);
    const [known] = await rows.query(`SELECT FROM registry.identity i WHERE i.actor = $1 AND i.kind = 'staff'`, [
      staff,
    ]);
    if (!known) return noneFound(permit);

    const grant = grantOf(permit, { id: randomUUID(), staff, purpose, categories, from, until }, actor.id);
    await rows.insert(GrantRow, grant.row);
    return { bodies: [grant.body], value: grant.row };
  });
  if (!granted) throw new Fault('NO_SUCH_ID', { detail: '"staff" names nobody.' });
  return granted;
}

/** The categories as they are kept: sorted, each once. @throws Fault BAD_INPUT */
export function scopeOf(categories: readonly string[] | null): string[] | null {
  const scope = categories && distinctKeys('categories', categories).sort();
  if (scope?.length === 0) {
    throw new Fault('BAD_INPUT', { detail: '"categories" is null for all that the purpose covers, and never empty.' });
  }
  return scope;
}

type Granted = Pick<GrantRow, 'id' | 'staff' | 'purpose' | 'categories' | 'from' | 'until'>;

/** A grant that is approved now, and the entry that approves it. */
export function grantOf(
  permit: Permit,
  granted: Granted,
  approvedBy: Pseudonym,
): { readonly row: GrantRow; readonly body: PermittedBody } {
  const { id, staff, purpose, categories, from, until } = granted;
  const body = permit.body('grant.approved', {
    ...scopeSaid(purpose, categories),
    details: { grant: id, staff, from: from.toISOString(), until: until.toISOString() },
  });
  return { row: { ...granted, approvedBy, entry: body.id, revokedAt: null, revocation: null }, body };
}

/** As an entry says it. */
export function scopeSaid(purpose: string, categories: readonly string[] | null): Partial<Particulars> {
  return { purpose: purpose as Purpose, ...(categories && { asked: categories as Category[] }) };
}

/** That there is none is told, and so entered; whom a client named is not for the log. */
export function noneFound(permit: Permit): LookedUp<null> {
  return { lookedUp: permit.body('grant.listed', { details: { count: 0 } }), value: null };
}

/** Nobody needs to know what the purpose has nothing to do with. */
export async function refusedScope(
  rows: EntityManager,
  purpose: string,
  categories: readonly string[] | null,
): Promise<Refused | null> {
  const declared = await readPurpose(rows, keyOrNone(purpose));
  if (!declared) return refused('PURPOSE_NOT_DECLARED', 'a declared purpose');
  const beyond = (categories ?? []).filter((category) => !declared.categories.includes(category)).map(keyOrNone);
  if (beyond.length === 0) return null;
  const [{ count }] = await rows.query(
    'SELECT count(*)::int AS count FROM registry.category c WHERE c.key = ANY ($1)',
    [beyond],
  );
  return count < beyond.length
    ? refused('CATEGORY_NOT_DECLARED', 'a declared category')
    : refused('PURPOSE_DOES_NOT_COVER_CATEGORY', 'a purpose that covers the category');
}

/**
 * Ends a grant. One that was revoked before, or has run out, stays as it is: it is shown, and that is what is entered.
 *
 * @throws Refusal; Fault NO_SUCH_ID
 */
export async function revokeNeedToKnow({ gate, now }: Context, id: string): Promise<GrantRow> {
  const ask = { event: 'grant.revoked', operation: 'revokeNeedToKnow', data: null } as const;
  const revoked = await gate.change<GrantRow | null>(ask, async ({ rows }, permit) => {
    // Locked, so that of two revocations at once the second sees the first.
    const grant = await rows.findOne(GrantRow, { where: { id }, lock: { mode: 'for_no_key_update' } });
    if (!grant) return noneFound(permit);
    const { staff } = grant;
    if (!NEXT[needToKnowState(grant.until, grant, now())].includes('REVOKED')) {
      return { lookedUp: permit.body('grant.listed', { details: { count: 1, staff } }), value: grant };
    }
    const body = permit.body(ask.event, { purpose: grant.purpose as Purpose, details: { grant: id, staff } });
    const changes = { revokedAt: new Date(body.at), revocation: body.id };
    await rows.update(GrantRow, { id }, changes);
    return { bodies: [body], value: { ...grant, ...changes } };
  });
  if (!revoked) throw new Fault('NO_SUCH_ID', { detail: '"id" names no grant.' });
  return revoked;
}

/** A page of grants, by id: everybody's, or one member's. One entry a page, with its count. */
export async function listGrants(
  context: Context,
  staff: Pseudonym | null | 'nobody',
  args: PageArgs,
): Promise<Connection<GrantRow>> {
  const listed =
    staff === 'nobody' ? await page<GrantRow>(args, keyOf, async () => []) : await pageOf(context, staff, args);
  const ask = { event: 'grant.listed', operation: 'needToKnowGrants', data: null } as const;
  const count = listed.edges.length;
  // A member that has no grants may be nobody at all, and what a client sent is not for the log.
  await context.gate.note(ask, { details: { count, ...(staff && count > 0 && { staff }) } });
  return listed;
}

/** One's own grants, which are no disclosure to oneself; none for whoever is not of the staff. */
export function ownGrants(context: Context, args: PageArgs): Promise<Connection<GrantRow>> {
  return pageOf(context, context.actor.id, args);
}

/** All grants of one member of the staff. */
export function grantsOf({ rows }: Pick<Context, 'rows'>, staff: Pseudonym): Promise<GrantRow[]> {
  return rows.find(GrantRow, { where: { staff }, order: { until: 'ASC' } });
}

function pageOf({ rows }: Context, staff: Pseudonym | null, args: PageArgs): Promise<Connection<GrantRow>> {
  return page<GrantRow>(args, keyOf, (after, limit) =>
    rows
      .createQueryBuilder(GrantRow, 'g')
      .where(after === null ? 'true' : 'g.id > :after', { after })
      .andWhere(staff === null ? 'true' : 'g.staff = :staff', { staff })
      .orderBy('g.id')
      .limit(limit)
      .getMany(),
  );
}

function keyOf({ id }: GrantRow): string {
  return id;
}
