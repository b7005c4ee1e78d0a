import { expect } from 'chai';
import fc from 'fast-check';
import { isStanding, LONGEST_GRANT_DAYS, termFault } from '../../../src/domain/staff/grant.rules.js';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);
const LONGEST = LONGEST_GRANT_DAYS * 24 * 3_600_000;

describe('the term of a grant', () => {
  it('begins now or later, and ends within 366 days', () => {
    expect(termFault({ from: NOW, until: later(1) }, NOW)).to.equal(null);
    expect(termFault({ from: NOW, until: later(LONGEST) }, NOW)).to.equal(null);
    expect(termFault({ from: NOW, until: later(LONGEST + 1) }, NOW)).to.equal('TOO_LONG');
    expect(termFault({ from: later(LONGEST), until: later(LONGEST + 1) }, NOW)).to.equal('TOO_LONG');
    expect(termFault({ from: later(-1), until: later(1) }, NOW)).to.equal('BACKDATED');
    expect(termFault({ from: later(5), until: later(5) }, NOW)).to.equal('ENDS_BEFORE_IT_BEGINS');
  });

  it('is in force from its first moment to the one before its end, unless revoked', () => {
    const ms = fc.integer({ min: -LONGEST, max: LONGEST });
    fc.assert(
      fc.property(ms, ms, fc.boolean(), (from, until, revoked) => {
        const grant = { from: later(from), until: later(until), revokedAt: revoked ? NOW : null };
        expect(isStanding(grant, NOW)).to.equal(!revoked && from <= 0 && 0 < until);
      }),
    );
    expect(isStanding({ from: NOW, until: later(1), revokedAt: null }, NOW)).to.equal(true);
    expect(isStanding({ from: later(-1), until: NOW, revokedAt: null }, NOW)).to.equal(false);
  });
});
