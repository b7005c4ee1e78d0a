/**
 * The demo organisation: its people, processors and staff, written through the gate so that its log is a real one. Done
 * again, it changes nothing, but renews grants that would lapse.
 */
import { randomUUID } from 'node:crypto';
import { registerProcessor } from '../src/domain/processors/processors.js';
import { grantNeedToKnow, grantsOf } from '../src/domain/staff/grants.js';
import { type Registration, registerUsers } from '../src/domain/users/users.js';
import type { Context } from '../src/graphql/context.js';
import type { Actor } from '../src/log/entry.js';
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

export async function seedOrganisation(core: Core, options: DemoOptions): Promise<void> {
  const { issuer } = options;
  const system = core.contextFor({ actor: SYSTEM, request: randomUUID() });
  await seedPeople(system, options);
  for (const { subject, ...processor } of PROCESSORS) {
    await registerProcessor(system, { ...processor, identity: subject && { issuer, subject } });
  }
  await seedGrants(core, options);
}

/** Batches stand or fall whole, in the order of the list: how many there are says where to go on. */
async function seedPeople(system: Context, { issuer, tell }: DemoOptions): Promise<void> {
  const [{ count }] = await system.rows.query('SELECT count(*)::int AS count FROM registry.subject WHERE log = $1', [
    system.log,
  ]);
  const registrations = [...people(USERS)].map(
    (records, nth): Registration => ({
      service: SERVICES[0].key,
      records,
      identity: nth === 0 ? { issuer, subject: 'user' } : null,
    }),
  );
  for (let from = count; from < USERS; from += BATCH) {
    await registerUsers(system, 'property-security', registrations.slice(from, from + BATCH));
    const done = Math.min(from + BATCH, USERS);
    if (done % TELL_EVERY === 0) tell(`registered ${done} of the ${USERS} people of the demo`);
  }
}

/** What the demo's staff may read. The officer approves; the officer's own come from the system. */
const GRANTS = [
  { name: 'support', role: 'support-agent', purposes: ['convenience', 'property-security'] },
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
  await staff('reviewer', 'security-reviewer');
  for (const { name, role, purposes } of GRANTS) {
    const { id } = await staff(name, role);
    const approver = id === officer.id ? SYSTEM : officer;
    const context = core.contextFor({ actor: approver, request: randomUUID() });
    const standing = await grantsOf(context, id);
    for (const purpose of purposes) {
      const enough = now().getTime() + RENEW_BEFORE_DAYS * DAY;
      if (
        standing.some(
          (grant) => grant.purpose === purpose && grant.revokedAt === null && grant.until.getTime() > enough,
        )
      )
        continue;
      const until = new Date(now().getTime() + GRANT_DAYS * DAY);
      await grantNeedToKnow(context, { staff: id, purpose, categories: null, from: null, until });
    }
  }
}
