import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import pg from 'pg';
import { LedgerFault } from '../../src/ledger/fault.js';
import { formatLeaf, GENESIS, type Link, linkOf, parseLeaf } from '../../src/log/leaf.js';
import { type FlakyProxy, flakyProxy } from '../support/flaky-proxy.js';
import { openLedger, someBody, type TestLedger, testLedger } from '../support/ledger.js';

const enrol = "INSERT INTO registry.service (key, title, policy) VALUES ('web', 'Web', '2012-01-16')";

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
      .change(async ({ rows }) => {
        await rows.query(enrol);
        return { bodies: [someBody({ asOf: 0 })], value: null };
      })
      .catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(LedgerFault).with.property('code', 'UNAVAILABLE');
    expect(await log.sql('SELECT FROM registry.service')).to.have.length(0);
    expect(await log.size()).to.equal(1);
  });

  it('a change whose connection is cut after its COMMIT is done, and answered as done', async () => {
    proxy.cutAt('append_strict', 'after');
    const changed = await through.ledger.change(async ({ rows }) => {
      await rows.query(enrol);
      return { bodies: [someBody({ asOf: 0 })], value: 'done' };
    });
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
