import { expect } from 'chai';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../../src/database/pools.js';
import { conditionOf, type EntryFilter } from '../../../src/domain/log/entry-filter.js';
import { type TestLedger, testLedger } from '../../support/ledger.js';

const LOG = 2;
const SIZE = 3_000;
const BEGAN = Date.parse('2026-01-01T00:00:00Z');

/** A log whose times are out of order by up to half a minute. */
describe('a filter of entries', () => {
  let test: TestLedger;
  let source: DataSource;
  let rows: { index: number; at: Date; event: string; outcome: string; purpose: string | null }[];
  before(async () => {
    test = await testLedger();
    await test.sql(`INSERT INTO ledger.head VALUES (${LOG}, 'localhost/other')`);
    await test.sql(
      `INSERT INTO ledger.entry (log, index, id, link, leaf, actor, event, outcome, purpose, request, at)
       SELECT $1, i, gen_random_uuid(), sha256(''), 'x', md5(mod(i, 7)::text)::uuid,
         (ARRAY['record.read', 'record.listed', 'log.read'])[1 + mod(i, 3)],
         CASE WHEN mod(i, 10) = 0 THEN 'refused' ELSE 'permitted' END,
         CASE WHEN mod(i, 4) > 0 THEN 'convenience' END, md5(i::text)::uuid,
         to_timestamp($2) + make_interval(secs => i * 11 + mod(i * 7919, 61) - 30)
       FROM generate_series(0::bigint, $3) AS i`,
      [LOG, BEGAN / 1000, SIZE - 1],
    );
    rows = (
      await test.sql<Record<string, never>>('SELECT * FROM ledger.entry WHERE log = $1 ORDER BY index', [LOG])
    ).map((row) => ({ ...row, index: Number(row.index) }) as never);
    source = await openDataSource(test.url, 'access_ledger_reader', 2, []);
  });
  after(async () => {
    await source.destroy();
    await test.close();
  });

  async function found(filter: EntryFilter): Promise<number[] | null> {
    const condition = await conditionOf(source.manager, LOG, filter);
    if (!condition) return null;
    const { sql, values } = condition;
    const selected: { index: string }[] = await source.query(
      `SELECT e.index FROM ledger.entry e WHERE ${sql} ORDER BY e.index`,
      [...values],
    );
    return selected.map(({ index }) => Number(index));
  }
  const expected = (fits: (row: (typeof rows)[number]) => boolean) => rows.filter(fits).map(({ index }) => index);

  it('finds exactly the entries of a span of time, though times are not in order', async () => {
    const spans = [
      [0, 0],
      [0, 1],
      [-3_600, 100],
      [5_000, 5_011],
      [10_000, 22_000],
      [32_000, 99_999],
      [99_999, 100_000],
    ].map((ends) => ends.map((seconds) => new Date(BEGAN + seconds * 1_000)));
    for (const [from, to] of spans as [Date, Date][]) {
      expect(await found({ from, to })).to.deep.equal(expected(({ at }) => from <= at && at < to));
      expect(await found({ from })).to.deep.equal(expected(({ at }) => from <= at));
      expect(await found({ to })).to.deep.equal(expected(({ at }) => at < to));
    }
  });

  it('looks at little more than the span', async () => {
    const [from, to] = [new Date(BEGAN + 10_000_000), new Date(BEGAN + 10_060_000)];
    const { values } = (await conditionOf(source.manager, LOG, { from, to }))!;
    const [, , least, , most] = values.map(Number);
    expect(most! - least!).to.be.lessThan(2 * (600 / 11) + 30);
  });

  it('takes every member exactly', async () => {
    expect(await found({ event: 'log.read', outcome: 'refused', purpose: 'convenience' })).to.deep.equal(
      expected((row) => row.event === 'log.read' && row.outcome === 'refused' && row.purpose === 'convenience'),
    );
    expect(await found({ outcome: 'permitted' })).to.deep.equal(expected(({ outcome }) => outcome === 'permitted'));
    expect(await found({})).to.have.length(SIZE);
    expect(await found({ event: 'record' })).to.deep.equal([]);
    expect(await found({ purpose: 'gossip' })).to.deep.equal([]);
  });

  it('of what is in no entry is no statement', async () => {
    for (const filter of [
      { subject: 'ana' },
      { actor: '' },
      { request: "' OR true --" },
      { event: 'a\u0000b' },
      { purpose: '%' },
      { outcome: 'PERMITTED' },
    ]) {
      expect(await found(filter), JSON.stringify(filter)).to.equal(null);
    }
  });

  it('is answered from an index where one member is given', async () => {
    const filters: EntryFilter[] = [
      { actor: '00000000-0000-4000-8000-000000000001' },
      { subject: '00000000-0000-4000-8000-000000000001' },
      { request: '00000000-0000-4000-8000-000000000001' },
      { event: 'key.destroyed' },
      { purpose: 'gossip' },
      { outcome: 'refused' },
    ];
    for (const filter of filters) {
      const { sql, values } = (await conditionOf(source.manager, LOG, filter))!;
      const plan: object[] = await source.query(
        `EXPLAIN SELECT e.leaf FROM ledger.entry e WHERE ${sql} ORDER BY e.index DESC LIMIT 51`,
        [...values],
      );
      const text = JSON.stringify(plan);
      expect(text, JSON.stringify(filter)).to.match(/Index (Only )?Scan.*entry_(by_\w+|refused)/);
      expect(text, JSON.stringify(filter)).to.not.include('Seq Scan');
    }
  });
});
