import { expect } from 'chai';
import fc from 'fast-check';
import {
  LONGEST_TRAINING_DAYS,
  NEXT,
  type OpenTerm,
  STANDING_KINDS,
  type StandingFault,
  standingFault,
  stateOf,
} from '../../../src/domain/staff/standing.rules.js';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);
const LONGEST = LONGEST_TRAINING_DAYS * 24 * 3_600_000;

const moment = fc.integer({ min: -LONGEST, max: LONGEST }).map(later);
const term = fc.record({ from: moment, until: fc.option(moment) });

describe('the term of a standing', () => {
  const faults = (from: number, until: number | null): (StandingFault | null)[] =>
    STANDING_KINDS.map((kind) =>
      standingFault(kind, { from: later(from), until: until === null ? null : later(until) }, NOW),
    );

  it('may have begun before; only an engagement may begin later; no training is for ever', () => {
    expect(faults(0, 1)).to.deep.equal([null, null, null]);
    expect(faults(-5, 1)).to.deep.equal([null, null, null]);
    expect(faults(1, 5)).to.deep.equal([null, 'NOT_YET', 'NOT_YET']);
    expect(faults(0, null)).to.deep.equal([null, null, 'OPEN_ENDED']);
    expect(faults(0, LONGEST)).to.deep.equal([null, null, null]);
    expect(faults(0, LONGEST + 1)).to.deep.equal([null, null, 'TOO_LONG']);
    expect(faults(-5, -5)).to.deep.equal(Array(3).fill('ENDS_BEFORE_IT_BEGINS'));
    expect(faults(-5, 0)).to.deep.equal(Array(3).fill('OVER'));
  });

  it('that is recorded is in force at once, or lies ahead', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STANDING_KINDS), term, (kind, recorded) => {
        fc.pre(standingFault(kind, recorded, NOW) === null);
        expect(stateOf({ ...recorded, endedAt: null }, NOW)).to.be.oneOf(
          kind === 'engagement' ? ['IN_FORCE', 'AHEAD'] : ['IN_FORCE'],
        );
      }),
    );
  });
});

describe('the lifecycle of a standing', () => {
  it('takes no step but those of its table, whatever time it is and whenever it is ended', () => {
    fc.assert(
      fc.property(
        term,
        fc.array(fc.record({ at: moment, ends: fc.boolean() }), { maxLength: 8 }),
        (recorded, steps) => {
          fc.pre(recorded.until === null || recorded.until > recorded.from);
          let standing: OpenTerm & { endedAt: Date | null } = { ...recorded, endedAt: null };
          let clock = later(-LONGEST - 1);
          let before = stateOf(standing, clock);
          for (const { at, ends } of steps.sort((a, b) => a.at.getTime() - b.at.getTime())) {
            // Nobody may have looked at the moment at which it began.
            for (const time of [standing.from, at].filter((moment) => clock < moment && moment <= at)) {
              clock = time;
              const state = stateOf(standing, time);
              if (state !== before) expect(NEXT[before], `${before} → ${state}`).to.include(state);
              before = state;
            }
            if (!ends || !NEXT[before].includes('ENDED')) continue;
            standing = { ...standing, endedAt: at };
            before = stateOf(standing, at);
            expect(before).to.equal('ENDED');
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('ends in what nothing follows', () => {
    expect([NEXT.ENDED, NEXT.EXPIRED]).to.deep.equal([[], []]);
  });
});
