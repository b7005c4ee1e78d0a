/**
 * A registration is how a person comes to be known: with a service, under a pseudonym and a key of their own, with what is
 * kept of them from the start (clauses 2.1, 2.2).
 */
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { LookedUp, Seal } from '../../gate/change.js';
import type { Permit } from '../../gate/permit.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import type { Category, PermittedBody, Pseudonym } from '../../log/entry.js';
import type { WrappedKey } from '../../vault/vault.js';
import { digestOf, type Identity, type IdentityLink, identityTaken, linkIdentities } from '../identities/identities.js';
import {
  type CollectedValue,
  type Collection,
  categoriesOf,
  firstVersions,
  insertRecords,
  withIds,
} from '../records/records.js';
import { refuseRegistrations } from '../services/coverage.js';

export interface Registration {
  readonly service: string;
  readonly records: readonly CollectedValue[];
  /** So that they can sign in. */
  readonly identity: Identity | null;
}

/**
 * Registers people, all or none. Two entries for each: the person, and what is kept. Where somebody has one of their
 * identities already, that is told, and so entered.
 *
 * @throws Refusal; Fault BAD_INPUT, ALREADY_REGISTERED
 */
export async function registerUsers(
  { gate, log }: Context,
  purpose: string,
  registrations: readonly Registration[],
): Promise<Pseudonym[]> {
  if (registrations.length === 0) throw new Fault('BAD_INPUT', { detail: 'Nobody to register.' });
  const people = registrations.map((registration) => ({ ...registration, records: withIds(registration.records) }));
  const collected = people.flatMap(({ records }) => records);
  const data = { subject: null, purpose, categories: categoriesOf(collected), collected };
  const ask = { event: 'user.registered', operation: 'registerUser', data } as const;

  const registered = await gate.change<Pseudonym[] | 'taken'>(ask, async ({ rows }, permit, seal) => {
    await refuseRegistrations(
      rows,
      people.map(({ service, records }) => ({ service, categories: categoriesOf(records) })),
    );
    const drafts = await Promise.all(people.map((person) => draft(permit, seal, person)));
    await insertPeople(rows, log, drafts);
    await insertRecords(rows, log, permit, seal, drafts);
    const links = await linksOf(seal, drafts);
    if (!(await linkIdentities(rows, 'user', links, log))) return taken(rows, log, permit, links);
    const [first, ...rest] = drafts.flatMap(({ registered, created }) => [registered, created]);
    return { bodies: [first!, ...rest], value: drafts.map(({ subject }) => subject) };
  });
  if (registered === 'taken') throw identityTaken();
  return registered;
}

/** One person as they are to be registered: what is kept of them, and the two entries that say so. */
interface Draft extends Collection {
  readonly service: string;
  readonly identity: Identity | null;
  readonly registered: PermittedBody;
  readonly created: PermittedBody;
}

type Person = Omit<Registration, 'records'> & Pick<Collection, 'records'>;

async function draft(permit: Permit, seal: Seal, person: Person): Promise<Draft> {
  const { records } = person;
  const subject = randomUUID() as string as Pseudonym;
  // Permitted, so they are declared.
  const asked = categoriesOf(records) as Category[];
  const registered = permit.body('user.registered', { subject, asked });
  const created = permit.body('record.created', { subject, asked, records: firstVersions(records) });
  return { ...person, subject, key: await seal.newKey(subject), entry: created.id, registered, created };
}

async function insertPeople(rows: EntityManager, log: number, drafts: readonly Draft[]): Promise<void> {
  const people = drafts.map(({ subject, service, registered, key }) => ({
    id: subject,
    service,
    entry: registered.id,
    at: registered.at,
    ...wrapped(key),
  }));
  const all = JSON.stringify(people);
  await rows.query(
    `INSERT INTO registry.subject (log, id, service, entry, registered_at)
     SELECT $1, p.id, p.service, p.entry, p.at
     FROM json_to_recordset($2::json) AS p(id uuid, service text, entry uuid, at timestamptz)`,
    [log, all],
  );
  await rows.query(
    `INSERT INTO registry.subject_key (log, subject, kek, wrapped)
     SELECT $1, p.id, p.kek, decode(p.wrapped, 'base64')
     FROM json_to_recordset($2::json) AS p(id uuid, kek text, wrapped text)`,
    [log, all],
  );
}

function wrapped({ kek, bytes }: WrappedKey): { kek: string; wrapped: string } {
  return { kek, wrapped: Buffer.from(bytes).toString('base64') };
}

async function linksOf(seal: Seal, drafts: readonly Draft[]): Promise<IdentityLink[]> {
  const links = drafts.map(async ({ identity, subject, registered }) =>
    identity ? [{ digest: await digestOf(seal, 'user', identity), actor: subject, entry: registered.id }] : [],
  );
  return (await Promise.all(links)).flat();
}

/** Of the people of this log; the entry names whom it is, where it is one. None of their data was looked at. */
async function taken(
  rows: EntityManager,
  log: number,
  permit: Permit,
  links: readonly IdentityLink[],
): Promise<LookedUp<'taken'>> {
  const holders: { actor: Pseudonym }[] = await rows.query(
    'SELECT i.actor FROM registry.identity i WHERE i.log = $1 AND i.digest = ANY ($2) AND i.actor <> ALL ($3)',
    [log, links.map(({ digest }) => Buffer.from(digest)), links.map(({ actor }) => actor)],
  );
  const [holder] = holders;
  const subject = holders.length === 1 && holder ? { subject: holder.actor } : {};
  const details = { count: holders.length };
  return { lookedUp: permit.body('user.listed', { ...subject, details, asked: undefined }), value: 'taken' };
}
