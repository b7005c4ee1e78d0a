import { serialize } from 'node:v8';
import { expect } from 'chai';
import fc from 'fast-check';
import { extended, LONGEST_RUN, type Run, runOf } from '../../../src/domain/history/history.rules.js';
import { type HistoryEntry, sayingOf } from '../../../src/domain/history/history-entry.js';
import type { Body, Pseudonym } from '../../../src/log/entry.js';
import type { Link, LogIndex } from '../../../src/log/leaf.js';
import { someBody, someId } from '../../support/ledger.js';

const [ONE, OTHER] = [someId<Pseudonym>(), someId<Pseudonym>()];

const entry = (changes: Partial<Body> | null, index = 7): HistoryEntry => ({
  index: index as LogIndex,
  link: '' as Link,
  says: changes && sayingOf(3, { ...someBody({ asOf: 0, ...changes } as never), v: 1 }),
});
const refusal = (code = 'NO_NEED_TO_KNOW', role = 'support-agent', id = ONE, more: object = {}) =>
  entry({ outcome: 'refused', refusal: { code }, actor: { id, kind: 'staff', role }, ...more } as Partial<Body>);
const permission = () => entry({ actor: { id: ONE, kind: 'staff', role: 'support-agent' } });
const goesOn = (newest: HistoryEntry, earlier: HistoryEntry) => extended(runOf(newest), earlier) !== null;
const runOfAll = (entries: readonly HistoryEntry[]): Run =>
  entries.slice(1).reduce((run, earlier) => extended(run, earlier)!, runOf(entries[0]!));

describe('a line of a history', () => {
  it('goes on over refusals of one role for one reason, whoever of that role it was', () => {
    expect(goesOn(refusal(), refusal())).to.equal(true);
    expect(goesOn(refusal(), refusal('NO_NEED_TO_KNOW', 'support-agent', OTHER))).to.equal(true);
  });

  it('ends at another role, another reason, and at whatever was permitted or cannot be read', () => {
    expect(goesOn(refusal(), refusal('ROLE_NOT_PERMITTED'))).to.equal(false);
    expect(goesOn(refusal(), refusal('NO_NEED_TO_KNOW', 'privacy-officer'))).to.equal(false);
    expect(goesOn(refusal(), permission())).to.equal(false);
    expect(goesOn(permission(), permission())).to.equal(false);
    expect(goesOn(permission(), refusal())).to.equal(false);
    expect(goesOn(refusal(), entry(null))).to.equal(false);
    expect(goesOn(entry(null), entry(null))).to.equal(false);
  });

  it('tells organisations and users apart', () => {
    for (const kind of ['processor', 'user'] as const) {
      const of = (id: Pseudonym) =>
        entry({ outcome: 'refused', refusal: { code: 'X' }, actor: { id, kind } } as Partial<Body>);
      expect(goesOn(of(ONE), of(ONE))).to.equal(true);
      expect(goesOn(of(ONE), of(OTHER))).to.equal(false);
    }
  });

  it('has an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LONGEST_RUN }), (length) => {
        const run = runOfAll(Array.from({ length }, () => refusal()));
        expect(run.count).to.equal(length);
        expect(extended(run, refusal()) !== null).to.equal(length < LONGEST_RUN);
      }),
      { numRuns: 20 },
    );
  });

  it('has its ends, and what its entries say together, in the order from the newest', () => {
    const asking = (purpose: string, asked: string[], id = ONE) =>
      refusal('NO_NEED_TO_KNOW', 'support-agent', id, { purpose, asked, event: 'record.read' });
    const [newest, between, oldest] = [asking('b', ['y']), asking('a', ['x', 'y'], OTHER), asking('b', ['z'])];
    const run = runOfAll([newest, between, oldest]);
    expect([run.newest, run.oldest]).to.deep.equal([newest, oldest]);
    expect([run.events, run.categories, run.purposes, run.actors].map((set) => [...set])).to.deep.equal([
      ['record.read'],
      ['y', 'x', 'z'],
      ['b', 'a'],
      [ONE, OTHER],
    ]);
  });

  it('is as small of many entries as of few, and of entries that name many records', () => {
    const asked = Array.from({ length: 12 }, (_, nth) => `user.category_${nth}`);
    const flood = (length: number) =>
      runOfAll(Array.from({ length }, () => refusal('NO_NEED_TO_KNOW', 'support-agent', ONE, { asked })));
    expect(serialize(flood(LONGEST_RUN)).length - serialize(flood(3)).length).to.be.below(16);
    const records = Array.from({ length: 400 }, () => ({ id: someId(), category: 'user.name', version: 1 }));
    expect(serialize(runOf(entry({ records } as object))).length).to.be.below(1_000);
  });
});
