/**
 * The verbs by which staff ask for need to know, and a privacy officer who is somebody else approves it (clause 5.2).
 */
import { randomUUID } from 'node:crypto';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { Refusal, refused } from '../../policy/refusal.js';
import { GrantRow } from './grant.entity.js';
import { termFault } from './grant.rules.js';
import { grantOf, noneFound, refusedScope, SAID, scopeOf, scopeSaid } from './grants.js';
import { RequestRow } from './request.entity.js';
import { NEXT, type NeedToKnowState, needToKnowState } from './request.rules.js';

export interface RequestAsk {
  /** As it was sent. */
  readonly purpose: string;
  /** As they were sent; null for all that the purpose covers, now and later. */
  readonly categories: readonly string[] | null;
  readonly until: Date;
}

export type Requested = Omit<RequestRow, 'entry'> & { readonly state: NeedToKnowState };

/** @throws Refusal; Fault BAD_INPUT */
export async function requestNeedToKnow(
  { gate, actor, now }: Context,
  { purpose, until, ...wanted }: RequestAsk,
): Promise<Requested> {
  const at = now();
  const fault = termFault({ from: at, until }, at);
  if (fault) throw new Fault('BAD_INPUT', { detail: SAID[fault] });
  const categories = scopeOf(wanted.categories);
  const ask = { event: 'grant.requested', operation: 'requestNeedToKnow', data: null } as const;
  return gate.change(ask, async ({ rows }, permit) => {
    const refusal = await refusedScope(rows, purpose, categories);
    if (refusal) throw new Refusal(refusal, null);
    const id = randomUUID();
    const details = { grant: id, until: until.toISOString() };
    const body = permit.body(ask.event, { ...scopeSaid(purpose, categories), details });
    const request = { id, staff: actor.id, purpose, categories, requestedAt: new Date(body.at), until };
    await rows.insert(RequestRow, { ...request, entry: body.id });
    return { bodies: [body], value: { ...request, state: 'REQUESTED' } };
  });
}

/**
 * Approves what somebody else asked for, from now on. What was approved before is shown as it stands, and that is what is
 * entered.
 *
 * @throws Refusal; Fault NO_SUCH_ID, and BAD_INPUT where the request has run out
 */
export async function approveNeedToKnow({ gate, actor, now }: Context, id: string): Promise<GrantRow> {
  const ask = { event: 'grant.approved', operation: 'approveNeedToKnow', data: null } as const;
  const approved = await gate.change<GrantRow | 'EXPIRED' | null>(ask, async ({ rows }, permit) => {
    const request = await rows.findOneBy(RequestRow, { id });
    if (!request) return noneFound(permit);
    const { staff, until } = request;
    if (staff === actor.id) throw new Refusal(refused('OWN_GRANT', 'another approver'), null);
    const lookedUp = permit.body('grant.listed', { details: { count: 1, staff } });
    const from = now();
    const granted = await rows.findOneBy(GrantRow, { id });
    if (granted) return { lookedUp, value: granted };
    if (!NEXT[needToKnowState(until, null, from)].includes('APPROVED')) return { lookedUp, value: 'EXPIRED' };

    const { purpose, categories } = request;
    const grant = grantOf(permit, { id, staff, purpose, categories, from, until }, actor.id);
    // Of two approvals at once the second waits for the first, and shows what that made.
    await rows.createQueryBuilder().insert().into(GrantRow).values(grant.row).orIgnore().execute();
    const stands = await rows.findOneByOrFail(GrantRow, { id });
    return stands.entry === grant.body.id ? { bodies: [grant.body], value: stands } : { lookedUp, value: stands };
  });
  if (!approved) throw new Fault('NO_SUCH_ID', { detail: '"id" names no request.' });
  if (approved === 'EXPIRED') throw new Fault('BAD_INPUT', { detail: '"id" is of a request that has run out.' });
  return approved;
}

/** A page of the requests that wait for approval, by id. One entry a page, with its count. */
export async function listRequests(context: Context, args: PageArgs): Promise<Connection<Requested>> {
  const listed = await pageOf(context, 'g.id IS NULL AND r.valid_until > $3', context.now(), args);
  const ask = { event: 'grant.listed', operation: 'needToKnowRequests', data: null } as const;
  await context.gate.note(ask, { details: { count: listed.edges.length } });
  return listed;
}

/** One's own requests, whatever became of them, which are no disclosure to oneself. */
export function ownRequests(context: Context, args: PageArgs): Promise<Connection<Requested>> {
  return pageOf(context, 'r.staff = $3', context.actor.id, args);
}

interface Row extends Omit<Requested, 'state'> {
  readonly grant: string | null;
  readonly revokedAt: Date | null;
}

function pageOf({ rows, now }: Context, which: string, value: unknown, args: PageArgs): Promise<Connection<Requested>> {
  return page<Requested>(
    args,
    ({ id }) => id,
    async (after, limit) => {
      const found: Row[] = await rows.query(
        `SELECT r.id, r.staff, r.purpose, r.categories, r.requested_at AS "requestedAt", r.valid_until AS until,
           g.id AS "grant", g.revoked_at AS "revokedAt"
         FROM registry.need_to_know_request r LEFT JOIN registry.need_to_know_grant g ON g.id = r.id
         WHERE ($1::uuid IS NULL OR r.id > $1) AND ${which} ORDER BY r.id LIMIT $2`,
        [after, limit, value],
      );
      return found.map(({ grant, revokedAt, ...request }) => ({
        ...request,
        state: needToKnowState(request.until, grant === null ? null : { revokedAt }, now()),
      }));
    },
  );
}
