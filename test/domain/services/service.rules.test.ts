import { expect } from 'chai';
import fc from 'fast-check';
import {
  CHOICES,
  type Choice,
  unmetByCollection,
  unmetByDeclining,
  unmetByRegistration,
} from '../../../src/domain/services/service.rules.js';

const IN_FORCE = '2012-01-16';
const CATEGORIES = ['user.name', 'user.contact.email', 'user.device.ip_address', 'user.content.private'];

const some = fc.subarray(CATEGORIES);
const coverage = fc.record({
  policy: fc.constantFrom(null, '2011-01-01', IN_FORCE),
  essential: some,
  declined: some,
});
const codes = (unmet: readonly { code: string }[]) => unmet.map(({ code }) => code);

describe('the rules of services', () => {
  it('8.2-05 every refusal names what is missing, and none is of what is enrolled, whole and not declined', () => {
    fc.assert(
      fc.property(coverage, some, (covered, categories) => {
        const refusals = [
          ...unmetByRegistration(covered, IN_FORCE, categories),
          ...unmetByCollection(covered, IN_FORCE, categories),
          ...unmetByDeclining(covered, categories),
        ];
        for (const { missing, clause } of refusals) {
          expect(missing).to.have.length.greaterThan(0);
          expect(clause).to.be.oneOf(['8.2', '4.1']);
        }
        const enrolled = covered.policy === IN_FORCE;
        const whole = covered.essential.every((one) => categories.includes(one));
        expect(codes(unmetByRegistration(covered, IN_FORCE, categories))).to.deep.equal([
          ...(enrolled ? [] : ['SERVICE_NOT_COVERED']),
          ...(whole ? [] : ['ESSENTIAL_CATEGORY_REQUIRED']),
        ]);
        const declined = categories.some((one) => covered.declined.includes(one) && !covered.essential.includes(one));
        expect(codes(unmetByCollection(covered, IN_FORCE, categories))).to.deep.equal([
          ...(enrolled ? [] : ['SERVICE_NOT_COVERED']),
          ...(declined ? ['CATEGORY_DECLINED'] : []),
        ]);
      }),
    );
  });

  it('4.1-01 declining never blocks a registration, and what is added to it never does', () => {
    fc.assert(
      fc.property(coverage, some, some, some, (covered, categories, more, declined) => {
        const before = codes(unmetByRegistration(covered, IN_FORCE, categories));
        expect(codes(unmetByRegistration({ ...covered, declined }, IN_FORCE, categories))).to.deep.equal(before);
        const after = codes(unmetByRegistration(covered, IN_FORCE, [...categories, ...more]));
        for (const code of after) expect(before).to.include(code);
      }),
    );
  });

  it('4.1-02 taking a decline back, or making a category essential, never turns a permit into a refusal', () => {
    fc.assert(
      fc.property(coverage, some, fc.constantFrom(...CATEGORIES), (covered, categories, one) => {
        const before = codes(unmetByCollection(covered, IN_FORCE, categories));
        const declined = covered.declined.filter((other) => other !== one);
        for (const more of [{ declined }, { essential: [...covered.essential, one] }, { policy: IN_FORCE }]) {
          const after = codes(unmetByCollection({ ...covered, ...more }, IN_FORCE, categories));
          for (const code of after) expect(before).to.include(code);
        }
      }),
    );
  });

  it('4.1-03 a choice is followed by its opposite only, and by something always', () => {
    for (const [choice, next] of Object.entries(CHOICES) as [Choice, readonly Choice[]][]) {
      expect(next, choice).to.have.length(1);
      expect(next).to.not.include(choice);
      expect(next).to.not.include('UNDECIDED');
    }
    expect(CHOICES.UNDECIDED).to.deep.equal(['DECLINED']);
  });
});
