import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import fc from 'fast-check';
import pg from 'pg';
import { LedgerFault } from '../../src/ledger/fault.js';
import { canonical, type Json } from '../../src/log/canonical.js';
import { formatBody, type PermittedBody, type Pseudonym } from '../../src/log/entry.js';
import { formatLeaf, GENESIS, type Link, type LogIndex, linkOf, parseLeaf } from '../../src/log/leaf.js';
import { enrolment, openLedger, someBody, someId, type TestLedger, testLedger } from '../support/ledger.js';

const ID = someId();

interface Row {
  index: string;
  link: string;
  leaf: string;
  subject: string | null;
  nth: string | null;
}

describe('ledger', () => {
  let log: TestLedger;
  beforeEach(async () => {
    log = await testLedger();
  });
  afterEach(() => log.close());

  const rows = () =>
    log.sql<Row>(`SELECT index, encode(link, 'hex') AS link, leaf, subject, nth FROM ledger.entry ORDER BY index`);

  async function expectOneChain(): Promise<void> {
    const histories = new Map<string, { nth: number; index: number }>();
    let prev = GENESIS;
    for (const [at, row] of (await rows()).entries()) {
      const leaf = parseLeaf(Buffer.from(row.leaf))!;
      expect(leaf.index).to.equal(at);
      expect(leaf.prev).to.equal(prev);
      const { subject } = JSON.parse(leaf.body);
      const before = histories.get(subject);
      expect(leaf.history).to.deep.equal(
        subject ? { nth: (before?.nth ?? 0) + 1, earlier: before?.index ?? null } : null,
      );
      if (subject) histories.set(subject, { nth: leaf.history!.nth, index: at });
      expect(row.link).to.equal(linkOf(formatLeaf(leaf)));
      prev = row.link as Link;
    }
  }

  it('answers after COMMIT with the entry, and a receipt for a permission only', async () => {
    const refused = someBody({ asOf: 0, outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW' } });
    const [first, second] = await log.ledger.append([someBody({ asOf: 0 }), refused]);
    const [one, two] = await rows();
    expect(first).to.have.property('receipt').that.is.an('object');
    expect(second).to.have.property('receipt', null);
    expect([first, second].map((appended) => (appended as { entry: object }).entry)).to.deep.equal([
      { index: 0, link: one!.link },
      { index: 1, link: two!.link },
    ]);
    await expectOneChain();
  });

  it('agrees with the TypeScript chain on random bodies, in batches and alone', async () => {
    const subjects = [undefined, ...Array.from({ length: 3 }, () => someId<Pseudonym>())];
    const details = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => !key.includes('\0')),
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0')),
        fc.string({
          unit: fc.constantFrom('"', '\\', '\n', '\u2028', '\u007f', '\u0001', '💧', "'", '/'),
          maxLength: 20,
        }),
        fc.maxSafeInteger(),
        fc.boolean(),
      ),
      { maxKeys: 3 },
    );
    const batch = fc.array(
      fc.record({ subject: fc.constantFrom(...subjects), details, long: fc.constantFrom(0, 0, 0, 60_000) }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(batch, async (bodies) => {
        const appended = await log.ledger.append(
          bodies.map(({ subject, details, long }) =>
            someBody({ asOf: 0, details: { ...details, long: 'é'.repeat(long / 2) }, ...(subject && { subject }) }),
          ),
        );
        expect(appended).to.not.include('stale');
      }),
      { numRuns: 40 },
    );
    await expectOneChain();
  });

  it('publishes of every COMMIT how many entries it made, and what became of it', async () => {
    const heard: object[] = [];
    const listener = (message: unknown) => {
      const { ms, ...rest } = message as { ms: number };
      expect(ms).to.be.greaterThan(0);
      heard.push(rest);
    };
    const change = (body: PermittedBody) =>
      log.ledger.change(async () => ({ bodies: [body], value: null })).catch(() => 'failed');
    const revoked = someBody({ asOf: 0, event: 'grant.revoked' });
    const late = someBody({ asOf: 1, at: new Date(0).toISOString() });
    subscribe('access-ledger:append', listener);
    try {
      await log.ledger.append([someBody({ asOf: 0 }), revoked, someBody({ asOf: 0 }), revoked]);
      expect(await log.ledger.append([late]).catch(() => 'failed')).to.equal('failed');
      await change(someBody({ asOf: 2 }));
      expect(await change(someBody({ asOf: 0 }))).to.equal('stale');
      expect(await change(late)).to.equal('failed');
    } finally {
      unsubscribe('access-ledger:append', listener);
    }
    expect(heard).to.deep.equal([
      { entries: 2, group: 1, outcome: 'committed' },
      { entries: 0, group: 1, outcome: 'failed' },
      { entries: 1, group: 1, outcome: 'committed' },
      { entries: 0, group: 1, outcome: 'rolled-back' },
      { entries: 0, group: 1, outcome: 'failed' },
    ]);
    expect(await log.size()).to.equal(3);
  });

  it('is idempotent by id: what stands is answered with what stands', async () => {
    const bodies = [someBody({ asOf: 0 }), someBody({ asOf: 0 }), someBody({ asOf: 0 })];
    const first = await log.ledger.append(bodies);
    const again = await log.ledger.append([...bodies, someBody({ asOf: 0 })]);
    expect(again.slice(0, 3).map((a) => a !== 'stale' && a.entry)).to.deep.equal(
      first.map((a) => a !== 'stale' && a.entry),
    );
    expect(await log.size()).to.equal(4);
    const one = await log.ledger.append([bodies[1]!]);
    expect(one[0]).to.have.deep.property('entry', (first[1] as { entry: object }).entry);
    expect(await log.size()).to.equal(4);
    await expectOneChain();
  });

  it('answers with what stands whatever facts have changed since, and beside what is new', async () => {
    const bodies = [someBody({ asOf: 0 }), someBody({ asOf: 0 })];
    const first = await log.ledger.append(bodies);
    await log.ledger.append([someBody({ asOf: 2, event: 'grant.revoked' })]);
    const [one, two, stale, fresh] = await log.ledger.append([...bodies, someBody({ asOf: 0 }), someBody({ asOf: 3 })]);
    expect([one, two].map((a) => a !== 'stale' && a!.entry)).to.deep.equal(first.map((a) => a !== 'stale' && a.entry));
    expect([stale, fresh].map((a) => a === 'stale')).to.deep.equal([true, false]);
    expect(await log.ledger.append(bodies)).to.not.include('stale');
    expect(await log.size()).to.equal(4);
    await expectOneChain();
  });

  it('holds a time against when the head was locked, and answers with what stands, however long ago', async () => {
    const ago = (ms: number) => ({ asOf: 0, at: new Date(Date.now() - ms).toISOString() });
    const standing = [someBody(ago(4_000)), someBody(ago(4_000))];
    const first = await log.ledger.append(standing);
    const blocker = new pg.Client({ connectionString: log.superuserUrl });
    await blocker.connect();
    await blocker.query('BEGIN; SELECT FROM ledger.head FOR UPDATE');
    const pending = [
      log.ledger.append([someBody(ago(3_000)), someBody(ago(3_000))]).catch((fault: LedgerFault) => fault.sqlState),
      log
        .as('access_ledger_writer', 'SELECT FROM ledger.append(1, $1)', [formatBody(someBody(ago(3_000)))])
        .catch((error: pg.DatabaseError) => error.code),
    ];
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await blocker.query('COMMIT');
    await blocker.end();
    expect(await Promise.all(pending)).to.deep.equal(['AL002', 'AL002']);
    for (const again of [standing, standing.slice(0, 1)]) {
      const answers = await log.ledger.append(again);
      expect(answers.map((a) => a !== 'stale' && a.entry)).to.deep.equal(
        first.slice(0, again.length).map((a) => a !== 'stale' && a.entry),
      );
    }
    expect(await log.size()).to.equal(2);
  });

  it('takes one body twice in a batch as one', async () => {
    const body = someBody({ asOf: 0 });
    const [one, two] = await log.ledger.append([body, body]);
    expect(one).to.have.deep.property('entry', (two as { entry: object }).entry);
    expect(await log.size()).to.equal(1);
  });

  it('refuses an id that stands with another body, and gives no receipt for it', async () => {
    const body = someBody({ asOf: 0 });
    await log.ledger.append([body]);
    await expectFault(log.ledger.append([{ ...body, operation: 'users' }]), 'ID_TAKEN');
    await expectFault(log.ledger.append([someBody({ asOf: 0 }), { ...body, operation: 'users' }]), 'ID_TAKEN');
    const other = someBody({ asOf: 0 });
    await expectFault(log.ledger.append([other, { ...other, operation: 'users' }]), 'ID_TAKEN');
    expect(await log.size()).to.equal(1);
  });

  it('hands back as stale what rests on facts from before a change about the subject or about nobody', async () => {
    const [ada, ben] = [someId<Pseudonym>(), someId<Pseudonym>()];
    await log.ledger.append([someBody({ asOf: 0 }), someBody({ asOf: 0 })]);
    await log.ledger.append([someBody({ asOf: 2, event: 'key.destroyed', subject: ada })]);
    const about = (asOf: number, subject: Pseudonym) => someBody({ asOf, subject });
    expect((await log.ledger.append([about(2, ada)]))[0]).to.equal('stale');
    expect(
      (await log.ledger.append([about(2, ada), about(2, ben), about(3, ada)])).map((a) => a === 'stale'),
    ).to.deep.equal([true, false, false]);
    expect((await log.ledger.append([about(3, ada), about(2, ada)])).map((a) => a === 'stale')).to.deep.equal([
      false,
      true,
    ]);

    const size = await log.size();
    await log.ledger.append([someBody({ asOf: size, event: 'grant.revoked' })]);
    expect(await log.ledger.append([about(size, ada), about(size, ben), someBody({ asOf: size })])).to.deep.equal([
      'stale',
      'stale',
      'stale',
    ]);
    expect((await log.ledger.append([about(size + 1, ada)]))[0]).to.not.equal('stale');
    await expectOneChain();
  });

  it('makes nothing stale by a refusal, which changed nothing', async () => {
    const refusal = { outcome: 'refused', refusal: { code: 'ROLE_NOT_PERMITTED' } } as const;
    await log.ledger.append([someBody({ asOf: 0, event: 'grant.revoked', ...refusal })]);
    const bodies = [someBody({ asOf: 0, event: 'grant.revoked', ...refusal }), someBody({ asOf: 0 })];
    expect(await log.ledger.append(bodies)).to.not.include('stale');
    expect(await log.ledger.append([someBody({ asOf: 0 })])).to.not.include('stale');
  });

  it('does not let a permission stand after a change of facts in the same batch', async () => {
    const ada = someId<Pseudonym>();
    const appended = await log.ledger.append([
      someBody({ asOf: 0, subject: ada }),
      someBody({ asOf: 0, event: 'grant.revoked' }),
      someBody({ asOf: 0, subject: ada }),
    ]);
    expect(appended.map((a) => a === 'stale')).to.deep.equal([false, false, true]);
  });

  for (const [fault, changes, code] of [
    ['a time a minute ahead', { at: new Date(Date.now() + 60_000).toISOString() }, 'CLOCK_OFF'],
    ['a time a minute behind', { at: new Date(Date.now() - 60_000).toISOString() }, 'CLOCK_OFF'],
    ['an asOf that is not yet', { asOf: 9 }, 'BODY_REFUSED'],
    ['an event nobody declared', { event: 'record.leaked' as 'record.read' }, 'BODY_REFUSED'],
    ['an id that is no uuid', { id: 'x' as never }, 'BODY_REFUSED'],
    ['no asOf', { asOf: undefined as never }, 'BODY_REFUSED'],
    ['an actor without id', { actor: {} as never }, 'BODY_REFUSED'],
    [
      'an actor whose id is in capitals',
      { actor: { id: ID.toUpperCase() as Pseudonym, kind: 'system' } },
      'BODY_REFUSED',
    ],
    ['an id in capitals', { id: ID.toUpperCase() as never }, 'BODY_REFUSED'],
    ['a subject in capitals', { subject: ID.toUpperCase() as Pseudonym }, 'BODY_REFUSED'],
    ['a request in capitals', { request: ID.toUpperCase() }, 'BODY_REFUSED'],
    ['a time by name', { at: 'now' }, 'BODY_REFUSED'],
    ['a time without milliseconds', { at: `${new Date().toISOString().slice(0, 19)}Z` }, 'BODY_REFUSED'],
    ['a refusal that says nothing', { outcome: 'refused' }, 'BODY_REFUSED'],
  ] as const) {
    it(`refuses ${fault} in a batch too`, async () => {
      const bodies = [someBody({ asOf: 0 }), someBody({ asOf: 0, ...changes } as { asOf: number })];
      await expectFault(log.ledger.append(bodies), code);
      expect(await log.size()).to.equal(0);
    });

    it(`refuses ${fault}, and its neighbours stand`, async () => {
      const bad = () => log.ledger.append([someBody({ asOf: 0, ...changes } as { asOf: number })]);
      const [one, faulty, other] = await Promise.allSettled([
        log.ledger.append([someBody({ asOf: 0 })]),
        bad(),
        log.ledger.append([someBody({ asOf: 0 })]),
      ]);
      expect([one.status, other.status]).to.deep.equal(['fulfilled', 'fulfilled']);
      expect(faulty).to.have.nested.property('reason.code', code);
      expect(await log.size()).to.equal(2);
      await expectOneChain();
    });
  }

  for (const [spelling, changes] of Object.entries({
    'a member that no table has': { note: 'x' },
    'a refusal that was permitted': { refusal: { code: 'NO_NEED_TO_KNOW' } },
    'another version': { v: 2 },
    'a name that is a number': { clause: 5 },
    'white space': (line: string) => line.replace('{', '{ '),
    'members in another order': (line: string) => `{"v":1,${line.slice(1).replace(',"v":1}', '}')}`,
    'a member twice': (line: string) => line.replace('"clause"', '"clause":"1.1","clause"'),
  })) {
    it(`takes no line with ${spelling}, alone or in a batch`, async () => {
      const good = formatBody(someBody({ asOf: 0 }));
      const body = { ...someBody({ asOf: 0 }), v: 1, ...(typeof changes === 'object' && changes) };
      const line = canonical(body as unknown as Json);
      const bad = typeof changes === 'function' ? changes(line) : line;
      for (const lines of [bad, `${good}\n${bad}`]) {
        const error = await log
          .as('access_ledger_writer', 'SELECT FROM ledger.append(1, $1)', [lines])
          .catch((thrown: pg.DatabaseError) => thrown);
        expect(error).to.have.property('code', 'AL005');
      }
      expect(await log.size()).to.equal(0);
    });
  }

  it('writes concurrent appends of two ledgers as one chain', async () => {
    const other = await openLedger(log.url);
    const ada = someId<Pseudonym>();
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        [log, other][n % 2]!.ledger.append(
          Array.from({ length: 1 + (n % 4) }, () => someBody({ asOf: 0, ...(n % 3 === 0 && { subject: ada }) })),
        ),
      ),
    );
    await other.close();
    expect(await log.size()).to.equal(500);
    await expectOneChain();
  });

  describe('change', () => {
    it('commits rows and entries together', async () => {
      const changed = await log.ledger.change(async ({ rows }) => {
        const { body, sql, values } = enrolment({ asOf: 0 });
        await rows.query(sql, values);
        return { bodies: [body], value: 'done' };
      });
      expect(changed).to.have.property('value', 'done');
      expect(changed).to.have.nested.property('entries[0].index', 0 as LogIndex);
      expect(await log.sql('SELECT key FROM registry.service')).to.have.length(1);
    });

    it('commits neither when the entry is stale, cannot be, or work throws', async () => {
      await log.ledger.append([someBody({ asOf: 0, event: 'grant.revoked' })]);
      const attempt = (changes: object) =>
        log.ledger.change(async ({ rows }) => {
          const { body, sql, values } = enrolment({ asOf: 1, ...changes });
          await rows.query(sql, values);
          return { bodies: [body], value: null };
        });
      expect(await attempt({ asOf: 0 })).to.equal('stale');
      await expectFault(attempt({ asOf: 7 }), 'BODY_REFUSED');
      await expectFault(attempt({ event: 'nobody.knows' }), 'BODY_REFUSED');
      const refusal = new Error('refused');
      const thrown = await log.ledger
        .change(async ({ rows }) => {
          const { sql, values } = enrolment({ asOf: 1 });
          await rows.query(sql, values);
          throw refusal;
        })
        .catch((error: unknown) => error);
      expect(thrown).to.equal(refusal);
      expect(await log.sql('SELECT FROM registry.service')).to.have.length(0);
      expect(await log.size()).to.equal(1);
    });

    it('says what is wrong with a row without its values', async () => {
      const fault = await log.ledger
        .change(async ({ rows }) => {
          const { body, sql, values } = enrolment({ asOf: 0 }, 'ada@example.org');
          await rows.query(sql, values);
          return { bodies: [body], value: null };
        })
        .catch((error: unknown) => error);
      expect(fault).to.be.instanceOf(LedgerFault).with.property('code', 'BODY_REFUSED');
      expect(JSON.stringify([fault, (fault as Error).stack])).to.not.include('example.org');
    });

    it('leaves its transaction dead once work has returned', async () => {
      let late: Parameters<Parameters<typeof log.ledger.change>[0]>[0] | undefined;
      await log.ledger.change(async (tx) => {
        late = tx;
        return { bodies: [someBody({ asOf: 0 })], value: null };
      });
      const error = await late!.rows.query('SELECT 1').catch((thrown: unknown) => thrown);
      expect(error).to.be.an('error');
    });
  });

  async function expectFault(promise: Promise<unknown>, code: string): Promise<void> {
    const error = await promise.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(LedgerFault).with.property('code', code);
  }
});
