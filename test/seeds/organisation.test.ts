import { expect } from 'chai';
import { type DemoOptions, seedOrganisation } from '../../seeds/organisation.js';
import { grantNeedToKnow, grantsOf, revokeNeedToKnow } from '../../src/domain/staff/grants.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import { createActors } from '../../src/server/actors.js';
import type { ActingRole } from '../../src/server/authentication.js';
import type { Core } from '../../src/server/core.js';
import { type TestGate, testGate } from '../support/gate.js';

const ISSUER = 'https://demo.example.com';
const HOUR = 3_600_000;

describe('the demo organisation', () => {
  let gate: TestGate;
  beforeEach(async () => {
    gate = await testGate();
  });
  afterEach(() => gate.close());

  const seed = (users: number, options: Partial<DemoOptions> = {}, core: Core = gate.core) =>
    seedOrganisation(core, {
      issuer: ISSUER,
      now: () => new Date(),
      tell: () => {},
      signal: new AbortController().signal,
      users,
      ...options,
    });

  const count = async (table: string): Promise<number> => {
    const [{ count }] = await gate.core.rows.query(`SELECT count(*)::int AS count FROM registry.${table}`);
    return count;
  };

  const staff = (name: string, role: ActingRole): Promise<Actor> =>
    createActors(gate.core)({ issuer: ISSUER, subject: name, roles: [role], expires: 2 ** 40 }, crypto.randomUUID());

  it('is there once, however many servers seed it at once; again, it changes nothing', async () => {
    await Promise.all([seed(200), seed(200, {}, await gate.another()), seed(200, {}, await gate.another())]);
    expect([await count('subject'), await count('processor')]).to.deep.equal([200, 3]);
    const size = await gate.size();
    await seed(200);
    expect(await gate.size()).to.equal(size);
  });

  it('is whole beside people whom others registered', async () => {
    await Promise.all(Array.from({ length: 120 }, () => gate.person()));
    await seed(200);
    expect(await count('subject')).to.equal(320);
  });

  it('has people who consented to new services, and more who did not', async () => {
    await seed(100);
    const support = await staff('support', 'support-agent');
    const subjects: { id: Pseudonym }[] = await gate.core.rows.query('SELECT s.id FROM registry.subject s');
    const { gate: door } = gate.contextFor(support);
    const shown = await Promise.all(
      subjects.map(async ({ id: subject }) => {
        const ask = { subject, purpose: 'new-services', categories: ['user.name'], values: true, operation: 'users' };
        return (await door.records(ask))![0]!.withheld?.code ?? 'shown';
      }),
    );
    const count = (what: string) => shown.filter((one) => one === what).length;
    expect([count('shown'), count('CONSENT_MISSING')]).to.deep.equal([10, 90]);
  });

  it('goes on where it was broken off', async () => {
    const stop = new AbortController();
    const first = seed(1_000, { signal: stop.signal, tell: () => stop.abort() });
    expect(await first.catch((error: unknown) => error)).to.equal(stop.signal.reason);
    expect(await count('subject')).to.equal(500);
    await seed(700);
    expect(await count('subject')).to.equal(700);
  });

  it('waits for another server that seeds, and not longer than it is told to', async () => {
    const session = await gate.core.parts.pool.connect();
    await session.query('SELECT pg_advisory_lock($1)', [0x61_6c_73_64]);
    const stop = new AbortController();
    const waiting = seed(100, { signal: stop.signal }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 250));
    stop.abort();
    expect(await waiting).to.equal(stop.signal.reason);
    expect(await count('subject')).to.equal(0);
    session.release(true);
  });

  it('renews a grant that lapses, and never gives back one that was revoked', async () => {
    const support = await staff('support', 'support-agent');
    const officer = gate.contextFor(await staff('officer', 'privacy-officer'));
    const until = new Date(Date.now() + HOUR);
    await grantNeedToKnow(officer, { staff: support.id, purpose: 'convenience', categories: null, from: null, until });
    await seed(100);
    const lasting = async (purpose: string) =>
      (await grantsOf(officer, support.id)).filter(
        (grant) => grant.purpose === purpose && !grant.revokedAt && grant.until.getTime() > Date.now() + 24 * HOUR,
      );
    const [renewed] = await lasting('convenience');
    expect(renewed).to.not.equal(undefined);

    await revokeNeedToKnow(officer, renewed!.id);
    await seed(100);
    expect(await lasting('convenience')).to.deep.equal([]);
    expect(await lasting('property-security')).to.have.length(1);
  });
});
