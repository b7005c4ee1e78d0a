/**
 * The verbs of users: register, look up, list, find.
 */
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Category, Pseudonym } from '../../log/entry.js';
import { Refusal, refused } from '../../policy/refusal.js';
import { digestOf, type Identity, type IdentityLink, identityTaken, linkIdentities } from '../identities/identities.js';
import { type CollectedValue, categoriesOf, firstVersions, insertRecords, withIds } from '../records/records.js';
import { SubjectRow } from './subject.entity.js';

export interface Registration {
  readonly service: string;
  readonly records: readonly CollectedValue[];
  readonly identity: Identity | null;
}

/**
 * Registers people, each with a pseudonym and a key of their own. Two entries for each: the person, and what is kept. Where
 * somebody has one of their identities already, that is told, and so entered; and nobody is registered.
 *
 * @throws Refusal; Fault BAD_INPUT, ALREADY_REGISTERED
 */
export async function registerUsers(
  { gate, log }: Context,
  purpose: string,
  registrations: readonly Registration[],
): Promise<Pseudonym[]> {
  const people = registrations.map((registration) => ({
    ...registration,
    subject: randomUUID() as string as Pseudonym,
    records: withIds(registration.records),
  }));
  const collected = people.flatMap(({ records }) => records);
  const data = { subject: null, purpose, categories: categoriesOf(collected), collected };
  const ask = { event: 'user.registered', operation: 'registerUser', data } as const;

  const registered = await gate.change<Pseudonym[] | 'taken'>(ask, async ({ rows }, permit, seal) => {
    const services = [...new Set(people.map(({ service }) => service))];
    const [{ enrolled }] = await rows.query(
      'SELECT count(*)::int AS enrolled FROM registry.service WHERE key = ANY ($1)',
      [services],
    );
    if (enrolled < services.length) throw new Refusal(refused('SERVICE_NOT_COVERED', 'an enrolled service'), null);

    const keyed = await Promise.all(
      people.map(async (person) => {
        const { subject, records } = person;
        // Permitted, so they are declared.
        const asked = categoriesOf(records) as Category[];
        const registered = permit.body('user.registered', { subject, asked });
        const created = permit.body('record.created', { subject, asked, records: firstVersions(records) });
        return { ...person, key: await seal.newKey(subject), entry: created.id, registered, created };
      }),
    );
    await rows.query(
      `INSERT INTO registry.subject (log, id, service, entry, registered_at)
       SELECT $1, p.id, p.service, p.entry, p.at
       FROM json_to_recordset($2::json) AS p(id uuid, service text, entry uuid, at timestamptz)`,
      [
        log,
        JSON.stringify(
          keyed.map(({ subject, service, registered }) => ({
            id: subject,
            service,
            entry: registered.id,
            at: registered.at,
          })),
        ),
      ],
    );
    await rows.query(
      `INSERT INTO registry.subject_key (log, subject, kek, wrapped)
       SELECT $1, k.person, k.kek, decode(k.wrapped, 'base64')
       FROM json_to_recordset($2::json) AS k(person uuid, kek text, wrapped text)`,
      [
        log,
        JSON.stringify(
          keyed.map(({ key }) => ({
            person: key.person,
            kek: key.kek,
            wrapped: Buffer.from(key.bytes).toString('base64'),
          })),
        ),
      ],
    );
    await insertRecords(rows, log, permit, seal, keyed);
    const links = await Promise.all(
      keyed.flatMap(({ identity, subject, registered }) =>
        identity
          ? [digestOf(seal, 'user', identity).then((digest) => ({ digest, actor: subject, entry: registered.id }))]
          : [],
      ),
    );
    if (!(await linkIdentities(rows, 'user', links, log))) {
      const [holder, ...others] = await holdersOf(rows, log, links);
      const said = { asked: undefined, details: { count: holder ? 1 + others.length : 0 } };
      const subject = others.length === 0 ? holder : undefined;
      return { lookedUp: permit.body('user.listed', { ...said, ...(subject && { subject }) }), value: 'taken' };
    }
    const bodies = keyed.flatMap(({ registered, created }) => [registered, created]);
    const [first, ...rest] = bodies;
    if (!first) throw new Fault('BAD_INPUT', { detail: 'Nobody to register.' });
    return { bodies: [first, ...rest], value: people.map(({ subject }) => subject) };
  });
  if (registered === 'taken') throw identityTaken();
  return registered;
}

/** Who had these identities before. */
async function holdersOf(rows: EntityManager, log: number, links: readonly IdentityLink[]): Promise<Pseudonym[]> {
  const held: { actor: Pseudonym }[] = await rows.query(
    'SELECT i.actor FROM registry.identity i WHERE i.log = $1 AND i.digest = ANY ($2) AND i.actor <> ALL ($3)',
    [log, links.map(({ digest }) => Buffer.from(digest)), links.map(({ actor }) => actor)],
  );
  return held.map(({ actor }) => actor);
}

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
