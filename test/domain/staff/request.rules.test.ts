import { expect } from 'chai';
import fc from 'fast-check';
import { NEED_TO_KNOW_STATES, NEXT, needToKnowState } from '../../../src/domain/staff/request.rules.js';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 22) + ms);

describe('the lifecycle of need to know', () => {
  it('takes no step but those of its table, whatever is done when', () => {
    const step = fc.record({ after: fc.nat(50), does: fc.constantFrom('look', 'approve', 'revoke') });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 10 }), (until, steps) => {
        let grant: { revokedAt: Date | null } | null = null;
        let clock = 0;
        let before = needToKnowState(at(until), grant, at(clock));
        expect(before).to.equal('REQUESTED');
        for (const { after, does } of steps) {
          clock += after;
          const now = needToKnowState(at(until), grant, at(clock));
          if (now !== before) expect(NEXT[before], `${before} → ${now}`).to.include(now);
          if (does === 'approve' && NEXT[now].includes('APPROVED')) grant = { revokedAt: null };
          if (does === 'revoke' && NEXT[now].includes('REVOKED')) grant = { revokedAt: at(clock) };
          before = needToKnowState(at(until), grant, at(clock));
          if (before !== now) expect(NEXT[now], `${now} → ${before}`).to.include(before);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reaches every state, and ends in what nothing follows', () => {
    const reached = new Set(['REQUESTED', ...Object.values(NEXT).flat()]);
    expect([...reached]).to.have.members([...NEED_TO_KNOW_STATES]);
    expect([NEXT.EXPIRED, NEXT.REVOKED]).to.deep.equal([[], []]);
  });
});
