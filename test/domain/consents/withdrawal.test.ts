import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { giveConsent, withdrawConsent } from '../../../src/domain/consents/consents.js';
import { grantNeedToKnow } from '../../../src/domain/staff/grants.js';
import { TryAgain } from '../../../src/gate/try-again.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { type TestGate, testGate } from '../../support/gate.js';

const ROUNDS = 6;
const READERS = 4;
const GIVING = { service: 'diagrams', channel: 'EMAIL', words: 'May we write?', language: 'en', until: null };

/** Two servers on one database read under a consent that the person withdraws in the middle. */
describe('a withdrawal that races reads', () => {
  let gate: TestGate;
  let support: Actor;
  before(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    const until = new Date(Date.now() + 3_600_000);
    const wanted = { staff: support.id, purpose: 'new-services', categories: null, from: null, until };
    await grantNeedToKnow(gate.contextFor(SYSTEM), wanted);
  });
  after(() => gate.close());

  it('3.1-40 lets none through after it, as the log alone shows, and none about others in its way', async () => {
    const servers = [gate.core, await gate.another()];
    const other = await gate.person();
    const agree = (id: Pseudonym) =>
      giveConsent(gate.contextFor({ id, kind: 'user' }), {
        purpose: 'new-services',
        categories: ['user.name', 'user.contact.email'],
        giving: GIVING,
      });
    await agree(other);
    const began = await gate.size();
    let shown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const person = await gate.person();
      const { id } = await agree(person);
      let withdrawn = false;
      const read = async (nth: number): Promise<void> => {
        for (let after = 0; after < 3; ) {
          if (withdrawn) after++;
          const context = servers[nth % 2]!.contextFor({ actor: support, request: randomUUID() });
          const ask = { purpose: 'new-services', categories: null, values: true, operation: 'users' };
          // As a list does: of several people at once.
          const records = await Promise.all(
            [person, other].map((subject) =>
              context.gate.records({ ...ask, subject }).catch((error: unknown) => {
                if (!(error instanceof TryAgain)) throw error;
                return [];
              }),
            ),
          );
          shown += records.flat().filter((record) => record!.value !== null).length;
        }
      };
      const readers = Array.from({ length: READERS }, (_, nth) => read(nth));
      await new Promise((resolve) => setTimeout(resolve, 10 + round * 7));
      const themself = { actor: { id: person, kind: 'user' } as const, request: randomUUID() };
      await withdrawConsent(servers[round % 2]!.contextFor(themself), id);
      withdrawn = true;
      await Promise.all(readers);
    }

    const ended = new Set<string>();
    const reads = { before: 0, after: 0, refused: 0, other: 0 };
    let opened = 0;
    for (const { body } of await gate.entries(began)) {
      if (body.event === 'consent.withdrawn') ended.add(body.subject!);
      if (body.event !== 'record.read') continue;
      if (body.outcome === 'refused') {
        expect(body.refusal!.code).to.equal('CONSENT_WITHDRAWN');
        expect(ended.has(body.subject!)).to.equal(true);
        reads.refused++;
        continue;
      }
      if (body.subject === other) reads.other++;
      else reads[ended.has(body.subject!) ? 'after' : 'before']++;
      opened += body.records!.length;
    }
    expect(ended.size).to.equal(ROUNDS);
    expect(reads.after).to.equal(0);
    expect(reads.before, 'reads before a withdrawal').to.be.greaterThan(ROUNDS);
    expect(reads.refused, 'reads after a withdrawal').to.be.at.least(ROUNDS * READERS);
    expect(reads.other).to.be.at.least(reads.refused);
    expect(shown, 'values shown').to.equal(opened);
  });
});
