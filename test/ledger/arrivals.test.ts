import { expect } from 'chai';
import { followArrivals } from '../../src/ledger/arrivals.js';
import { someBody, type TestLedger, testLedger } from '../support/ledger.js';

/** Hints that a log may have grown. */
describe('arrivals', () => {
  let log: TestLedger;
  const ending = new AbortController();
  before(async () => {
    log = await testLedger();
  });
  after(async () => {
    ending.abort();
    await log.close();
  });

  async function ms(work: Promise<unknown>): Promise<number> {
    const began = performance.now();
    await work;
    return performance.now() - began;
  }

  it('are told at once where this process appends', async () => {
    const waiting = ms(followArrivals(ending.signal)());
    await log.ledger.append([someBody({ asOf: 0 })]);
    expect(await waiting).to.be.below(500);
  });

  it('that came while nobody waited are told to whoever waits next, once; later ones are supposed after a second', async () => {
    const grown = followArrivals(ending.signal);
    await log.ledger.append([someBody({ asOf: 0 })]);
    await log.ledger.append([someBody({ asOf: 0 })]);
    expect(await ms(grown())).to.be.below(500);
    expect(await ms(grown())).to.be.within(900, 1_900);
  });

  it('are no reason to wait for those who have gone', async () => {
    const gone = new AbortController();
    const waiting = ms(followArrivals(gone.signal)());
    gone.abort();
    expect(await waiting).to.be.below(500);
    expect(await ms(followArrivals(gone.signal)())).to.be.below(500);
  });
});
