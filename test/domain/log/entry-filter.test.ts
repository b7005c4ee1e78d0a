import { expect } from 'chai';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../../src/database/pools.js';
import { conditionOf, type EntryFilter } from '../../../src/domain/log/entry-filter.js';
import { endBefore, firstFrom } from '../../../src/domain/log/time-bounds.js';
import { type TestLedger, testLedger } from '../../support/ledger.js';

const LOG = 2;
/** More than a tile of tiles covers, and than full tiles do. */
const SIZE = 66_000;
const TILES = Math.floor(SIZE / 256);
const BEGAN = Date.parse('2026-01-01T00:00:00Z');
/** Where the database's clock was set back by a day, for as many entries, and where it ran a day ahead. */
const [SET_BACK, AHEAD] = [20_000, 50_100];
const WRONG = 300;
const DAY_S = 86_400;

/** A log whose times are out of order by up to half a minute, and for a while wrong; a fifth of it is of long ago. */
describe('a filter of entries', () => {
  let test: TestLedger;
  let source: DataSource;
  let rows: { index: number; at: Date; actor: string; event: string; outcome: string; purpose: string | null }[];
  before(async () => {
    test = await testLedger();
    await test.sql(`INSERT INTO ledger.head VALUES (${LOG}, 'localhost/other')`);
    await test.sql(
      `INSERT INTO ledger.entry (log, index, id, link, leaf, actor, event, outcome, purpose, request, at)
       SELECT $1, i, gen_random_uuid(), sha256(''), 'x', md5(CASE WHEN i < $3 / 5 THEN 0 ELSE 1 + mod(i, 6) END::text)::uuid,
         CASE WHEN i < $3 / 5 THEN 'user.registered' ELSE (ARRAY['record.read', 'record.listed', 'log.read'])[1 + mod(i, 3)] END,
         CASE WHEN mod(i, 10) > 0 OR i > $3 * 0.8 THEN 'permitted' ELSE 'refused' END,
         CASE WHEN i < $3 / 5 THEN 'moving-in' WHEN mod(i, 4) > 0 THEN 'convenience' END, md5(i::text)::uuid,
         to_timestamp($2) + make_interval(secs => i * 11 + mod(i * 7919, 61) - 30
           + CASE WHEN i >= $4 AND i < $4 + $6 THEN -$7::int WHEN i >= $5 AND i < $5 + $6 THEN $7 ELSE 0 END)
       FROM generate_series(0::bigint, $3::bigint - 1) AS i`,
      [LOG, BEGAN / 1000, SIZE, SET_BACK, AHEAD, WRONG, DAY_S],
    );
    await test.sql('ANALYZE ledger.entry');
    rows = (
      await test.sql<Record<string, never>>(
        'SELECT index::int, at, actor, event, outcome, purpose FROM ledger.entry WHERE log = $1 ORDER BY index',
        [LOG],
      )
    ).map((row) => row as never);
    source = await openDataSource(test.url, 'access_ledger_reader', 2, []);
  });
  after(async () => {
    await source.destroy();
    await test.close();
  });

  async function found(filter: EntryFilter): Promise<number[] | null> {
    const condition = conditionOf(LOG, filter);
    if (!condition) return null;
    const { sql, order, values } = condition;
    const selected: { index: string }[] = await source.query(
      `SELECT e.index FROM ledger.entry e WHERE ${sql} ORDER BY ${order}`,
      [...values],
    );
    return selected.map(({ index }) => Number(index)).reverse();
  }
  const expected = (fits: (row: (typeof rows)[number]) => boolean) => rows.filter(fits).map(({ index }) => index);

  /** How many are found, and the sum of their indices. */
  async function summed(filter: EntryFilter): Promise<[number, number]> {
    const { sql, values } = conditionOf(LOG, filter)!;
    const [{ count, sum }] = await source.query(
      `SELECT count(*), coalesce(sum(e.index), 0) AS sum FROM ledger.entry e WHERE ${sql}`,
      [...values],
    );
    return [Number(count), Number(sum)];
  }
  function sumOf(fits: (at: Date) => boolean): [number, number] {
    const sum: [number, number] = [0, 0];
    for (const { at, index } of rows) {
      if (!fits(at)) continue;
      sum[0] += 1;
      sum[1] += index;
    }
    return sum;
  }

  async function stage(size: number, tiles: { level: number; index: number }[]): Promise<void> {
    const roots = tiles.map((tile) => ({ ...tile, root: '00'.repeat(32) }));
    const holder = '00000000-0000-4000-8000-000000000001';
    await test.sql(`SELECT ledger.lease($1, $2, 60)`, [LOG, holder]);
    const values = [LOG, holder, size, Buffer.alloc(32), JSON.stringify(roots)];
    await test.sql('SELECT ledger.stage($1, $2, $3, $4, $5)', values);
  }
  const level0 = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, nth) => ({ level: 0, index: from + nth }));

  const SPANS = [
    [0, 0],
    [0, 1],
    [-3_600, 100],
    [5_000, 5_011],
    [10_000, 22_000],
    [32_000, 99_999],
    // Where the clock was wrong, and what its wrong times were.
    ...[SET_BACK, SET_BACK + WRONG, AHEAD, AHEAD + WRONG].flatMap((index) =>
      [-DAY_S, -40, 0, 40, DAY_S].map((shift) => [index * 11 + shift, index * 11 + shift + 30]),
    ),
    [SET_BACK * 11 - DAY_S, SET_BACK * 11],
    [AHEAD * 11, AHEAD * 11 + DAY_S],
    [(SIZE - 300) * 11, (SIZE - 200) * 11],
    [SIZE * 11 - 1_000, SIZE * 11 + 99],
    [SIZE * 11 + 100, SIZE * 11 + 200],
  ].map((ends) => ends.map((seconds) => new Date(BEGAN + seconds * 1_000))) as [Date, Date][];

  const PUBLISHED: [string, () => Promise<void>][] = [
    ['nothing is published of them', async () => {}],
    ['a few tiles are full', () => stage(3_000, level0(0, 11))],
    ['a tile of tiles is full', () => stage(SIZE, [...level0(11, TILES), { level: 1, index: 0 }])],
  ];
  for (const [when, publish] of PUBLISHED) {
    it(`finds exactly the entries of a span of time, though times are not in order: ${when}`, async () => {
      await publish();
      for (const [nth, [from, to]] of SPANS.entries()) {
        const message = `${from.toISOString()} to ${to.toISOString()}`;
        expect(await summed({ from, to }), message).to.deep.equal(sumOf((at) => from <= at && at < to));
        if (nth % 3 > 0) continue;
        expect(await summed({ from }), message).to.deep.equal(sumOf((at) => from <= at));
        expect(await summed({ to }), message).to.deep.equal(sumOf((at) => at < to));
      }
    });
  }

  it('looks at little more than the span', async () => {
    for (const [from, to] of [
      [10_000, 10_060],
      [700_000, 700_000],
    ]) {
      const moments = [from!, to!].map((seconds) => new Date(BEGAN + seconds * 1_000));
      const [{ first, end }] = await source.query(
        `SELECT ${firstFrom('$1', '$2')} AS first, ${endBefore('$1', '$3')} AS end`,
        [LOG, ...moments],
      );
      expect(end - first, `${from} to ${to}`).to.be.lessThan(3 * 256);
    }
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

  it('is answered from the index of what is asked for, also where that was common long ago only', async () => {
    const actor = (number: number) => rows.find(({ index }) => index === number)!.actor;
    const nobody = '00000000-0000-4000-8000-000000000001';
    const filters: [EntryFilter, RegExp][] = [
      [{ actor: nobody }, /entry_by_actor/],
      [{ actor: actor(0) }, /entry_by_actor/],
      [{ subject: nobody }, /entry_by_subject/],
      [{ request: nobody }, /entry_by_request/],
      [{ event: 'key.destroyed' }, /entry_by_event/],
      [{ event: 'user.registered' }, /entry_by_event/],
      [{ purpose: 'gossip' }, /entry_by_purpose/],
      [{ purpose: 'moving-in' }, /entry_by_purpose/],
      [{ outcome: 'refused' }, /entry_refused/],
      [{ event: 'user.registered', purpose: 'moving-in' }, /entry_by_(event|purpose)/],
      [{ outcome: 'permitted' }, /entry_pkey/],
      [{}, /entry_pkey/],
    ];
    for (const [filter, index] of filters) {
      const { sql, order, values } = conditionOf(LOG, filter)!;
      const plan: object[] = await source.query(
        `EXPLAIN SELECT e.leaf FROM ledger.entry e WHERE ${sql} ORDER BY ${order} LIMIT 51`,
        [...values],
      );
      const text = JSON.stringify(plan);
      expect(text, JSON.stringify(filter))
        .to.match(index)
        .and.to.match(/Index (Only )?Scan|Bitmap/);
      expect(text, JSON.stringify(filter)).to.not.include('Seq Scan');
    }
  });
});
