/**
 * The demo organisation: its people, processors and staff, written through the gate so that its log is a real one. Done
 * again, it changes nothing, but goes on where it was broken off, and renews grants that would lapse.
 */
import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { giveConsent, ownConsents } from '../src/domain/consents/consents.js';
import { ProcessorRow } from '../src/domain/processors/processor.entity.js';
import { registerProcessor } from '../src/domain/processors/processors.js';
import { grantNeedToKnow, grantsOf } from '../src/domain/staff/grants.js';
import type { StandingRow } from '../src/domain/staff/standing.entity.js';
import { recordStanding, standingOf } from '../src/domain/staff/standings.js';
import { type Registration, registerUsers } from '../src/domain/users/registration.js';
import type { Context } from '../src/graphql/context.js';
import type { Actor, Pseudonym } from '../src/log/entry.js';
import { SYSTEM } from '../src/policy/system.js';
import { createActors } from '../src/server/actors.js';
import type { ActingRole } from '../src/server/authentication.js';
import type { Core } from '../src/server/core.js';
import { people } from './people.js';
import { SERVICES } from './policy.js';

export interface DemoOptions {
  /** Whose tokens the identities come with. */
  readonly issuer: string;
  readonly now: () => Date;
  readonly tell: (line: string) => void;
  /** Breaks it off. */
  readonly signal: AbortSignal;
  /** Hundreds of them. */
  readonly users?: number;
}

const USERS = 2_000;
/** People registered in one transaction. */
const BATCH = 100;
const TELL_EVERY = 500;

const PROCESSORS = [
  { name: 'Northwind Holdings', kind: 'ASSOCIATE', subject: null },
  { name: 'Lindgren Support Agency', kind: 'AGENT', subject: null },
  { name: 'Harbour Mail Services', kind: 'SERVICE_PROVIDER', subject: 'processor' },
] as const;

/** @throws the signal's reason */
export async function seedOrganisation(core: Core, options: DemoOptions): Promise<void> {
  const { issuer, signal } = options;
  const session = await core.parts.pool.connect();
  try {
    await alone(session, signal);
    await seedPeople(core, options);
    await seedConsents(core);
    const system = core.contextFor({ actor: SYSTEM, request: randomUUID() });
    const known = new Set((await system.rows.find(ProcessorRow)).map(({ name }) => name));
    for (const { subject, ...processor } of PROCESSORS.filter(({ name }) => !known.has(name))) {
      await registerProcessor(system, { ...processor, identity: subject && { issuer, subject } });
    }
    await seedGrants(core, options);
  } finally {
    // The session ends, and with it its lock.
    session.release(true);
  }
}

/** An advisory lock: servers that start at once seed one after the other. */
const SEEDING = 0x61_6c_73_64;
const RETRY_MS = 100;

/** Asks again and again, for a statement that waits is soon ended. */
async function alone(session: pg.PoolClient, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { rows } = await session.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [SEEDING]);
    if (rows[0]!.got) return;
    await sleep(RETRY_MS);
  }
}

/** Each batch is a request with an id of its own, and stands or falls whole: the log says which are registered. */
async function seedPeople(core: Core, { issuer, tell, signal, users = USERS }: DemoOptions): Promise<void> {
  const registrations = [...people(users)].map(
    (records, nth): Registration => ({
      service: SERVICES[0].key,
      records,
      identity: nth === 0 ? { issuer, subject: 'user' } : null,
    }),
  );
  for (let from = 0; from < users; from += BATCH) {
    signal.throwIfAborted();
    const request = requestOf(`people from ${from}`);
    const system = core.contextFor({ actor: SYSTEM, request });
    const [{ stands }] = await system.rows.query(
      `SELECT EXISTS (SELECT FROM ledger.entry e
         WHERE e.log = $1 AND e.request = $2 AND e.event = 'user.registered' AND e.outcome = 'permitted') AS stands`,
      [system.log, request],
    );
    if (stands) continue;
    await registerUsers(system, 'property-security', registrations.slice(from, from + BATCH));
    const done = from + BATCH;
    if (done % TELL_EVERY === 0) tell(`registered ${done} of the ${users} people of the demo`);
  }
}

/** Of the first people every other one agreed to be told of new services, by e-mail; nobody else did. */
const CONSENTING = 20;
const AGREEMENT = 'Diagrams online may write to me about new services.';

async function seedConsents(core: Core): Promise<void> {
  const { rows, log } = core.contextFor({ actor: SYSTEM, request: randomUUID() });
  const first: { subject: Pseudonym }[] = await rows.query(
    `SELECT e.subject FROM ledger.entry e WHERE e.log = $1 AND e.request = $2 AND e.event = 'user.registered'
       AND e.outcome = 'permitted' ORDER BY e.index LIMIT $3`,
    [log, requestOf('people from 0'), CONSENTING],
  );
  for (const { subject: id } of first.filter((_, nth) => nth % 2 === 0)) {
    const person = core.contextFor({ actor: { id, kind: 'user' }, request: randomUUID() });
    const { edges } = await ownConsents(person, { first: 1 });
    // What somebody withdrew stays withdrawn.
    if (edges.length > 0) continue;
    await giveConsent(person, {
      purpose: 'new-services',
      categories: ['user.name', 'user.contact.email'],
      giving: { service: SERVICES[0].key, channel: 'REGISTRATION', words: AGREEMENT, language: 'en', until: null },
    });
  }
}

/** The same in every demo, and nobody else's: a UUID of version 8 (RFC 9562), made of what is asked for. */
function requestOf(what: string): string {
  const hex = hash('sha256', `the demo organisation: ${what}`, 'hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(12, 15)}`, `8${hex.slice(15, 18)}`, hex.slice(18, 30)].join(
    '-',
  );
}

/** What the demo's staff may read. The officer approves; the officer's own come from the system. */
const GRANTS = [
  { name: 'support', role: 'support-agent', purposes: ['convenience', 'property-security', 'new-services'] },
  { name: 'officer', role: 'privacy-officer', purposes: ['property-security'] },
] as const;

const DAY = 24 * 3_600_000;
const GRANT_DAYS = 365;
const RENEW_BEFORE_DAYS = 90;

async function seedGrants(core: Core, { issuer, now }: DemoOptions): Promise<void> {
  const signIn = createActors(core);
  const staff = (name: string, role: ActingRole): Promise<Actor> =>
    signIn({ issuer, subject: name, roles: [role], expires: 0 }, randomUUID());
  const officer = await staff('officer', 'privacy-officer');
  const reviewer = await staff('reviewer', 'security-reviewer');
  const support = await staff('support', 'support-agent');
  const by = (approver: Actor) => core.contextFor({ actor: approver, request: randomUUID() });
  await seedStanding(by(SYSTEM), officer.id);
  for (const { id } of [support, reviewer]) await seedStanding(by(officer), id);
  for (const { name, role, purposes } of GRANTS) {
    const { id } = await staff(name, role);
    const approver = id === officer.id ? SYSTEM : officer;
    const context = by(approver);
    const grants = await grantsOf(context, id);
    const enough = now().getTime() + RENEW_BEFORE_DAYS * DAY;
    for (const purpose of purposes) {
      // What somebody revoked stays revoked: it is not for a restart to give it back.
      const isSettled = grants.some(
        (grant) => grant.purpose === purpose && (grant.revokedAt !== null || grant.until.getTime() > enough),
      );
      if (isSettled) continue;
      const until = new Date(now().getTime() + GRANT_DAYS * DAY);
      await grantNeedToKnow(context, { staff: id, purpose, categories: null, from: null, until });
    }
  }
}

/** An engagement, a confidentiality agreement, and a training that is renewed; each unless somebody ended one. */
async function seedStanding(context: Context, staff: Pseudonym): Promise<void> {
  const { engagements, confidentialityAgreements, trainingRecords } = await standingOf(context, staff);
  const now = context.now().getTime();
  const lasts = ({ endedAt, until }: StandingRow) =>
    endedAt !== null || until === null || until.getTime() > now + RENEW_BEFORE_DAYS * DAY;
  const lasting = { staff, from: null, until: null };
  if (!engagements.some(lasts)) await recordStanding(context, 'engagement', { ...lasting, kind: 'EMPLOYEE' });
  if (!confidentialityAgreements.some(lasts)) await recordStanding(context, 'agreement', lasting);
  if (!trainingRecords.some(lasts)) {
    await recordStanding(context, 'training', { ...lasting, until: new Date(now + GRANT_DAYS * DAY) });
  }
}
