/**
 * The verbs of processors (clause 6.1): register, list, and see oneself.
 */
import { randomUUID } from 'node:crypto';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Pseudonym } from '../../log/entry.js';
import { actorOf, digestOf, type Identity, identityTaken, linkIdentities } from '../identities/identities.js';
import { type ProcessorKind, ProcessorRow } from './processor.entity.js';

export interface ProcessorRegistration {
  /** An organisation's, which no two processors share. */
  readonly name: string;
  readonly kind: ProcessorKind;
  /** So that it can sign in. */
  readonly identity: Identity | null;
}

const LONGEST_NAME = 200;

/**
 * Registers a processor; registered again as it stands, it is answered as it stands. What stands is told in either case, so
 * that look is entered.
 *
 * @throws Refusal; Fault BAD_INPUT, ALREADY_REGISTERED
 */
export async function registerProcessor(
  { gate }: Pick<Context, 'gate'>,
  { name, kind, identity }: ProcessorRegistration,
): Promise<ProcessorRow> {
  if (name.trim() === '' || name.length > LONGEST_NAME || !isSpeakable(name)) {
    throw new Fault('BAD_INPUT', { detail: `"name" is text of 1 to ${LONGEST_NAME} characters.` });
  }
  const ask = { event: 'processor.registered', operation: 'registerProcessor', data: null } as const;
  const registered = await gate.change<ProcessorRow | Taken>(ask, async ({ rows }, permit, seal) => {
    const id = randomUUID() as string as Pseudonym;
    const body = permit.body(ask.event, { details: { processor: id, kind } });
    const lookedUp = permit.body('processor.listed', { details: { count: 1 } });
    const processor = { id, name, kind, registeredAt: new Date(body.at), entry: body.id };
    const digest = identity && (await digestOf(seal, 'processor', identity));
    const inserted: object[] = await rows.query(
      `INSERT INTO registry.processor (id, name, kind, registered_at, entry) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (name) DO NOTHING RETURNING id`,
      [id, name, kind, processor.registeredAt, body.id],
    );
    if (inserted.length === 0) {
      const stands = await rows.findOneByOrFail(ProcessorRow, { name });
      const isSame = stands.kind === kind && (!digest || (await actorOf(rows, digest)) === stands.id);
      return { lookedUp, value: isSame ? stands : 'name' };
    }
    if (digest && !(await linkIdentities(rows, 'processor', [{ digest, actor: id, entry: body.id }]))) {
      return { lookedUp, value: 'identity' };
    }
    return { bodies: [body], value: processor };
  });
  if (registered === 'identity') throw identityTaken();
  if (registered === 'name') {
    throw new Fault('ALREADY_REGISTERED', { detail: '"name" is that of another registration.' });
  }
  return registered;
}

/** What of the registration is another's. */
type Taken = 'name' | 'identity';

/** A page of processors, by id. One entry a page, with its count: an agent may be a single person. */
export async function listProcessors({ gate, rows }: Context, args: PageArgs): Promise<Connection<ProcessorRow>> {
  const listed = await page<ProcessorRow>(
    args,
    ({ id }) => id,
    (after, limit) =>
      rows
        .createQueryBuilder(ProcessorRow, 'p')
        .where(after === null ? 'true' : 'p.id > :after', { after })
        .orderBy('p.id')
        .limit(limit)
        .getMany(),
  );
  const ask = { event: 'processor.listed', operation: 'processors', data: null } as const;
  await gate.note(ask, { details: { count: listed.edges.length } });
  return listed;
}

/** A processor's own registration, which is no disclosure to it; null for whoever is none. */
export async function ownProcessor({ actor, rows }: Context): Promise<ProcessorRow | null> {
  return actor.kind === 'processor' ? rows.findOneBy(ProcessorRow, { id: actor.id }) : null;
}
