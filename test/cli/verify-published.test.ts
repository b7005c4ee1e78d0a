import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fastify, { type FastifyInstance } from 'fastify';
import type pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { Fault } from '../../src/graphql/fault.js';
import { publications } from '../../src/ledger/publications.js';
import { treeReader } from '../../src/ledger/tree-reader.js';
import { formatVerifierKey } from '../../src/log/note-key.js';
import { addTiles } from '../../src/server/tiles.js';
import { type TestLedger, testLedger } from '../support/ledger.js';
import { LOG_KEY, publishing, type TestPublishing } from '../support/publishing.js';
import { folder, run } from './command.js';
import { aBody } from './logs.js';

/** The ledger's own database, publisher and tiles, and a superuser who tampers with them. */
describe('access-ledger verify of what our server publishes', () => {
  const { path } = folder();
  let log: TestLedger;
  let pools: pg.Pool[];
  let published: TestPublishing;
  let app: FastifyInstance;
  let url: string;
  before(async () => {
    log = await testLedger();
    const writer = openPool(log.url, 'access_ledger_writer', 1);
    const reader = openPool(log.url, 'access_ledger_reader', 2);
    pools = [writer, reader];
    const tree = treeReader(reader, 1);
    published = publishing({ tree, publications: publications(writer, 1, randomUUID()) });
    app = fastify();
    app.setErrorHandler((error, _, reply) => reply.status(error instanceof Fault ? error.status : 500).send());
    addTiles(app, { tree, quorum: 0, now: () => new Date(), enterReading: async () => {} });
    await app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    await append(520);
    await published.publish();
    expect((await verify('--save', path('kept'))).status).to.equal(0);
    await append(20);
    await published.publish();
  });
  after(async () => {
    await app.close();
    for (const pool of pools) await pool.end();
    await log.close();
  });

  async function append(count: number): Promise<void> {
    const size = await log.size();
    await log.ledger.append(Array.from({ length: count }, () => aBody({ asOf: size })));
  }

  const verify = (...more: string[]) => run(['verify', url, '--key', formatVerifierKey(LOG_KEY), ...more]);
  const since = (...more: string[]) => verify('--since', path('kept'), ...more);
  const database = () =>
    run(['verify', '--database', log.url, '--key', formatVerifierKey(LOG_KEY), '--since', path('kept'), '--json']);

  function findingsOf(out: string): string[] {
    const { findings } = JSON.parse(out) as { findings: { code: string; first: number; last: number }[] };
    return findings.map(({ code, first, last }) => `${code} ${first} ${last}`);
  }

  /** What is found by URL, by URL since, and in the database since, while it is so. */
  async function whenDone(sql: string): Promise<string[][]> {
    await log.sql('CREATE TABLE public.kept AS SELECT * FROM ledger.entry');
    await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    try {
      await log.sql(sql);
      const all = await Promise.all([verify('--json'), since('--json'), database()]);
      return all.map(({ out }) => findingsOf(out));
    } finally {
      await log.sql('DELETE FROM ledger.entry');
      await log.sql('INSERT INTO ledger.entry SELECT * FROM public.kept');
      await log.sql('ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER append_only');
      await log.sql('DROP TABLE public.kept');
    }
  }

  it('is intact, whole and since, over the network and in the database', async () => {
    const all = await Promise.all([verify(), since(), database()]);
    expect(all.map(({ status, err }) => [status, err])).to.deep.equal([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    const report = JSON.parse(all[2]!.out);
    expect([report.entries, report.from, report.unchecked]).to.deep.equal([21, 519, ['ENTRIES_BEFORE']]);
    expect(report.vouched.size).to.equal(540);
  });

  it('names an entry that was edited; what is not read again is not found', async () => {
    const edit = (index: number) =>
      `UPDATE ledger.entry SET leaf = replace(leaf, '"support-agent"', '"privacy-officer"') WHERE index = ${index}`;
    const found = ['CONTENT_EDITED 530 530'];
    expect(await whenDone(edit(530))).to.deep.equal([found, found, found]);
    expect(await whenDone(edit(3))).to.deep.equal([['CONTENT_EDITED 3 3'], [], []]);
  });

  it('finds entries that are gone', async () => {
    const gone = await whenDone('DELETE FROM ledger.entry WHERE index = 530');
    expect(gone).to.deep.equal([['TAIL_CUT 512 539'], ['TAIL_CUT 512 539'], ['ENTRY_MISSING 530 530']]);
    const cut = await whenDone('DELETE FROM ledger.entry WHERE index >= 535');
    expect(cut).to.deep.equal([['TAIL_CUT 535 539'], ['TAIL_CUT 535 539'], ['TAIL_CUT 535 539']]);
  });
});
