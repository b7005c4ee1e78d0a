import { expect } from 'chai';
import fc from 'fast-check';
import { CONSENT_STEPS, FIRST_STATES, mayBecome } from '../../../src/domain/consents/consent.rules.js';
import { CONSENT_STATES, type ConsentAct, isConsenting, stateOf } from '../../../src/policy/consent.js';
import { type TestLedger, testLedger } from '../../support/ledger.js';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const FINAL = ['REFUSED', 'WITHDRAWN', 'INVALIDATED', 'EXPIRED'];

describe('the lifecycle of a consent', () => {
  it('3.1-10 begins with a request or a giving, and ends for good', () => {
    for (const state of CONSENT_STATES) {
      expect(mayBecome(null, state), state).to.equal(FIRST_STATES.includes(state));
      expect(CONSENT_STEPS[state].length === 0, state).to.equal(FINAL.includes(state));
    }
  });

  it('3.1-11 is in force only after somebody gave it, and never after its end, whatever way it went', () => {
    const choices = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });
    const until = fc.option(fc.integer({ min: -2, max: 2 }).map((ms) => new Date(NOW.getTime() + ms)));
    fc.assert(
      fc.property(choices, until, (picks, end) => {
        const way: ConsentAct[] = [];
        for (const pick of picks) {
          const last = way.at(-1);
          const next = (last ? CONSENT_STEPS[last] : FIRST_STATES).filter((state) => state !== 'EXPIRED');
          if (next.length === 0) break;
          way.push(next[pick % next.length] as ConsentAct);
        }
        const act = way.at(-1)!;
        const given = way.includes('GIVEN') && !FINAL.includes(act);
        expect(isConsenting({ act, until: end }, NOW)).to.equal(given && (end === null || NOW < end));
        const state = stateOf({ act, until: end }, NOW);
        expect(state === act || CONSENT_STEPS[act].includes(state)).to.equal(true);
      }),
    );
  });

  describe('in the database', () => {
    let ledger: TestLedger;
    before(async () => {
      ledger = await testLedger();
    });
    after(() => ledger.close());

    it('3.1-12 is the same, but for expiring, which nobody writes', async () => {
      const written = CONSENT_STATES.filter((state) => state !== 'EXPIRED');
      for (const was of [null, ...written]) {
        for (const becomes of written) {
          const [row] = await ledger.sql<{ may: boolean }>('SELECT registry.consent_may_become($1, $2) AS may', [
            was,
            becomes,
          ]);
          expect(row!.may, `${was} → ${becomes}`).to.equal(mayBecome(was, becomes));
        }
      }
    });
  });
});
