import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { SERVICES } from '../../seeds/policy.js';
import { openDataSource, openPool } from '../../src/database/pools.js';
import { collectPersonalData } from '../../src/domain/records/records.js';
import { grantNeedToKnow } from '../../src/domain/staff/grants.js';
import { registerUsers } from '../../src/domain/users/registration.js';
import { openGate } from '../../src/gate/gate.js';
import type { Context } from '../../src/graphql/context.js';
import { createLedger, type Ledger } from '../../src/ledger/ledger.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import { SYSTEM } from '../../src/policy/system.js';
import { ENTITIES } from '../../src/server/entities.js';
import { EMAIL, NAME, type TestGate, testGate } from '../support/gate.js';
import { someBody } from '../support/ledger.js';

/**
 * Every statement is planned once, while the tables hold next to nothing, and the plan is kept until PostgreSQL looks at
 * them again. Work is counted in rows and index entries read, by connections that have made their plans before anybody came.
 */
describe('what an operation reads, by plans made on an empty database', () => {
  const CROWD = 1_000;
  let gate: TestGate;
  let pool: pg.Pool;
  let source: DataSource;
  let ledger: Ledger;
  let system: Context;
  let support: Context;
  let officer: Context;
  let asOf: number;
  const crowd: Pseudonym[] = [];
  const reads: Record<string, number[]> = {};

  before(async () => {
    gate = await testGate();
    await keepPlans(gate.database.superuserUrl);
    pool = openPool(gate.database.url, 'access_ledger_writer', 1);
    source = await openDataSource(gate.database.url, 'access_ledger_writer', 1, ENTITIES);
    ledger = createLedger({ log: 1, pool, source });
    system = contextFor(SYSTEM);
    officer = contextFor(await gate.signIn('privacy-officer'));
    const agent = await gate.signIn('support-agent');
    const until = new Date(Date.now() + 3_600_000);
    await grantNeedToKnow(system, { staff: agent.id, purpose: 'convenience', categories: null, from: null, until });
    support = contextFor(agent);
    await everyOperation();
    await register(CROWD);
    await everyOperation();
  });
  after(async () => {
    await source.destroy();
    await pool.end();
    await gate.close();
  });

  function contextFor(actor: Actor): Context {
    const context = gate.contextFor(actor);
    const { request, now, entries } = context;
    return { ...context, gate: openGate({ ...gate.core.parts, ledger }, { actor, request, now, entries }) };
  }

  let registered = 0;
  const emailOf = (nth: number) => ({ ...EMAIL, value: `user.${nth}@example.com` });

  async function register(count: number): Promise<Pseudonym[]> {
    const people = Array.from({ length: count }, () => ({
      service: SERVICES[0].key,
      records: [NAME, emailOf(registered++)],
      identity: { issuer: 'https://issuer.example.com', subject: randomUUID() },
    }));
    const made = await registerUsers(system, 'convenience', people);
    crowd.push(...made);
    return made;
  }

  async function everyOperation(): Promise<void> {
    for (const [operation, run] of Object.entries(operations)) {
      asOf = await nextIndex();
      const before = await rowsRead();
      await run();
      reads[operation] = [...(reads[operation] ?? []), (await rowsRead()) - before];
    }
  }

  const operations: Record<string, () => Promise<unknown>> = {
    'registering ten people': () => register(10),
    'appending an entry': () => ledger.append([bodyAbout(crowd.at(-1)!)]),
    'appending twenty entries': () => ledger.append(crowd.slice(-20).map(bodyAbout)),
    'a change of facts': () => ledger.append([{ ...bodyAbout(crowd.at(-1)!), event: 'key.destroyed' }]),
    'finding a person': () =>
      support.gate.find({
        category: 'user.contact.email',
        value: emailOf(registered - 1).value,
        purpose: 'convenience',
        operation: 'findUser',
      }),
    'revising a value': async () => {
      const { rows } = await gate.core.parts.pool.query(
        `SELECT id FROM registry.record WHERE subject = $1 AND category = 'user.contact.email'`,
        [crowd.at(-2)],
      );
      const revised = await support.gate.revise({
        record: rows[0].id,
        expected: 1,
        value: 'new@example.com',
        channel: 'EMAIL',
        purpose: 'convenience',
        operation: 'updatePersonalData',
      });
      expect(revised).to.have.property('version', 2);
    },
    'erasing a person': async () =>
      expect(await officer.gate.erase({ subject: crowd.at(-3)!, operation: 'eraseUser' })).to.be.greaterThan(0),
  };

  const nextIndex = async () => {
    const { rows } = await pool.query('SELECT e.index::int FROM ledger.entry e ORDER BY e.index DESC LIMIT 1');
    return rows[0].index + 1;
  };
  const bodyAbout = (subject: Pseudonym) => someBody({ asOf, subject });

  /** Rows of tables, and entries of indexes, by all connections that were used here. */
  async function rowsRead(): Promise<number> {
    const reader = gate.core.parts.pool;
    const flush = 'SELECT pg_stat_force_next_flush()';
    await Promise.all([pool.query(flush), source.query(flush), reader.query(flush)]);
    const { rows } = await reader.query<{ read: number }>(
      `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)::int
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)::int AS read`,
    );
    return rows[0]!.read;
  }

  for (const operation of Object.keys(operations)) {
    it(`${operation}: the same with ${CROWD} people more`, () => {
      const [few, many] = reads[operation] as [number, number];
      expect(many - few).to.be.within(-30, 30);
    });
  }

  it('erasing a person: as much more as there are more values', async function () {
    this.timeout(60_000);
    const counts: number[] = [];
    for (const values of [500, 5_000]) {
      const [user] = await register(1);
      for (let held = 0; held < values; held += 100) {
        const records = Array.from({ length: 100 }, () => NAME);
        await collectPersonalData(system, { user: user!, purpose: 'convenience', records });
      }
      const before = await rowsRead();
      expect(await officer.gate.erase({ subject: user!, operation: 'eraseUser' })).to.equal(values + 2);
      counts.push((await rowsRead()) - before);
    }
    const [few, many] = counts as [number, number];
    expect(many / few).to.be.within(5, 11);
  });
});

/** PostgreSQL looks at tables once a minute, which may be now. */
async function keepPlans(superuserUrl: string): Promise<void> {
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query(`DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT relid::regclass AS name FROM pg_stat_user_tables LOOP
      EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', one.name);
    END LOOP; END $$`);
  await superuser.end();
}
