import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { LedgerFault } from '../../src/ledger/fault.js';
import type { ValueChange } from '../../src/ledger/ledger.js';
import type { Category, PermittedBody, Pseudonym, RecordId, RecordVersion } from '../../src/log/entry.js';
import { testGate } from '../support/gate.js';
import { enrolment, someBody, someId, type TestLedger, testLedger } from '../support/ledger.js';

const CHANNELS = ['REGISTRATION', 'EMAIL'];
const EMAIL = 'user.contact.email' as Category;
const NAME = 'user.name' as Category;

/** What the database holds rows to, whatever the code above it does. */
describe('rows and their entries', () => {
  let log: TestLedger;
  beforeEach(async () => {
    log = await testLedger();
    await commit(enrolment({ asOf: 0 }));
    for (const [key, searchable] of [
      [EMAIL, true],
      [NAME, false],
    ] as const) {
      const details = { identifiability: 'ALONE', sensitive: false, searchable, channels: CHANNELS };
      const body = someBody({ asOf: await log.size(), event: 'category.declared', asked: [key], details });
      await commit({
        body,
        sql: `INSERT INTO registry.category (key, title, identifiability, sensitive, searchable, channels, entry)
          VALUES ($1, 'x', 'ALONE', false, $2, $3, $4)`,
        values: [key, searchable, CHANNELS, body.id],
      });
    }
  });
  afterEach(() => log.close());

  type Statement = readonly [sql: string, values: readonly unknown[]];

  /** What a change comes to: 'done', 'stale', or the SQLSTATE it fails with. */
  async function outcome(
    work: (rows: EntityManager) => Promise<unknown>,
    ...bodies: readonly PermittedBody[]
  ): Promise<string | null> {
    try {
      const changed = await log.ledger.change(async ({ rows }) => {
        await work(rows);
        return { bodies: bodies as [PermittedBody], value: null };
      });
      return changed === 'stale' ? 'stale' : 'done';
    } catch (error) {
      if (error instanceof LedgerFault) return error.sqlState;
      throw error;
    }
  }

  const run =
    (...statements: readonly Statement[]) =>
    async (rows: EntityManager) => {
      for (const [sql, values] of statements) await rows.query(sql, [...values]);
    };

  async function commit({ body, sql, values }: { body: PermittedBody; sql: string; values: unknown[] }): Promise<void> {
    expect(await outcome(run([sql, values]), body)).to.equal('done');
  }

  const later = async (changes: Partial<PermittedBody>) => someBody({ asOf: await log.size(), ...changes });

  const subjectRow = (id: string, entry: string): Statement => [
    `INSERT INTO registry.subject (log, id, service, entry, registered_at) VALUES (1, $1, 'web', $2, now())`,
    [id, entry],
  ];
  const keyRow = (id: string): Statement => [
    `INSERT INTO registry.subject_key (log, subject, kek, wrapped) VALUES (1, $1, 'kek', $2)`,
    [id, randomBytes(60)],
  ];
  const recordRow = (subject: string, { id, category }: RecordVersion): Statement => [
    `INSERT INTO registry.record (log, id, subject, category, version) VALUES (1, $1, $2, $3, 1)`,
    [id, subject, category],
  ];
  const versionRow = (subject: string, { id, category, version }: RecordVersion, entry: string): Statement => [
    `INSERT INTO registry.record_version (log, record, version, subject, category, channel, sealed, entry)
     VALUES (1, $1, $2, $3, $4, 'EMAIL', $5, $6)`,
    [id, version, subject, category, randomBytes(40), entry],
  ];
  const indexRow = (subject: string, { id, category }: RecordVersion, digest: Uint8Array): Statement => [
    `INSERT INTO registry.blind_index (log, category, digest, record, subject) VALUES (1, $1, $2, $3, $4)`,
    [category, digest, id, subject],
  ];

  const recordOf = (category: Category): RecordVersion => ({ id: someId<RecordId>(), category, version: 1 });

  async function person(...records: readonly RecordVersion[]): Promise<Pseudonym> {
    const subject = someId<Pseudonym>();
    const registered = await later({ event: 'user.registered', subject });
    expect(await outcome(run(subjectRow(subject, registered.id), keyRow(subject)), registered)).to.equal('done');
    if (records.length > 0) expect(await collect(subject, records)).to.equal('done');
    return subject;
  }

  async function collect(
    subject: Pseudonym,
    records: readonly RecordVersion[],
    changes: Partial<PermittedBody> = {},
  ): Promise<string | null> {
    const body = await later({ event: 'record.created', subject, records, ...changes });
    return outcome(
      run(
        ...records.map((record) => recordRow(subject, record)),
        ...records.map((record) => versionRow(subject, record, body.id)),
        ...records.filter(({ category }) => category === EMAIL).map((one) => indexRow(subject, one, randomBytes(32))),
      ),
      body,
    );
  }

  const digestOf = async (id: RecordId) =>
    (await log.sql<{ digest: Buffer }>('SELECT digest FROM registry.blind_index WHERE record = $1', [id]))[0]?.digest;
  const versionsOf = async (id: RecordId) =>
    (
      await log.sql<{ version: number }>(
        'SELECT v.version FROM registry.record_version v WHERE v.record = $1 ORDER BY v.version',
        [id],
      )
    ).map(({ version }) => version);

  async function changeOf(
    subject: Pseudonym,
    { id, category }: RecordVersion,
    expected = 1,
    changes: Partial<PermittedBody> = {},
  ): Promise<ValueChange> {
    const records = [{ id, category, version: expected + 1 }];
    return {
      body: await later({ event: 'record.updated', subject, records, ...changes }),
      record: id,
      expected,
      channel: 'EMAIL',
      sealed: randomBytes(40),
      digest: category === EMAIL ? randomBytes(32) : null,
    };
  }

  describe('revise', () => {
    let email: RecordVersion;
    let ada: Pseudonym;
    beforeEach(async () => {
      email = recordOf(EMAIL);
      ada = await person(email);
    });

    it('gives a record a version and its index', async () => {
      const change = await changeOf(ada, email);
      expect(await log.ledger.revise(change)).to.have.property('index');
      expect(await versionsOf(email.id)).to.deep.equal([1, 2]);
      expect(await digestOf(email.id)).to.deep.equal(change.digest);
    });

    it('answers a change that stands with what stands, and puts no old index back', async () => {
      const first = await changeOf(ada, email);
      const entry = await log.ledger.revise(first);
      const second = await changeOf(ada, email, 2);
      await log.ledger.revise(second);
      await log.ledger.append([await later({ event: 'grant.revoked' })]);
      const late = await changeOf(ada, email, 3);
      const [again, third] = await Promise.all([log.ledger.revise(first), log.ledger.revise(late)]);
      expect(again).to.deep.equal(entry);
      expect(await log.ledger.revise(first)).to.deep.equal(entry);
      expect(third).to.have.property('index');
      expect(await digestOf(email.id)).to.deep.equal(late.digest);
      expect(await versionsOf(email.id)).to.deep.equal([1, 2, 3, 4]);
    });

    it('writes nothing under a body that stands without it', async () => {
      const change = await changeOf(ada, email);
      const [appended] = await log.ledger.append([change.body]);
      expect(await log.ledger.revise(change)).to.deep.equal((appended as { entry: object }).entry);
      expect(await versionsOf(email.id)).to.deep.equal([1]);
      expect(await digestOf(email.id)).to.not.deep.equal(change.digest);
    });

    for (const [what, changes] of Object.entries({
      'another event': { event: 'record.read' },
      'a refusal': { outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW' } },
      'another person': { subject: someId<Pseudonym>() },
      nobody: { subject: undefined },
      'no records': { records: undefined },
      'another record': { records: [{ id: someId<RecordId>(), category: EMAIL, version: 2 }] },
    } as Record<string, object>)) {
      it(`writes nothing under a body of ${what}, and its neighbour stands`, async () => {
        const other = recordOf(NAME);
        const ben = await person(other);
        const [bad, good] = await Promise.allSettled([
          log.ledger.revise(await changeOf(ada, email, 1, changes)),
          log.ledger.revise(await changeOf(ben, other)),
        ]);
        expect(bad).to.have.nested.property('reason.sqlState', 'AL005');
        expect(good).to.have.property('status', 'fulfilled');
        expect(await versionsOf(email.id)).to.deep.equal([1]);
        expect(await versionsOf(other.id)).to.deep.equal([1, 2]);
      });
    }

    it('writes nothing under a body of another version, of more records, or without the index', async () => {
      const change = await changeOf(ada, email);
      const named = { id: email.id, category: EMAIL, version: 2 };
      for (const changes of [
        { body: { ...change.body, records: [{ ...named, version: 3 }] } },
        { body: { ...change.body, records: [named, named] } },
        { digest: null },
      ]) {
        const fault = await log.ledger.revise({ ...change, ...changes }).catch((error: unknown) => error);
        expect(fault).to.be.instanceOf(LedgerFault).with.property('sqlState', 'AL005');
      }
      expect(await log.ledger.revise(change)).to.not.equal('stale');
    });

    it('lets the first of several changes of one version win', async () => {
      const changes = await Promise.all(Array.from({ length: 8 }, () => changeOf(ada, email)));
      const answers = await Promise.all(changes.map((change) => log.ledger.revise(change)));
      expect(answers.filter((answer) => answer !== 'stale')).to.have.length(1);
      expect(await versionsOf(email.id)).to.deep.equal([1, 2]);
    });
  });

  describe('people and values', () => {
    it('are kept under entries of the same transaction that name them', async () => {
      const email = recordOf(EMAIL);
      const ada = await person();
      const ben = await person();
      for (const changes of [
        { event: 'record.read' },
        { event: 'record.updated' },
        { subject: ben },
        { records: [{ ...email, version: 2 }] },
        { records: undefined },
        { outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW' } },
      ] as object[]) {
        expect(await collect(ada, [email], changes), JSON.stringify(changes)).to.equal('AL006');
      }
      const body = await later({ event: 'record.created', subject: ada, records: [email] });
      await log.ledger.append([body]);
      const late = run(recordRow(ada, email), versionRow(ada, email, body.id));
      expect(await outcome(late, await later({}))).to.equal('AL006');
      expect(await collect(ada, [email])).to.equal('done');
    });

    it('are registered, and keyed, under the entry of it', async () => {
      const ada = someId<Pseudonym>();
      const row = async (changes: Partial<PermittedBody>) => {
        const body = await later(changes);
        return outcome(run(subjectRow(ada, body.id)), body);
      };
      expect(await row({ event: 'user.registered', subject: someId<Pseudonym>() })).to.equal('AL006');
      expect(await row({ event: 'record.created', subject: ada })).to.equal('AL006');
      expect(await row({ event: 'user.registered', subject: ada })).to.equal('done');
      expect(await outcome(run(keyRow(ada)), await later({}))).to.equal('AL006');
      expect(await collect(ada, [recordOf(NAME)])).to.equal('stale');
    });

    it('are found only by an index that came with the value', async () => {
      const email = recordOf(EMAIL);
      const ada = await person(email);
      const drop: Statement = ['DELETE FROM registry.blind_index WHERE record = $1', [email.id]];
      expect(await outcome(run(drop), await later({}))).to.equal('AL006');
      const name = recordOf(NAME);
      const ben = await person(name);
      expect(await outcome(run(indexRow(ben, name, randomBytes(32))), await later({}))).to.equal('AL006');
      expect(await outcome(run(drop, indexRow(ada, email, randomBytes(32))), await later({}))).to.equal('AL006');
    });
  });

  describe('erasing', () => {
    let email: RecordVersion;
    let name: RecordVersion;
    let ada: Pseudonym;
    beforeEach(async () => {
      [email, name] = [recordOf(EMAIL), recordOf(NAME)];
      ada = await person(email, name);
    });

    const remove = (...tables: readonly string[]) =>
      run(...tables.map((table): Statement => [`DELETE FROM registry.${table} WHERE subject = $1`, [ada]]));
    const ALL = ['blind_index', 'record_version', 'record', 'subject_key'];
    const erased = (records: readonly RecordVersion[]) => later({ event: 'record.erased', subject: ada, records });
    const destroyed = () => later({ event: 'key.destroyed', subject: ada });

    it('takes entries of this transaction that name each value, and the destroyed key last', async () => {
      expect(await outcome(remove(...ALL), await erased([email, name]), await destroyed())).to.equal('done');
    });

    it('is nothing without them', async () => {
      for (const bodies of [
        [await later({})],
        [await destroyed()],
        [await erased([email, name])],
        [await erased([email]), await destroyed()],
        // Decided after the key was destroyed, so that it is not stale.
        [await destroyed(), { ...(await erased([email, name])), asOf: (await log.size()) + 1 }],
        [
          await later({ event: 'record.erased', subject: someId<Pseudonym>(), records: [email, name] }),
          await destroyed(),
        ],
      ]) {
        expect(await outcome(remove(...ALL), ...bodies)).to.equal('AL006');
      }
      expect(await versionsOf(email.id)).to.deep.equal([1]);
    });

    it('rests on no entries of an erasure before', async () => {
      await log.ledger.append([await erased([email, name]), await destroyed()]);
      expect(await outcome(remove(...ALL), await later({}))).to.equal('AL006');
      expect(await outcome(remove(...ALL), await later({ subject: ada }))).to.equal('AL006');
    });

    it('leaves nothing behind: neither a key before its records, nor values after their key', async () => {
      expect(await outcome(remove('subject_key'), await destroyed())).to.equal('stale');
      expect(await outcome(remove(...ALL), await erased([email, name]), await destroyed())).to.equal('done');
      expect(await collect(ada, [recordOf(NAME)])).to.equal('stale');
      expect(await outcome(run(keyRow(ada)), await later({ event: 'user.registered', subject: ada }))).to.equal(
        'AL006',
      );
    });

    it('and revising at once do not wait for each other', async () => {
      const eraser = new pg.Client({ connectionString: log.superuserUrl });
      await eraser.connect();
      const from = async (table: string) => {
        await eraser.query(`DELETE FROM registry.${table} WHERE subject = $1`, [ada]);
      };
      await eraser.query("BEGIN; SET LOCAL deadlock_timeout = '50 ms'; SET LOCAL statement_timeout = '2 s'");
      await from('blind_index');
      const revised = log.ledger.revise(await changeOf(ada, email));
      for (let waiting = 0; waiting === 0; ) {
        // Not through the eraser: a transaction sees others' activity as it first saw it.
        const [found] = await log.sql<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        waiting = found!.n;
      }
      await from('record_version');
      await from('record');
      await eraser.query('ROLLBACK');
      await eraser.end();
      expect(await revised).to.have.property('index');
    });

    it('misses no version that came while it ran', async () => {
      const bodies = [await erased([email, name]), await destroyed()] as const;
      const change = await changeOf(ada, name);
      const raced = await outcome(
        async (rows) => {
          await remove('blind_index', 'record_version')(rows);
          expect(await log.ledger.revise(change)).to.have.property('index');
          await remove('record', 'subject_key')(rows);
        },
        ...bodies,
      );
      expect(raced).to.equal('stale');
      expect(await versionsOf(name.id)).to.deep.equal([1, 2]);
    });

    it('and collecting at once leave either all or nothing', async () => {
      for (let round = 0; round < 5; round++) {
        [email, name] = [recordOf(EMAIL), recordOf(NAME)];
        ada = await person(email, name);
        const outcomes = await Promise.all([
          outcome(remove(...ALL), await erased([email, name]), await destroyed()),
          collect(ada, [recordOf(NAME)]),
        ]);
        expect(outcomes).to.include('done');
        const [left] = await log.sql<{ keys: number; records: number }>(
          `SELECT (SELECT count(*)::int FROM registry.subject_key WHERE subject = $1) AS keys,
             (SELECT count(*)::int FROM registry.record_version WHERE subject = $1) AS records`,
          [ada],
        );
        expect(left, outcomes.join()).to.deep.equal(
          outcomes[0] === 'done' ? { keys: 0, records: 0 } : { keys: 1, records: 3 },
        );
      }
    });
  });

  describe('what is declared', () => {
    const staff = someId<Pseudonym>();
    const id = someId();
    const [from, until] = [new Date('2030-01-01T00:00:00.123Z'), new Date('2030-02-01T00:00:00Z')];

    const declared: Record<string, { says: Partial<PermittedBody>; sql: string; values: readonly unknown[] }> = {
      legal_basis: {
        says: { event: 'legal-basis.declared', basis: 'contract' },
        sql: `INSERT INTO registry.legal_basis (key, title, description, entry) VALUES ('contract', 'x', 'x', $1)`,
        values: [],
      },
      category: {
        says: {
          event: 'category.declared',
          asked: ['user.gender' as Category],
          details: { identifiability: 'COMBINED', sensitive: false, searchable: false, channels: ['EMAIL'] },
        },
        sql: `INSERT INTO registry.category (key, title, identifiability, sensitive, searchable, channels, entry)
          VALUES ('user.gender', 'x', 'COMBINED', false, false, '{EMAIL}', $1)`,
        values: [],
      },
      purpose: {
        says: { event: 'purpose.declared', purpose: 'convenience' as never, asked: [EMAIL] },
        sql: `WITH p AS (INSERT INTO registry.purpose (key, title, description, clause, entry)
            VALUES ('convenience', 'x', 'x', '3.1', $1) RETURNING key, entry)
          INSERT INTO registry.purpose_category (purpose, category, entry) SELECT key, '${EMAIL}', entry FROM p`,
        values: [],
      },
      service: { says: { event: 'service.enrolled', details: { service: 'app' } }, sql: '', values: [] },
      processor: {
        says: { event: 'processor.registered', details: { processor: id, kind: 'AGENT' } },
        sql: `INSERT INTO registry.processor (id, name, kind, registered_at, entry) VALUES ('${id}', 'x', 'AGENT', now(), $1)`,
        values: [],
      },
      identity: {
        says: { event: 'identity.linked', details: { actor: staff, kind: 'staff' } },
        sql: `INSERT INTO registry.identity (digest, actor, kind, entry) VALUES ($2, '${staff}', 'staff', $1)`,
        values: [randomBytes(32)],
      },
      need_to_know_grant: {
        says: {
          event: 'grant.approved',
          purpose: 'convenience' as never,
          asked: [EMAIL],
          details: { grant: id, staff, from: from.toISOString(), until: until.toISOString() },
        },
        sql: `INSERT INTO registry.need_to_know_grant
            (id, staff, purpose, categories, approved_by, valid_from, valid_until, entry)
          VALUES ('${id}', '${staff}', 'convenience', '{${EMAIL}}', $2, $3, $4, $1)`,
        values: [staff, from, until],
      },
    };
    declared.service!.sql = `INSERT INTO registry.service (key, title, policy, entry) VALUES ('app', 'x', '2012-01-16', $1)`;
    const approver = { id: someId<Pseudonym>(), kind: 'staff', role: 'privacy-officer' } as const;
    declared.need_to_know_grant!.values = [approver.id, from, until];

    const declare = async (table: string, changes: Partial<PermittedBody> = {}, entry?: string) => {
      const { says, sql, values } = declared[table]!;
      const body = await later({ actor: approver, ...says, ...changes });
      return outcome(run([sql, [entry ?? body.id, ...values]]), body);
    };

    it('is declared, linked and granted under an entry that says so, and under no other', async () => {
      for (const [table, { says }] of Object.entries(declared)) {
        const [other] = Object.values(declared).filter((one) => one.says.event !== says.event);
        const { details, asked, basis, purpose } = says;
        for (const wrong of [
          { event: other!.says.event! },
          { event: 'record.read' },
          ...(details ? [{ details: Object.fromEntries(Object.keys(details).map((key) => [key, 'else'])) }] : []),
          ...(asked ? [{ asked: [NAME] }, { asked: undefined }] : []),
          ...(purpose ? [{ purpose: 'other' as never }] : []),
          ...(basis ? [{ basis: 'other' }] : [{ outcome: 'refused', refusal: { code: 'ROLE_NOT_PERMITTED' } }]),
        ] as object[]) {
          expect(await declare(table, wrong), `${table} ${JSON.stringify(wrong)}`).to.equal('AL006');
        }
        const before = await later({ actor: approver, ...says });
        await log.ledger.append([before]);
        expect(await declare(table, {}, before.id), table).to.equal('AL006');
        expect(await declare(table), table).to.equal('done');
      }
    });

    it('grants no more than its entry says', async () => {
      for (const table of ['purpose', 'identity']) expect(await declare(table)).to.equal('done');
      const { details } = declared.need_to_know_grant!.says;
      for (const wrong of [
        { asked: [EMAIL, NAME] },
        { actor: { ...approver, id: someId<Pseudonym>() } },
        { details: { ...details, until: new Date('2030-01-15T00:00:00Z').toISOString() } },
      ]) {
        expect(await declare('need_to_know_grant', wrong)).to.equal('AL006');
      }
    });

    it('revokes a grant once, under an entry of it, and never takes that back', async () => {
      for (const table of ['purpose', 'identity', 'need_to_know_grant']) expect(await declare(table)).to.equal('done');
      const revoke = async (changes: Partial<PermittedBody> = {}, at = 'now()') => {
        const body = await later({ event: 'grant.revoked', details: { grant: id, staff }, ...changes });
        const sql = `UPDATE registry.need_to_know_grant SET revoked_at = ${at}, revocation = $2 WHERE id = $1`;
        return outcome(run([sql, [id, at === 'NULL' ? null : body.id]]), body);
      };
      expect(await revoke({ event: 'grant.listed' })).to.equal('AL006');
      expect(await revoke({ details: { grant: someId(), staff } })).to.equal('AL006');
      expect(await revoke()).to.equal('done');
      expect(await revoke()).to.equal('AL006');
      expect(await revoke({}, 'NULL')).to.equal('AL006');
    });
  });
});

describe('registering at once', () => {
  it('lets people with identities register beside each other', async () => {
    const gate = await testGate();
    const people = await Promise.all(Array.from({ length: 8 }, () => gate.person(undefined, someId())));
    expect(new Set(people).size).to.equal(8);
    await gate.close();
  });
});
