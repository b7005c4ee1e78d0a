import { expect } from 'chai';
import { runVerification } from '../../src/ledger/verification-run.js';
import type { VerificationWork } from '../../src/ledger/verification-thread.js';
import { verifierKey } from '../../src/log/note-key.js';
import { verify } from '../../src/log/verify.js';
import { aBody } from '../cli/logs.js';
import { type TestLedger, testLedger } from '../support/ledger.js';
import { LOG_KEY } from '../support/publishing.js';

describe('a verification run', () => {
  let log: TestLedger;
  let work: VerificationWork;
  before(async () => {
    log = await testLedger();
    await log.ledger.append(Array.from({ length: 30 }, () => aBody({ asOf: 0 })));
    work = { url: log.url, log: 1, key: verifierKey(LOG_KEY), held: [], notes: [] };
  });
  after(() => log.close());

  const outcomeOf = async (changes: Partial<VerificationWork> = {}) => {
    const run = runVerification({ ...work, ...changes });
    try {
      return await run.outcome;
    } finally {
      await run.stop();
    }
  };
  const url = (change: (url: URL) => void) => {
    const changed = new URL(work.url);
    change(changed);
    return changed.href;
  };

  it('reports what verifying the rows does', async () => {
    const rows = await log.sql<{ index: string; link: string; leaf: string }>(
      `SELECT index, encode(link, 'hex') AS link, leaf FROM ledger.entry ORDER BY index`,
    );
    const entries = rows.map(({ index, link, leaf }) => ({ index: Number(index), link, leaf: Buffer.from(leaf) }));
    const { index, link } = entries[20]!;
    const held = [{ index, link }] as unknown as VerificationWork['held'];
    expect(await outcomeOf({ held })).to.deep.equal(await verify(entries, { held }));
    expect(await outcomeOf()).to.include({ verdict: 'inconclusive', why: 'NO_EVIDENCE', entries: 30 });
  });

  it('has no report of a database that does not answer, or not as a reviewer’s', async () => {
    const nowhere = url((it) => {
      it.port = '1';
    });
    const stranger = url((it) => {
      it.username = 'access_ledger_run_stranger';
      it.password = 'x';
    });
    await log.sql(`CREATE ROLE access_ledger_run_stranger LOGIN PASSWORD 'x'`);
    try {
      expect(await Promise.all([outcomeOf({ url: nowhere }), outcomeOf({ url: stranger })])).to.deep.equal([
        'UNAVAILABLE',
        'UNAVAILABLE',
      ]);
    } finally {
      await log.sql('DROP ROLE access_ledger_run_stranger');
    }
  });

  it('ends without a report where its thread fails, or is stopped', async () => {
    expect(await outcomeOf({ notes: ['no checkpoint'] })).to.equal('INTERNAL');
    const run = runVerification(work);
    await run.stop();
    expect([await run.outcome, run.progress()]).to.deep.equal(['INTERNAL', { entries: 0, of: null }]);
  });
});
