/**
 * The verbs by which people are looked for: by pseudonym, in a list, by a value. registration.ts has the one that makes them.
 */
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Pseudonym } from '../../log/entry.js';
import { SubjectRow } from './subject.entity.js';

/**
 * Whether there is such a person. To look one up is to list those of that pseudonym, one or none: an entry, hit or miss, and
 * only for those who may list people. It names whom it found; whom a client named is not for the log. Oneself is no
 * disclosure.
 *
 * @throws Refusal
 */
export async function lookUpUser({ actor, gate, rows, log }: Context, id: Pseudonym): Promise<boolean> {
  if (actor.kind === 'user' && actor.id === id) return true;
  const isKnown = await rows.existsBy(SubjectRow, { log, id });
  const ask = { event: 'user.listed', operation: 'user', data: null } as const;
  await gate.note(ask, isKnown ? { subject: id, details: { count: 1 } } : { details: { count: 0 } });
  return isKnown;
}

/** A page of pseudonyms, in the order of their ids, which says nothing. One entry a page, with its count. */
export async function listUsers({ gate, rows, log }: Context, args: PageArgs): Promise<Connection<Pseudonym>> {
  const listed = await page<Pseudonym>(
    args,
    (id) => id,
    async (after, limit) => {
      const found = await rows
        .createQueryBuilder(SubjectRow, 's')
        .select('s.id', 'id')
        .where('s.log = :log', { log })
        .andWhere(after === null ? 'true' : 's.id > :after', { after })
        .orderBy('s.id')
        .limit(limit)
        .getRawMany<{ id: Pseudonym }>();
      return found.map(({ id }) => id);
    },
  );
  const ask = { event: 'user.listed', operation: 'users', data: null } as const;
  await gate.note(ask, { details: { count: listed.edges.length } });
  return listed;
}

/** Null for nobody. @throws Fault FOUND_SEVERAL where the value does not say who is meant */
export async function findUser(
  { gate }: Context,
  ask: { readonly category: string; readonly value: string; readonly purpose: string },
): Promise<Pseudonym | null> {
  if (ask.value.length > 1_000 || !isSpeakable(ask.value)) {
    throw new Fault('BAD_INPUT', { detail: '"value" is text of at most 1,000 characters.' });
  }
  const found = await gate.find({ ...ask, operation: 'findUser' });
  if (found === 'nobody') return null;
  if (found === 'several') throw new Fault('FOUND_SEVERAL');
  return found.person;
}
