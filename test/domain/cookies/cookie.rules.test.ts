import { expect } from 'chai';
import fc from 'fast-check';
import {
  COOKIE_CATEGORIES,
  COOKIE_PREFERENCES,
  type CookieFacts,
  judgeCookie,
} from '../../../src/domain/cookies/cookie.rules.js';

const facts: fc.Arbitrary<CookieFacts> = fc.record({
  covered: fc.boolean(),
  category: fc.constantFrom(null, ...COOKIE_CATEGORIES),
  preference: fc.constantFrom(null, ...COOKIE_PREFERENCES),
});

describe('the rules of cookies', () => {
  it('4.2-01 an essential cookie is allowed whatever is preferred, others as the person prefers, and who said nothing is asked', () => {
    const answers = (category: CookieFacts['category']) =>
      [null, ...COOKIE_PREFERENCES].map((preference) => judgeCookie({ covered: true, category, preference }).answer);
    expect(answers('ESSENTIAL')).to.deep.equal(['ALLOWED', 'ALLOWED', 'ALLOWED', 'ALLOWED']);
    for (const category of ['PREFERENCES', 'STATISTICS', 'MARKETING'] as const) {
      expect(answers(category)).to.deep.equal(['ASK', 'ALLOWED', 'REFUSED', 'ASK']);
    }
    expect(answers(null)).to.deep.equal(['REFUSED', 'REFUSED', 'REFUSED', 'REFUSED']);
  });

  it('4.2-02 every refusal names all that is missing, and to have it is never to be refused for something else', () => {
    fc.assert(
      fc.property(facts, (known) => {
        const { answer, refusal } = judgeCookie(known);
        expect(refusal === null).to.equal(answer !== 'REFUSED');
        if (!refusal) return;
        expect(refusal.missing).to.have.length.greaterThan(0);
        const had: CookieFacts = {
          covered: true,
          category: known.category ?? 'ESSENTIAL',
          preference: known.preference === 'REJECT_ALL' ? 'ACCEPT_ALL' : known.preference,
        };
        expect(judgeCookie(had).answer).to.not.equal('REFUSED');
        const missing = (changes: Partial<CookieFacts>) => judgeCookie({ ...known, ...changes }).refusal?.missing ?? [];
        for (const one of missing({ covered: true })) expect(refusal.missing).to.include(one);
        for (const one of missing({ preference: 'ACCEPT_ALL' })) expect(refusal.missing).to.include(one);
      }),
    );
  });
});
