import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { openDataSource, openPool } from '../../src/database/pools.js';
import { LedgerFault } from '../../src/ledger/fault.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { PermittedBody } from '../../src/log/entry.js';
import { formatLeaf, GENESIS, type Link, linkOf, parseLeaf } from '../../src/log/leaf.js';
import { type FlakyProxy, flakyProxy } from '../support/flaky-proxy.js';
import { openLedger, someBody, type TestLedger, testLedger } from '../support/ledger.js';

/** A row and its entry. */
async function enrol(rows: EntityManager): Promise<PermittedBody> {
  const body = someBody({ asOf: 0, event: 'service.enrolled', outcome: 'permitted', details: { service: 'web' } });
  await rows.query("INSERT INTO registry.service (key, title, policy, entry) VALUES ('web', 'Web', '2012-01-16', $1)", [
    body.id,
  ]);
  return body as PermittedBody;
}

/** Whatever breaks, nothing is answered that does not stand, and nothing stands twice. */
describe('when things break', () => {
  let log: TestLedger;
  let proxy: FlakyProxy;
  let through: Awaited<ReturnType<typeof openLedger>>;
  beforeEach(async () => {
    log = await testLedger();
    proxy = await flakyProxy(log.url);
    through = await openLedger(proxy.url);
    // Statements are prepared, so that the messages below are what later ones look like.
    await through.ledger.append([someBody({ asOf: 0 })]);
  });
  afterEach(async () => {
    await through.close();
    await proxy.close();
    await log.close();
  });

  for (const when of ['before', 'after'] as const) {
    it(`an append whose connection is cut ${when} PostgreSQL has it is entered once, and answered`, async () => {
      const body = someBody({ asOf: 0 });
      proxy.cutAt(body.id, when);
      const [appended] = await through.ledger.append([body]);
      expect(proxy.cuts()).to.equal(1);
      expect(appended).to.have.nested.property('entry.index', 1);
      expect(await log.size()).to.equal(2);
    });

    it(`a group whose connection is cut ${when} PostgreSQL has it is entered once`, async () => {
      const bodies = Array.from({ length: 20 }, () => someBody({ asOf: 0 }));
      proxy.cutAt(bodies[7]!.id, when);
      const answers = await Promise.all(bodies.map((body) => through.ledger.append([body])));
      expect(proxy.cuts()).to.equal(1);
      const indices = answers.map(([answer]) => (answer as { entry: { index: number } }).entry.index);
      expect(new Set(indices).size).to.equal(20);
      expect(await log.size()).to.equal(21);
    });
  }

  it('a change whose connection is cut before its COMMIT is not done, and says so', async () => {
    proxy.cutAt('append_strict', 'before');
    const fault = await through.ledger
      .change(async ({ rows }) => ({ bodies: [await enrol(rows)], value: null }))
      .catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(LedgerFault).with.property('code', 'UNAVAILABLE');
    expect(await log.sql('SELECT FROM registry.service')).to.have.length(0);
    expect(await log.size()).to.equal(1);
  });

  it('a change whose connection is cut after its COMMIT is done, and answered as done', async () => {
    proxy.cutAt('append_strict', 'after');
    const changed = await through.ledger.change(async ({ rows }) => ({ bodies: [await enrol(rows)], value: 'done' }));
    expect(proxy.cuts()).to.equal(1);
    expect(changed).to.have.property('value', 'done');
    expect(changed).to.have.nested.property('entries[0].index', 1);
    expect(await log.sql('SELECT FROM registry.service')).to.have.length(1);
    expect(await log.size()).to.equal(2);
  });

  it('an append fails, and gives no receipt, while PostgreSQL is out of reach', async () => {
    await proxy.close();
    const fault = await through.ledger.append([someBody({ asOf: 0 })]).catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(LedgerFault).with.property('code', 'UNAVAILABLE');
    expect(await log.size()).to.equal(1);
  });

  it('an append whose backend is terminated while it waits for the head is entered once', async () => {
    const blocker = new pg.Client({ connectionString: log.superuserUrl });
    await blocker.connect();
    await blocker.query('BEGIN; SELECT FROM ledger.head FOR UPDATE');
    const pending = through.ledger.append([someBody({ asOf: 0 })]);
    for (let terminated = 0; terminated === 0; ) {
      const { rows } = await blocker.query(
        `SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      terminated = rows[0].n;
    }
    await blocker.query('COMMIT');
    await blocker.end();
    expect((await pending)[0]).to.have.nested.property('entry.index', 1);
    expect(await log.size()).to.equal(2);
  });
});

describe('when others are in the way', () => {
  let log: TestLedger;
  let blocker: pg.Client;
  beforeEach(async () => {
    log = await testLedger();
    blocker = new pg.Client({ connectionString: log.superuserUrl });
    blocker.on('error', () => {});
    await blocker.connect();
  });
  afterEach(async () => {
    await blocker.end();
    await log.close();
  });

  const outcome = (pending: Promise<unknown>): Promise<unknown> =>
    pending.then(
      () => 'done',
      (error: unknown) => (error instanceof LedgerFault ? error.code : error),
    );
  const change = (work: (rows: EntityManager) => Promise<unknown> = async () => {}) =>
    log.ledger.change(async ({ rows }) => {
      await work(rows);
      return { bodies: [someBody({ asOf: 0 })], value: 'done' };
    });
  const waitForLocks = async (count: number) => {
    for (let waiting = 0; waiting < count; ) {
      const [row] = await log.sql<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      waiting = row!.waiting;
    }
  };

  it('everything that waits for a head that stays locked fails within two timeouts, and then works again', async () => {
    await blocker.query('BEGIN; SELECT FROM ledger.head FOR UPDATE');
    const began = performance.now();
    const pending = [outcome(change()), outcome(log.ledger.append([someBody({ asOf: 0 })]))];
    await waitForLocks(2);
    const behind = Array.from({ length: 500 }, () => outcome(log.ledger.append([someBody({ asOf: 0 })])));
    const outcomes = await Promise.all([...pending, ...behind]);
    expect(new Set(outcomes)).to.deep.equal(new Set(['UNAVAILABLE']));
    expect(performance.now() - began).to.be.within(4_500, 14_000);
    await blocker.query('ROLLBACK');
    expect(await outcome(log.ledger.append([someBody({ asOf: 0 })]))).to.equal('done');
    expect(await outcome(change())).to.equal('done');
    expect(await log.size()).to.equal(2);
  });

  it('a change that deadlocks is undone, and to be tried again', async () => {
    const lock = (key: number) => `SELECT pg_advisory_xact_lock(${key})`;
    await blocker.query(`BEGIN; SET LOCAL deadlock_timeout = '1h'; ${lock(2)}`);
    let blocked: Promise<unknown> = Promise.resolve();
    const changed = await change(async (rows) => {
      await rows.query(lock(1));
      blocked = blocker.query(lock(1));
      await rows.query(lock(2));
    });
    expect(changed).to.equal('stale');
    await blocked;
    await blocker.query('ROLLBACK');
    expect(await log.size()).to.equal(0);
    expect(await change()).to.have.property('value', 'done');
  });

  it('a change whose backend is ended while it works is not done, and says that it cannot be at the moment', async () => {
    const fault = await change(async (rows) => {
      const [{ pid }] = await rows.query('SELECT pg_backend_pid() AS pid');
      await blocker.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await enrol(rows);
    }).catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(LedgerFault).with.property('code', 'UNAVAILABLE');
    expect(await outcome(change())).to.equal('done');
    expect(await log.size()).to.equal(1);
  });
});

describe('a COMMIT that PostgreSQL did and answered with an error', () => {
  for (const code of ['57P01', '08006', 'EPIPE']) {
    it(`is answered as done: ${code}`, async () => {
      const log = await testLedger();
      const pool = openPool(log.url, 'access_ledger_writer', 1);
      const source = await openDataSource(log.url, 'access_ledger_writer', 1, []);
      const create = source.createQueryRunner.bind(source);
      source.createQueryRunner = () => {
        const runner = create();
        const connect = runner.connect.bind(runner);
        runner.connect = async () => {
          const client: pg.PoolClient = await connect();
          const query = async (...asked: [string]) => {
            const answer = await client.query(...asked);
            if (asked[0] === 'COMMIT') throw Object.assign(new Error('terminating connection'), { code });
            return answer;
          };
          return { query };
        };
        return runner;
      };
      const changed = await createLedger({ log: 1, pool, source }).change(async ({ rows }) => ({
        bodies: [await enrol(rows)],
        value: 'done',
      }));
      expect(changed).to.have.nested.property('entries[0].index', 0);
      expect(await log.size()).to.equal(1);
      await source.destroy();
      await pool.end();
      await log.close();
    });
  }
});

describe('several processes', () => {
  it('8 of them, 1,000 appends each, leave one unforked log that holds all they were answered', async function () {
    this.timeout(60_000);
    const log = await testLedger();
    const program = fileURLToPath(new URL('../support/appender.ts', import.meta.url));
    const outputs = await Promise.all(
      Array.from({ length: 8 }, () =>
        promisify(execFile)(process.execPath, ['--import', '@oxc-node/core/register', program, log.url, '1000']),
      ),
    );
    const answered = new Map(
      outputs.flatMap(({ stdout }) =>
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ') as [string, string]),
      ),
    );
    expect(answered.size).to.equal(8_000);
    const rows = await log.sql<{ index: string; link: string; leaf: string }>(
      "SELECT index, encode(link, 'hex') AS link, leaf FROM ledger.entry ORDER BY index",
    );
    expect(rows).to.have.length(8_000);
    let prev = GENESIS;
    for (const [at, row] of rows.entries()) {
      const leaf = parseLeaf(Buffer.from(row.leaf))!;
      expect([leaf.index, leaf.prev, row.link]).to.deep.equal([at, prev, linkOf(formatLeaf(leaf))]);
      expect(answered.get(row.index)).to.equal(row.link);
      prev = row.link as Link;
    }
    await log.close();
  });
});
