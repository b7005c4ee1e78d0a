import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { type Job, requestVerification, type Verifications, verifications } from '../../src/ledger/verifications.js';
import type { EntryId, Pseudonym } from '../../src/log/entry.js';
import type { Report } from '../../src/log/verify.js';
import { someBody, someId, type TestLedger, testLedger } from '../support/ledger.js';
import { codeOf } from '../support/postgres.js';

const REPORT: Report = {
  ...{ verdict: 'inconclusive', why: 'NO_EVIDENCE', vouched: null },
  ...{ entries: 1, size: 1, root: 'ab'.repeat(32), findings: [], unlisted: 0, from: 0, unchecked: [] },
};

describe('verifications', () => {
  let log: TestLedger;
  let writer: pg.Pool;
  let one: Verifications;
  let other: Verifications;
  beforeEach(async () => {
    log = await testLedger();
    writer = openPool(log.url, 'access_ledger_writer', 4);
    one = verifications(writer, 1, randomUUID());
    other = verifications(writer, 1, randomUUID());
  });
  afterEach(async () => {
    await writer.end();
    await log.close();
  });

  /** @returns its id; null where it was not queued */
  async function request(reviewer = someId<Pseudonym>(), entry: EntryId | null = null): Promise<string | null> {
    const id = randomUUID();
    const body = someBody({ asOf: await log.size(), event: 'log.verified' });
    const evidence = { held: [{ index: 0, link: 'ab'.repeat(32) }] as never, notes: ['a note'] };
    const made = await log.ledger.change(async (tx) => {
      const queued = await requestVerification(tx, { ...evidence, id, log: 1, entry: entry ?? body.id, reviewer });
      return { bodies: [body], value: queued };
    });
    return made !== 'stale' && made.value ? id : null;
  }
  const rows = () =>
    log.sql<{ id: string; state: string; attempts: number; fault: string | null; entries: string }>(
      'SELECT id, state, attempts, fault, entries FROM ledger.verification ORDER BY requested_at',
    );
  const states = async () => (await rows()).map(({ state }) => state);
  const expireLease = () =>
    log.sql("UPDATE ledger.verification SET until = now() - interval '1 s' WHERE state = 'running'");
  const claimed = async (by: Verifications): Promise<Job> => {
    const job = await by.claim(60);
    expect(job, 'nothing to do').to.not.equal(null);
    return job!;
  };

  it('are done one at a time, those first that waited longest, whoever does them', async () => {
    const first = await request();
    const second = await request();
    const jobs = await Promise.all([one.claim(60), other.claim(60), one.claim(60), other.claim(60)]);
    expect(jobs.filter((job) => job !== null).map(({ id }) => id)).to.deep.equal([first]);
    const [job] = jobs.filter((each) => each !== null);
    expect(job).to.deep.equal({ id: first, held: [{ index: 0, link: 'ab'.repeat(32) }], notes: ['a note'] });
    const [by] = jobs[0] || jobs[2] ? [one] : [other];
    expect(await by!.report(job!, REPORT)).to.equal(true);
    expect((await claimed(other)).id).to.equal(second);
    expect(await states()).to.deep.equal(['done', 'running']);
  });

  it('are begun by one of those who come for them at the same moment', async () => {
    const first = await request();
    await request();
    const holding = new pg.Client({ connectionString: log.superuserUrl });
    await holding.connect();
    await holding.query('BEGIN; SELECT FROM ledger.verification FOR UPDATE');
    const claims = [one, other, one, other].map((by) => by.claim(60));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await holding.query('COMMIT');
    await holding.end();
    expect((await Promise.all(claims)).filter((job) => job !== null).map(({ id }) => id)).to.deep.equal([first]);
  });

  it('are taken over from a holder that says no more that it goes on, and are then no longer its own', async () => {
    await request();
    const job = await claimed(one);
    expect(await one.advance(job, 60, 5, 10)).to.equal(true);
    expect(await other.claim(60)).to.equal(null);
    await expireLease();
    expect(await one.advance(job, 60, 6, 10), 'nobody has taken it').to.equal(true);
    expect(await other.claim(60)).to.equal(null);
    await expireLease();
    expect((await claimed(other)).id).to.equal(job.id);
    expect((await rows())[0]).to.include({ state: 'running', attempts: 2, entries: '0' });
    expect([
      await one.advance(job, 60, 7, 10),
      await one.report(job, REPORT),
      await one.fail(job, 'INTERNAL'),
    ]).to.deep.equal([false, false, false]);
    await one.leave(job);
    expect(await states()).to.deep.equal(['running']);
    expect(await other.report(job, REPORT)).to.equal(true);
    expect(await states()).to.deep.equal(['done']);
  });

  it('fail where three that began one ended before it did, and the next is begun', async () => {
    await request();
    await request();
    for (const by of [one, other, one]) {
      await claimed(by);
      await expireLease();
    }
    const next = await claimed(other);
    expect((await rows()).map(({ id, state, fault }) => [id === next.id, state, fault])).to.deep.equal([
      [false, 'failed', 'INTERRUPTED'],
      [true, 'running', null],
    ]);
  });

  it('wait again where a holder leaves in good order, which counts as no attempt', async () => {
    await request();
    for (let times = 0; times < 5; times++) await one.leave(await claimed(one));
    expect((await rows())[0]).to.include({ state: 'waiting', attempts: 0 });
    expect(await other.claim(60)).to.not.equal(null);
  });

  it('are at most two of one reviewer and eight in all, waiting or running, however many ask at once', async () => {
    const greedy = someId<Pseudonym>();
    const own = await Promise.all(Array.from({ length: 5 }, () => request(greedy)));
    expect(own.filter((id) => id !== null)).to.have.length(2);
    const others = await Promise.all(Array.from({ length: 9 }, () => request()));
    expect(others.filter((id) => id !== null)).to.have.length(6);
    const job = await claimed(one);
    expect(await request()).to.equal(null);
    await one.report(job, REPORT);
    expect(await request()).to.not.equal(null);
  });

  it('are committed with their entry, or not at all', async () => {
    const error = await request(undefined, someId<EntryId>()).catch((thrown: unknown) => thrown);
    expect(error).to.be.an('error');
    expect(await rows()).to.deep.equal([]);
  });

  it('keep what was found, however much and whatever it holds', async () => {
    const long = `${'x'.repeat(999)}\u{1f600}${'y'.repeat(10_000)}`;
    const finding = { code: 'CONTENT_EDITED', first: 1, last: 2, expected: 'a\u0000b\ud800', found: long } as const;
    const findings = Array.from({ length: 1_000 }, () => finding);
    await request();
    await one.report(await claimed(one), {
      ...{ ...REPORT, why: undefined },
      ...{ verdict: 'tampered', vouched: { size: 1, by: ['a held link'] }, root: null, findings, unlisted: 5 },
    } as Report);
    const [row] = await log.sql<{
      findings: { expected: string; found: string }[];
      unlisted: string;
      vouched_by: string[];
    }>('SELECT findings, unlisted, vouched_by FROM ledger.verification');
    expect([row!.findings.length, row!.unlisted, row!.vouched_by]).to.deep.equal([100, '905', ['a held link']]);
    expect(row!.findings[0]!.expected).to.equal('a\u{fffd}b\u{fffd}');
    expect(row!.findings[0]!.found)
      .to.have.length.below(1_010)
      .and.satisfy((text: string) => text.isWellFormed());
  });

  it('are written by nobody but through the functions, which are the writer’s alone', async () => {
    await request();
    const attempts: Record<string, string> = {
      insert: `INSERT INTO ledger.verification SELECT * FROM ledger.verification`,
      update: `UPDATE ledger.verification SET state = 'waiting'`,
      delete: 'DELETE FROM ledger.verification',
    };
    for (const role of ['access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer'] as const) {
      for (const [what, sql] of Object.entries(attempts)) {
        const error = await log.as(role, sql).catch((thrown: unknown) => thrown);
        expect(error, `${role} ${what}`).to.have.property('code').oneOf(['42501', '25006']);
      }
      const claim = log.as(role, 'SELECT * FROM ledger.claim_verification(1, gen_random_uuid(), 1)');
      const refused = await codeOf(claim);
      expect(refused, role).to.equal(role === 'access_ledger_writer' ? null : '42501');
    }
  });

  it('are reported once, and never gone, not even for a superuser', async () => {
    await request();
    await one.report(await claimed(one), REPORT);
    for (const sql of [
      `UPDATE ledger.verification SET verdict = 'tampered'`,
      'DELETE FROM ledger.verification',
      'TRUNCATE ledger.verification',
    ]) {
      const error = await log.sql(sql).catch((thrown: unknown) => thrown);
      expect(error, sql).to.have.property('code', 'AL006');
    }
    await request();
    const error = await log
      .sql(`UPDATE ledger.verification SET held = '[]' WHERE state = 'waiting'`)
      .catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'AL006');
  });

  describe('in a state that cannot be', () => {
    /** What is right of each state, and what makes it wrong. */
    const RIGHT: Record<string, string> = {
      waiting: '',
      running: `started_at = now(), holder = gen_random_uuid(), until = now()`,
      done: `started_at = now(), finished_at = now(), verdict = 'inconclusive', why = 'NO_EVIDENCE', size = 1, findings = '[]', unlisted = 0, unchecked = '{}'`,
      failed: `started_at = now(), finished_at = now(), fault = 'INTERNAL'`,
    };
    const INTACT = `verdict = 'intact', why = NULL, vouched = 1, vouched_by = '{x}'`;
    const WRONG: Record<string, readonly string[]> = {
      waiting: [
        'started_at = now()',
        'entries = 1',
        'of_entries = 1',
        'holder = gen_random_uuid(), until = now()',
        'finished_at = now()',
        `fault = 'INTERNAL'`,
        `verdict = 'intact'`,
        `state = 'lost'`,
        'attempts = 4',
        'entries = -1',
        `notes = '{NULL}'`,
        `held = '{}'`,
      ],
      running: [
        'until = NULL',
        'holder = NULL',
        'started_at = NULL',
        'finished_at = now()',
        `fault = 'INTERNAL'`,
        `size = 1`,
      ],
      done: [
        'finished_at = NULL',
        'verdict = NULL',
        'size = NULL',
        'findings = NULL',
        'unlisted = NULL',
        'unchecked = NULL',
        'why = NULL',
        `why = 'OTHER'`,
        `verdict = 'tampered', why = NULL`,
        `verdict = 'intact', why = NULL`,
        `verdict = 'intact'`,
        INTACT,
        `${INTACT}, root = sha256(''), findings = '[{}]'`,
        `${INTACT}, root = sha256(''), unlisted = 1`,
        `verdict = 'intact', why = NULL, vouched = 1, root = sha256('')`,
        'vouched = 1',
        `vouched = 1, vouched_by = '{x}'`,
        `vouched_by = '{}'`,
        `root = '\\x00'`,
        `unchecked = '{ALL}'`,
        `findings = '{}'`,
        `fault = 'INTERNAL'`,
        'holder = gen_random_uuid(), until = now()',
      ],
      failed: [
        'fault = NULL',
        `fault = 'other'`,
        'finished_at = NULL',
        `verdict = 'intact'`,
        `root = sha256('')`,
        `why = 'NO_EVIDENCE'`,
      ],
    };
    for (const [state, wrong] of Object.entries(WRONG)) {
      it(`is refused by the table: ${state}`, async () => {
        await request();
        const client = new pg.Client({ connectionString: log.superuserUrl });
        await client.connect();
        const set = (sql: string) =>
          client.query(`UPDATE ledger.verification SET state = '${state}'${sql && `, ${sql}`}`);
        try {
          await client.query('ALTER TABLE ledger.verification DISABLE TRIGGER report_once');
          await set(RIGHT[state]!);
          if (state === 'done') {
            await client.query('BEGIN');
            await set(`${INTACT}, root = sha256('')`);
            await client.query('ROLLBACK');
          }
          for (const sql of wrong) {
            const error = await client
              .query(`UPDATE ledger.verification SET ${sql}`)
              .catch((thrown: unknown) => thrown);
            expect(error, sql).to.have.property('code', '23514');
          }
        } finally {
          await client.end();
        }
      });
    }
  });

  it('follow these rules whatever happens in whichever order', async () => {
    const step = fc.constantFrom('request', 'claim', 'advance', 'report', 'fail', 'leave', 'die');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { minLength: 5, maxLength: 25 }), async (steps) => {
        const held = new Map<Verifications, Job>();
        for (const [what, isOne] of steps) {
          const by = isOne ? one : other;
          const job = held.get(by);
          if (what === 'request') await request();
          else if (what === 'die') await expireLease();
          else if (what === 'claim') {
            const next = await by.claim(60);
            if (next) held.set(by, next);
          } else if (job && what === 'advance') await by.advance(job, 60, 1, 2);
          else if (job && what === 'report') await by.report(job, REPORT);
          else if (job && what === 'fail') await by.fail(job, 'UNAVAILABLE');
          else if (job && what === 'leave') await by.leave(job);
          const now = await states();
          expect(now.filter((state) => state === 'running')).to.have.length.below(2);
          expect(now.filter((state) => state === 'running' || state === 'waiting')).to.have.length.below(9);
        }
      }),
      { numRuns: 10 },
    );
  });
});
