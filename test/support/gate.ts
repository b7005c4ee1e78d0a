/**
 * The core over a real PostgreSQL and a real vault, wired as the server wires it, with the demo's policy declared; and
 * actors of each kind, as they are when they have signed in. Verbs are called with a context; documents are executed
 * in-process against the schema of every resolver.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type GraphQLSchema, graphql } from 'graphql';
import { CATEGORIES, LEGAL_BASES, PURPOSES, SERVICES } from '../../seeds/policy.js';
import type { Identity } from '../../src/domain/identities/identities.js';
import { declareCategory, declareLegalBasis, declarePurpose } from '../../src/domain/purposes/purposes.js';
import type { CollectedValue } from '../../src/domain/records/records.js';
import { enrolService } from '../../src/domain/services/services.js';
import { recordStanding, standingOf } from '../../src/domain/staff/standings.js';
import { registerUsers } from '../../src/domain/users/registration.js';
import type { Context } from '../../src/graphql/context.js';
import { Fault } from '../../src/graphql/fault.js';
import { type LoggedBody, parseBody } from '../../src/log/body.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import { Refusal } from '../../src/policy/refusal.js';
import type { StaffRole } from '../../src/policy/role.js';
import { SYSTEM } from '../../src/policy/system.js';
import { createActors } from '../../src/server/actors.js';
import type { ActingRole } from '../../src/server/authentication.js';
import { type Core, type Operation, openCore } from '../../src/server/core.js';
import { type LeavingError, leavingError } from '../../src/server/errors.js';
import { buildApiSchema } from '../../src/server/schema.js';
import { formatKeys, generateKeys } from '../../src/vault/key-file.js';
import { environmentKeys } from '../../src/vault/key-provider.js';
import { type MigratedDatabase, migratedDatabase } from './ledger.js';
import { LOG_KEY } from './publishing.js';

const ISSUER = 'https://issuer.example.com';

export interface Answered {
  /** As a client gets it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for, and fails where it is wrong
  readonly data: any;
  readonly errors: readonly LeavingError[];
  readonly context: Context;
}

export interface LoggedEntry {
  readonly index: number;
  readonly nth: number | null;
  readonly body: LoggedBody;
}

export interface TestGate {
  readonly database: MigratedDatabase;
  readonly core: Core;
  /** What wraps people's keys. */
  readonly kek: { readonly id: string; readonly retires: string };
  /** Each call is another operation. */
  contextFor(actor: Actor, changes?: Partial<Pick<Operation, 'overGet' | 'signal'>>): Context;
  /**
   * Staff signs in for the first time, gets a pseudonym and all that clause 5.2 asks besides a grant; users and processors
   * were registered with `identityOf`.
   */
  signIn(role: ActingRole, sub?: string): Promise<Actor>;
  /** Staff signs in, and has nothing but a pseudonym. */
  signInOnly(role: StaffRole): Promise<Actor>;
  /** A person with these values; by default a name and an e-mail address. */
  person(records?: readonly CollectedValue[], sub?: string): Promise<Pseudonym>;
  /** Executes a document as the actor. The errors are what would leave the server. */
  execute(actor: Actor, source: string, variables?: Record<string, unknown>): Promise<Answered>;
  /** The log from an index on, in order. */
  entries(from?: number): Promise<LoggedEntry[]>;
  size(): Promise<number>;
  /** Another server on the same database, with the same keys and clock. */
  another(): Promise<Core>;
  close(): Promise<void>;
}

export const NAME: CollectedValue = { category: 'user.name', channel: 'REGISTRATION', value: 'Ana Ruiz' };
export const EMAIL: CollectedValue = {
  category: 'user.contact.email',
  channel: 'REGISTRATION',
  value: 'ana@example.com',
};

export function identityOf(sub: string): Identity {
  return { issuer: ISSUER, subject: sub };
}

export async function testGate(): Promise<TestGate> {
  const database = await migratedDatabase();
  const now = () => new Date();
  const file = generateKeys(now(), randomBytes);
  const keys = environmentKeys('KEK', formatKeys(file), now);
  const open = () => openCore({ url: database.url, logKey: LOG_KEY, keys, now });
  const core = await open();
  const others: Core[] = [];
  const contextFor: TestGate['contextFor'] = (actor, changes) =>
    core.contextFor({ actor, request: randomUUID(), ...changes });
  const system = contextFor(SYSTEM);
  await declareDemo(system);
  const findActor = createActors(core);

  return {
    database,
    core,
    kek: file.keks[0]!,
    contextFor,
    async signIn(role, sub = randomUUID()) {
      const actor = await findActor({ issuer: ISSUER, subject: sub, roles: [role], expires: 2 ** 40 }, randomUUID());
      if (actor.kind === 'staff') await giveStanding(contextFor(SYSTEM), actor.id);
      return actor;
    },
    signInOnly: (role) =>
      findActor({ issuer: ISSUER, subject: randomUUID(), roles: [role], expires: 2 ** 40 }, randomUUID()),
    async person(records = [NAME, EMAIL], sub) {
      const identity = sub === undefined ? null : identityOf(sub);
      const registration = { service: SERVICES[0].key, records, identity };
      const [person] = await registerUsers(contextFor(SYSTEM), 'convenience', [registration]);
      return person!;
    },
    async execute(actor, source, variables = {}) {
      const context = contextFor(actor);
      const result = await graphql({
        schema: await apiSchema(),
        source,
        contextValue: context,
        variableValues: variables,
      });
      const data = JSON.parse(JSON.stringify(result.data ?? null));
      return { data, errors: (result.errors ?? []).map(leavingError), context };
    },
    async entries(from = 0) {
      const { rows } = await core.parts.pool.query<{ index: string; nth: string | null; leaf: string }>(
        'SELECT index, nth, leaf FROM ledger.entry WHERE index >= $1 ORDER BY index',
        [from],
      );
      return rows.map(({ index, nth, leaf }) => ({
        index: Number(index),
        nth: nth === null ? null : Number(nth),
        body: parseBody(leaf.slice(leaf.indexOf('\n') + 1)),
      }));
    },
    async size() {
      const { rows } = await core.parts.pool.query<{ size: number }>('SELECT count(*)::int AS size FROM ledger.entry');
      return rows[0]!.size;
    },
    async another() {
      const other = await open();
      others.push(other);
      return other;
    },
    async close() {
      await Promise.all([core, ...others].map((one) => one.close()));
      await database.drop();
    },
  };
}

/** An engagement, a confidentiality agreement and a training, unless they have had one. */
export async function giveStanding(context: Context, staff: Pseudonym): Promise<void> {
  const had = await standingOf(context, staff);
  const ask = { staff, from: null, until: null };
  if (had.engagements.length > 0) return;
  await recordStanding(context, 'engagement', { ...ask, kind: 'EMPLOYEE' });
  await recordStanding(context, 'agreement', ask);
  await recordStanding(context, 'training', { ...ask, until: new Date(context.now().getTime() + 24 * 3_600_000) });
}

/** Declares the policy of the demo. */
export async function declareDemo(context: Context): Promise<void> {
  for (const basis of LEGAL_BASES) await declareLegalBasis(context, basis);
  for (const category of CATEGORIES) await declareCategory(context, category);
  for (const purpose of PURPOSES) await declarePurpose(context, purpose);
  for (const service of SERVICES) await enrolService(context, service);
}

let schema: Promise<GraphQLSchema> | null = null;

export function apiSchema(): Promise<GraphQLSchema> {
  schema ??= buildApiSchema();
  return schema;
}

/** The code that a verb refuses or fails with; null if it does neither. Anything else is the test's failure. */
export async function refusalOf(attempt: Promise<unknown>): Promise<string | null> {
  try {
    await attempt;
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.refused.code;
    if (error instanceof Fault) return error.code;
    throw error;
  }
}
