import { expect } from 'chai';
import fc from 'fast-check';
import { continues, type HistoryEntry, LONGEST_RUN } from '../../../src/domain/log/history.rules.js';
import type { Body, Pseudonym } from '../../../src/log/entry.js';
import type { Link, LogIndex } from '../../../src/log/leaf.js';
import { someBody, someId } from '../../support/ledger.js';

const [ONE, OTHER] = [someId<Pseudonym>(), someId<Pseudonym>()];

const entry = (changes: Partial<Body> | null): HistoryEntry => ({
  index: 7 as LogIndex,
  link: '' as Link,
  nth: 3,
  body: changes && ({ ...someBody({ asOf: 0, ...changes } as never), v: 1 } as never),
});
const refusal = (code = 'NO_NEED_TO_KNOW', role = 'support-agent', id = ONE) =>
  entry({ outcome: 'refused', refusal: { code }, actor: { id, kind: 'staff', role } } as Partial<Body>);
const permission = () => entry({ actor: { id: ONE, kind: 'staff', role: 'support-agent' } });

describe('a line of a history', () => {
  it('goes on over refusals of one role for one reason, whoever of that role it was', () => {
    expect(continues([refusal()], refusal())).to.equal(true);
    expect(continues([refusal()], refusal('NO_NEED_TO_KNOW', 'support-agent', OTHER))).to.equal(true);
  });

  it('ends at another role, another reason, and at whatever was permitted or cannot be read', () => {
    expect(continues([refusal()], refusal('ROLE_NOT_PERMITTED'))).to.equal(false);
    expect(continues([refusal()], refusal('NO_NEED_TO_KNOW', 'privacy-officer'))).to.equal(false);
    expect(continues([refusal()], permission())).to.equal(false);
    expect(continues([permission()], permission())).to.equal(false);
    expect(continues([permission()], refusal())).to.equal(false);
    expect(continues([refusal()], entry(null))).to.equal(false);
    expect(continues([entry(null)], entry(null))).to.equal(false);
  });

  it('tells organisations and users apart', () => {
    for (const kind of ['processor', 'user'] as const) {
      const of = (id: Pseudonym) =>
        entry({ outcome: 'refused', refusal: { code: 'X' }, actor: { id, kind } } as Partial<Body>);
      expect(continues([of(ONE)], of(ONE))).to.equal(true);
      expect(continues([of(ONE)], of(OTHER))).to.equal(false);
    }
  });

  it('has an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LONGEST_RUN + 5 }), (length) => {
        const run = Array.from({ length }, () => refusal()) as [HistoryEntry, ...HistoryEntry[]];
        expect(continues(run, refusal())).to.equal(length < LONGEST_RUN);
      }),
      { numRuns: 20 },
    );
  });
});
