import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { grantNeedToKnow, revokeNeedToKnow } from '../../../src/domain/staff/grants.js';
import { TryAgain } from '../../../src/gate/try-again.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { type TestGate, testGate } from '../../support/gate.js';

const ROUNDS = 6;
const READERS = 4;

/** Two servers on one database read under a grant that a third operation revokes in the middle. */
describe('a revocation that races reads', () => {
  let gate: TestGate;
  let officer: Actor;
  let people: Pseudonym[];
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
    people = await Promise.all([gate.person(), gate.person(), gate.person()]);
  });
  after(() => gate.close());

  it('lets none through after it, as the log alone shows', async () => {
    const servers = [gate.core, await gate.another()];
    const began = await gate.size();
    let shown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const support = await gate.signIn('support-agent');
      const until = new Date(Date.now() + 3_600_000);
      const wanted = { staff: support.id, purpose: 'convenience', categories: null, from: null, until };
      const { id } = await grantNeedToKnow(gate.contextFor(officer), wanted);
      let revoked = false;
      const read = async (nth: number): Promise<void> => {
        for (let after = 0; after < 3; ) {
          if (revoked) after++;
          const context = servers[nth % 2]!.contextFor({ actor: support, request: randomUUID() });
          const subject = people[nth % people.length]!;
          const ask = { subject, purpose: 'convenience', categories: null, values: true, operation: 'user' };
          const records = await context.gate.records(ask).catch((error: unknown) => {
            if (!(error instanceof TryAgain)) throw error;
            return [];
          });
          shown += records!.filter(({ value }) => value !== null).length;
        }
      };
      const readers = Array.from({ length: READERS }, (_, nth) => read(nth));
      await new Promise((resolve) => setTimeout(resolve, 10 + round * 7));
      await revokeNeedToKnow(servers[round % 2]!.contextFor({ actor: officer, request: randomUUID() }), id);
      revoked = true;
      await Promise.all(readers);
    }

    const entries = await gate.entries(began);
    const ended = new Set<string>();
    const reads = { before: 0, after: 0, refused: 0 };
    let opened = 0;
    for (const { body } of entries) {
      if (body.event === 'grant.revoked') ended.add(String(body.details?.staff));
      if (body.event !== 'record.read') continue;
      if (body.outcome === 'refused') reads.refused++;
      else {
        reads[ended.has(body.actor.id) ? 'after' : 'before']++;
        opened += body.records!.length;
      }
    }
    expect(ended.size).to.equal(ROUNDS);
    expect(reads.after).to.equal(0);
    expect(reads.before, 'reads before a revocation').to.be.greaterThan(ROUNDS);
    expect(reads.refused, 'reads after a revocation').to.be.at.least(ROUNDS * READERS);
    expect(shown, 'values shown').to.equal(opened);
  });
});
