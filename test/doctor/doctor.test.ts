import { expect } from 'chai';
import pg from 'pg';
import { seedOrganisation } from '../../seeds/organisation.js';
import { type Diagnosis, DoctorError, type Examination, examine } from '../../src/doctor/doctor.js';
import { CODES, type DoctorCode } from '../../src/doctor/finding.js';
import { WALKS } from '../../src/doctor/rows.js';
import { blocksOf, MOST_PLACES, walk } from '../../src/doctor/walk.js';
import { verifyLog } from '../../src/domain/log/verifications.js';
import { collectPersonalData, updatePersonalData } from '../../src/domain/records/records.js';
import { grantNeedToKnow, revokeNeedToKnow } from '../../src/domain/staff/grants.js';
import type { RecordId } from '../../src/log/entry.js';
import { type TestGate, testGate } from '../support/gate.js';
import { LOGIN } from '../support/ledger.js';

/**
 * Each mutation is what a superuser could do, in a transaction that is examined from within and then undone. Where a
 * finding comes with a statement, it is run, and then there is nothing to find.
 */
describe('the doctor', function () {
  this.timeout(60_000);
  let gate: TestGate;
  let client: pg.Client;
  let isDurable: boolean;
  /** Some of what there is, by names that the mutations take. */
  let it$: Record<'record' | 'subject' | 'erased' | 'erasedRecord' | 'grant', string>;

  before(async () => {
    gate = await testGate();
    const options = { issuer: 'https://issuer.example.com', now: () => new Date(), tell: () => {} };
    await seedOrganisation(gate.core, { ...options, signal: new AbortController().signal, users: 100 });
    const [support, officer] = [await gate.signIn('support-agent'), await gate.signIn('privacy-officer')];
    const [subject, erased] = [await gate.person(), await gate.person()];
    const until = new Date(Date.now() + 3_600_000);
    const ask = { staff: support.id, purpose: 'convenience', categories: null, from: null, until };
    await grantNeedToKnow(gate.contextFor(officer), ask);
    const [record] = await first<{ id: RecordId }>(
      `SELECT id FROM registry.record WHERE subject = '${subject}' ORDER BY category DESC`,
    );
    await updatePersonalData(gate.contextFor(support), {
      record: record!.id,
      purpose: 'convenience',
      expectedVersion: 1,
      channel: 'MESSAGE',
      value: 'Ana María Ruiz',
    });
    await collectPersonalData(gate.contextFor(support), {
      user: subject,
      purpose: 'convenience',
      records: [{ category: 'user.contact.phone_number', channel: 'MESSAGE', value: '+34 600 000 000' }],
    });
    const [erasedRecord] = await first<{ id: string }>(`SELECT id FROM registry.record WHERE subject = '${erased}'`);
    await gate.contextFor(officer).gate.erase({ operation: 'erase', subject: erased });
    const revoked = await grantNeedToKnow(gate.contextFor(officer), { ...ask, purpose: 'property-security' });
    await revokeNeedToKnow(gate.contextFor(officer), revoked.id);
    await verifyLog(gate.contextFor(await gate.signIn('security-reviewer')), { held: [], checkpoints: [] });
    it$ = { record: record!.id, subject, erased, erasedRecord: erasedRecord!.id, grant: revoked.id };

    client = new pg.Client({ connectionString: gate.database.superuserUrl, options: '-c search_path=pg_catalog' });
    await client.connect();
    isDurable = (await client.query<{ fsync: string }>('SHOW fsync')).rows[0]!.fsync === 'on';
  });
  after(async () => {
    await client.end();
    await gate.close();
  });

  const first = <Row>(sql: string): Promise<Row[]> => gate.core.rows.query(sql);

  /** What is said of this database, but for that a test's cluster does without fsync. */
  async function examined(options: Partial<Examination> = {}): Promise<Diagnosis> {
    const diagnosis = await examine(client, {
      now: () => new Date(),
      keks: [{ ...gate.kek, current: true }],
      servers: [LOGIN.user],
      onRows: () => {},
      ...options,
    });
    return { ...diagnosis, findings: diagnosis.findings.filter(({ code }) => code !== 'NOT_DURABLE' || isDurable) };
  }

  const codes = ({ findings }: Diagnosis) => findings.map(({ code }) => code);

  async function undone<T>(part: () => Promise<T>): Promise<T> {
    await client.query('BEGIN');
    // Other tests have left logins in this cluster.
    await client.query(`DO $$ DECLARE stranger text; BEGIN
      FOR stranger IN SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> '${LOGIN.user}' LOOP
        EXECUTE format('REVOKE access_ledger_writer FROM %I', stranger);
      END LOOP; END $$`);
    try {
      return await part();
    } finally {
      await client.query('ROLLBACK');
    }
  }

  it('finds nothing in a database that was seeded, changed and erased in by the gate', async () => {
    const diagnosis = await undone(() => examined());
    expect(diagnosis.findings).to.deep.equal([]);
    expect(diagnosis.unchecked).to.deep.equal([]);
    expect(diagnosis.rows['registry.record_version']).to.be.greaterThan(200);
    expect(diagnosis.rows['ledger.entry']).to.be.greaterThan(200);
    expect(diagnosis.writers).to.deep.equal([LOGIN.user]);
    expect(diagnosis.keks).to.deep.equal([{ kek: gate.kek.id, wraps: 101, retires: gate.kek.retires }]);
  });

  /** Without its triggers a table takes anything. They are put back before it is looked at, so that only the rows tell. */
  const past = (table: string, sql: string) =>
    `SET session_replication_role = replica; ALTER TABLE ${table} DISABLE TRIGGER USER; ${sql};
     ${TRIGGERS[table]!.map((trigger) => `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`).join(';')};
     SET session_replication_role = origin`;

  const AN_ENGAGEMENT = '(SELECT id FROM registry.engagement ORDER BY id LIMIT 1)';
  const TRIGGERS: Record<string, string[]> = {
    'registry.engagement': ['standing_under_entry', 'ended_under_entry', 'ended_once'],
    'registry.need_to_know_request': ['requested_under_entry'],
    'ledger.entry': ['append_only'],
    'registry.record_version': ['append_only', 'erasing', 'kept_under_entry'],
    'registry.subject_key': ['erasing', 'kept_under_entry'],
    'registry.subject': ['kept_under_entry'],
    'registry.identity': ['declared_under_entry'],
    'registry.purpose': ['declared_under_entry'],
    'registry.need_to_know_grant': [
      'declared_under_entry',
      'revoked_under_entry',
      'revoked_once',
      'approved_as_requested',
    ],
    'registry.essential_categories': ['append_only', 'chosen_under_entry'],
    'registry.category_choice': ['append_only', 'chosen_under_entry'],
    'registry.cookie': ['append_only', 'preferred_under_entry'],
    'registry.cookie_preference': ['append_only', 'preferred_under_entry'],
    'registry.consent': ['append_only', 'consented_under_entry'],
    'registry.consent_version': ['append_only', 'consented_under_entry'],
    'registry.erasure': ['erased_under_entry'],
    'ledger.verification': ['append_only', 'report_once'],
  };

  const objects: Partial<Record<DoctorCode, Record<string, string>>> = {
    ROLE_CHANGED: {
      'the owner may log in': 'ALTER ROLE access_ledger_owner LOGIN',
      'the writer is a superuser': 'ALTER ROLE access_ledger_writer SUPERUSER',
      'the reader replicates and makes roles':
        'ALTER ROLE access_ledger_reader REPLICATION CREATEROLE BYPASSRLS CREATEDB',
      'the writer may become the owner': 'GRANT access_ledger_owner TO access_ledger_writer',
      'the reader writes everything': 'GRANT pg_write_all_data TO access_ledger_reader',
      'the writer has settings': "ALTER ROLE access_ledger_writer SET work_mem = '1GB'",
    },
    SCHEMA_CHANGED: { 'a schema is another’s': 'ALTER SCHEMA ledger OWNER TO access_ledger_writer' },
    TABLE_MISSING: { 'there are no cosignatures': 'DROP TABLE ledger.cosignature' },
    TABLE_CHANGED: {
      'the log is the writer’s': 'ALTER TABLE ledger.tile OWNER TO access_ledger_writer',
      'rows are hidden': 'ALTER TABLE registry.record_version ENABLE ROW LEVEL SECURITY',
      'the log is lost in a crash': 'ALTER TABLE ledger.cosignature SET UNLOGGED',
      'rows of another table show': 'CREATE TABLE public.more () INHERITS (registry.service)',
    },
    TABLE_ADDED: {
      'a view': 'CREATE VIEW registry.everything AS SELECT * FROM registry.record_version',
      'a table of the owner’s elsewhere':
        'CREATE TABLE public.copy (x int); ALTER TABLE public.copy OWNER TO access_ledger_owner',
    },
    COLUMN_CHANGED: {
      'a default': 'ALTER TABLE ledger.entry ALTER actor SET DEFAULT gen_random_uuid()',
      'null is allowed': 'ALTER TABLE registry.record_version ALTER entry DROP NOT NULL',
    },
    COLUMN_ADDED: { 'a column': 'ALTER TABLE registry.subject ADD note text' },
    TYPE_CHANGED: { 'a body has another member': 'ALTER TYPE ledger.body ADD ATTRIBUTE secret text' },
    FUNCTION_MISSING: { 'a function is gone': 'DROP FUNCTION ledger.standing(integer, uuid[])' },
    FUNCTION_CHANGED: {
      'append does nothing': `CREATE OR REPLACE FUNCTION ledger.append(log integer, bodies text) RETURNS SETOF ledger.appended
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN; END $$`,
      'spelt says anything':
        "CREATE OR REPLACE FUNCTION ledger.spelt(b ledger.body) RETURNS text LANGUAGE sql STABLE RETURN '{}'",
      'append is its caller’s': 'ALTER FUNCTION ledger.append(integer, text) SECURITY INVOKER',
      'append searches elsewhere': 'ALTER FUNCTION ledger.append(integer, text) SET search_path = public',
      'append searches anywhere': 'ALTER FUNCTION ledger.append(integer, text) RESET search_path',
      'append is somebody’s': `ALTER FUNCTION ledger.append(integer, text) OWNER TO ${LOGIN.user}`,
      'refuse refuses nothing': `CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NULL; END $$`,
    },
    FUNCTION_ADDED: {
      'another way to write': "CREATE FUNCTION ledger.quick() RETURNS void LANGUAGE sql AS ''",
      'a superuser’s function for everybody':
        "CREATE FUNCTION public.quick() RETURNS void LANGUAGE sql SECURITY DEFINER AS ''",
    },
    TRIGGER_MISSING: {
      'the log may be edited': 'DROP TRIGGER append_only ON ledger.entry',
      'values need no entry': 'DROP TRIGGER kept_under_entry ON registry.record_version',
    },
    TRIGGER_CHANGED: {
      'never fires': 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only',
      'not for replicas': 'ALTER TABLE registry.erasure ENABLE TRIGGER erased_under_entry',
      'refuses less': `CREATE OR REPLACE TRIGGER append_only BEFORE TRUNCATE ON ledger.tile
        FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()`,
    },
    TRIGGER_ADDED: {
      'entries are dropped on their way':
        'CREATE TRIGGER aside BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.refuse()',
    },
    CONSTRAINT_MISSING: { 'anything is an outcome': 'ALTER TABLE ledger.entry DROP CONSTRAINT entry_outcome_check' },
    CONSTRAINT_CHANGED: {
      'a foreign key holds nobody':
        'ALTER TABLE registry.subject_key DISABLE TRIGGER ALL; ALTER TABLE registry.subject_key ENABLE ALWAYS TRIGGER erasing; ALTER TABLE registry.subject_key ENABLE ALWAYS TRIGGER kept_under_entry',
      'what stood is not held': `ALTER TABLE registry.subject DROP CONSTRAINT subject_log_entry_fkey, ADD CONSTRAINT subject_log_entry_fkey
        FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED NOT VALID`,
    },
    CONSTRAINT_ADDED: { 'nothing is registered': 'ALTER TABLE registry.processor ADD CONSTRAINT full_up CHECK (true)' },
    INDEX_MISSING: { 'an index is gone': 'DROP INDEX ledger.entry_by_actor' },
    INDEX_CHANGED: {
      'two entries may share a place in a history': `DROP INDEX ledger.entry_by_subject; CREATE INDEX entry_by_subject
        ON ledger.entry (subject, log, index) INCLUDE (nth, changed) WHERE subject IS NOT NULL`,
      'an index is broken':
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ledger.entry_by_actor'::regclass",
    },
    INDEX_ADDED: { 'another index': 'CREATE INDEX more ON ledger.entry (at)' },
    RULE_ADDED: {
      'entries are not written': 'CREATE RULE aside AS ON INSERT TO ledger.entry DO INSTEAD NOTHING',
      'rows are chosen': 'CREATE POLICY chosen ON ledger.entry USING (false)',
    },
    GRANT_MISSING: {
      'nobody may append': 'REVOKE EXECUTE ON FUNCTION ledger.append(integer, text) FROM access_ledger_writer',
    },
    GRANT_CHANGED: { 'readers give rights': 'GRANT SELECT ON ledger.entry TO access_ledger_reader WITH GRANT OPTION' },
    GRANT_ADDED: {
      'the writer inserts entries': 'GRANT INSERT ON ledger.entry TO access_ledger_writer',
      'everybody reads values': 'GRANT SELECT ON registry.record_version TO PUBLIC',
      'the writer edits a column': 'GRANT UPDATE (sealed) ON registry.record_version TO access_ledger_writer',
      'everybody appends': 'GRANT EXECUTE ON FUNCTION ledger.refuse() TO PUBLIC',
      'everybody sees the registry': 'GRANT USAGE ON SCHEMA registry TO PUBLIC',
      'everybody makes temporary tables': 'GRANT TEMPORARY ON DATABASE %database% TO PUBLIC',
      'later functions are everybody’s':
        'ALTER DEFAULT PRIVILEGES FOR ROLE access_ledger_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
      'migrations are forgotten': 'GRANT DELETE ON public.migration TO access_ledger_writer',
    },
  };

  const access: Partial<Record<DoctorCode, Record<string, string>>> = {
    SUPERUSER: {
      'another superuser': 'CREATE ROLE doctor_test LOGIN SUPERUSER',
      'a login that becomes one':
        'CREATE ROLE doctor_boss SUPERUSER; CREATE ROLE doctor_test LOGIN; GRANT doctor_boss TO doctor_test',
      'a login that runs programs': 'CREATE ROLE doctor_test LOGIN; GRANT pg_execute_server_program TO doctor_test',
    },
    LOGIN_WRITES_LOG: {
      'a login may become the owner':
        'CREATE ROLE doctor_test LOGIN NOINHERIT; GRANT access_ledger_owner TO doctor_test',
      'a login writes everything': 'CREATE ROLE doctor_test LOGIN; GRANT pg_write_all_data TO doctor_test',
    },
    LOGIN_HOLDS_TOO_MUCH: {
      'the server’s login bypasses row security': `ALTER ROLE ${LOGIN.user} BYPASSRLS`,
      'the server’s login replicates': `ALTER ROLE ${LOGIN.user} REPLICATION`,
      'the server’s login reads files': `GRANT pg_read_server_files TO ${LOGIN.user}`,
    },
    LOGIN_UNKNOWN: {
      'another login writes': 'CREATE ROLE doctor_test LOGIN; GRANT access_ledger_writer TO doctor_test',
    },
    TRIGGERS_OFF: {
      'for a database': 'ALTER DATABASE %database% SET session_replication_role = replica',
      'for a role': `ALTER ROLE ${LOGIN.user} SET session_replication_role = replica`,
    },
    REPLICATION_WRITES: {
      'a subscription': `CREATE SUBSCRIPTION doctor_test CONNECTION 'dbname=nowhere' PUBLICATION nothing WITH (connect = false);
        SET allow_system_table_mods = on;
        INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'ledger.entry'::regclass, 'r' FROM pg_subscription
          WHERE subname = 'doctor_test'`,
    },
    MIGRATION_MISSING: {
      'the newest': 'DELETE FROM public.migration WHERE id = (SELECT max(id) FROM public.migration)',
    },
    MIGRATION_UNKNOWN: {
      'a later one': "INSERT INTO public.migration (timestamp, name) VALUES (99, 'more-0000000000099')",
    },
    EVENT_CHANGED: {
      'an end of permissions ends none': "UPDATE ledger.event SET changes_facts = false WHERE name = 'grant.revoked'",
      'an event is unknown': "DELETE FROM ledger.event WHERE name = 'record.read'",
      'an event of nobody’s': "INSERT INTO ledger.event VALUES ('record.leaked', false)",
    },
    UNREADABLE: { 'a column that checkpoints need': 'ALTER TABLE ledger.checkpoint DROP COLUMN staged_at CASCADE' },
  };

  const rows: Partial<Record<DoctorCode, Record<string, () => string>>> = {
    VERSION_WITHOUT_ENTRY: {
      'a leaf that names no version of this world': () =>
        past(
          'ledger.entry',
          `UPDATE ledger.entry SET leaf = replace(leaf, '"version":1}', '"version":99999999999}') WHERE event = 'record.created' AND subject = '${it$.subject}'`,
        ),
      'a leaf that names no record of this world': () =>
        past(
          'ledger.entry',
          `UPDATE ledger.entry SET leaf = replace(leaf, '${it$.record}', '${it$.record.replace(/-/, '')}-') WHERE event = 'record.created' AND subject = '${it$.subject}'`,
        ),
      'a value under another entry': () =>
        past(
          'registry.record_version',
          `UPDATE registry.record_version SET entry = (SELECT id FROM ledger.entry WHERE event = 'record.created' AND index < 300 LIMIT 1)
           WHERE record = '${it$.record}' AND version = 2`,
        ),
      'a value under no entry': () =>
        past(
          'registry.record_version',
          `UPDATE registry.record_version SET entry = gen_random_uuid() WHERE record = '${it$.record}'`,
        ),
    },
    ENTRY_WITHOUT_VERSION: {
      'a value is gone': () =>
        past(
          'registry.record_version',
          `DELETE FROM registry.record_version WHERE record = '${it$.record}' AND version = 1`,
        ),
      'a change is gone': () =>
        past(
          'registry.record_version',
          `DELETE FROM registry.record_version WHERE record = '${it$.record}' AND version = 2`,
        ),
    },
    ROW_WITHOUT_ENTRY: {
      'a grant that nobody approved': () =>
        past(
          'registry.need_to_know_grant',
          `UPDATE registry.need_to_know_grant SET entry = (SELECT id FROM ledger.entry LIMIT 1) WHERE id = '${it$.grant}'`,
        ),
      'a revocation that nobody entered': () =>
        past(
          'registry.need_to_know_grant',
          `UPDATE registry.need_to_know_grant SET revocation = entry WHERE id = '${it$.grant}'`,
        ),
      'an engagement that nobody began': () =>
        past(
          'registry.engagement',
          `UPDATE registry.engagement SET entry = gen_random_uuid() WHERE id = ${AN_ENGAGEMENT}`,
        ),
      'an engagement that nobody ended': () =>
        past(
          'registry.engagement',
          `UPDATE registry.engagement SET ended_at = now(), ending = entry WHERE id = ${AN_ENGAGEMENT}`,
        ),
      'a request that nobody made': () =>
        past(
          'registry.need_to_know_request',
          `INSERT INTO registry.need_to_know_request SELECT gen_random_uuid(), g.staff, g.purpose, NULL, now(),
             now() + interval '1 day', g.entry FROM registry.need_to_know_grant g WHERE g.id = '${it$.grant}'`,
        ),
      'categories that nobody called essential': () =>
        past(
          'registry.essential_categories',
          "INSERT INTO registry.essential_categories SELECT service, 2, '{}', entry FROM registry.essential_categories",
        ),
      'a choice that nobody made': () =>
        past(
          'registry.category_choice',
          `INSERT INTO registry.category_choice SELECT log, id, 'user.name', 1, 'ACCEPTED', entry FROM registry.subject LIMIT 1`,
        ),
      'a cookie that nobody declared': () =>
        past(
          'registry.cookie',
          "INSERT INTO registry.cookie SELECT key, 'spy', 'ESSENTIAL', NULL, entry FROM registry.service",
        ),
      'a preference that nobody set': () =>
        past(
          'registry.cookie_preference',
          `INSERT INTO registry.cookie_preference
             SELECT log, id, 'diagrams', 1, 'ACCEPT_ALL', registered_at, entry FROM registry.subject LIMIT 1`,
        ),
      'a consent that nobody gave': () =>
        past(
          'registry.consent',
          `UPDATE registry.consent SET entry = (SELECT id FROM ledger.entry WHERE index = 0)
           WHERE id = (SELECT id FROM registry.consent LIMIT 1)`,
        ),
      'a withdrawal that nobody entered': () =>
        past(
          'registry.consent_version',
          `INSERT INTO registry.consent_version (log, consent, version, act, at, entry)
           SELECT log, consent, 2, 'WITHDRAWN', at, entry FROM registry.consent_version LIMIT 1`,
        ),
      'an identity that was nobody’s': () =>
        past(
          'registry.identity',
          "UPDATE registry.identity SET entry = (SELECT id FROM ledger.entry LIMIT 1) WHERE kind = 'staff'",
        ),
      'a purpose that nobody declared': () =>
        past(
          'registry.purpose',
          `INSERT INTO registry.purpose VALUES ('spying', 'Spying', '', '3.1', NULL, (SELECT id FROM ledger.entry WHERE event = 'purpose.declared' LIMIT 1))`,
        ),
      'a person whom nobody registered': () =>
        past(
          'registry.subject',
          `UPDATE registry.subject SET entry = (SELECT id FROM ledger.entry WHERE index = 0) WHERE id = '${it$.subject}'`,
        ),
      'a verification that somebody else asked for': () =>
        past('ledger.verification', 'UPDATE ledger.verification SET reviewer = gen_random_uuid()'),
      'a verification of another’s entry': () =>
        past(
          'ledger.verification',
          `INSERT INTO ledger.verification (id, log, entry, reviewer, requested_at, held, notes, state, attempts, entries)
           SELECT gen_random_uuid(), log, entry, reviewer, requested_at, held, notes, state, attempts, entries FROM ledger.verification`,
        ),
    },
    ENTRY_WITHOUT_ROW: {
      'a person is gone': () => past('registry.subject', `DELETE FROM registry.subject WHERE id = '${it$.erased}'`),
    },
    NOT_ERASED: {
      'a value is back': () =>
        past(
          'registry.record_version',
          `INSERT INTO registry.record_version SELECT e.log, '${it$.erasedRecord}', 1, e.subject, 'user.name', 'EMAIL', decode(repeat('01', 40), 'hex'), e.id
           FROM ledger.entry e WHERE e.subject = '${it$.erased}' AND e.event = 'record.created'`,
        ),
      'a key is back': () =>
        past(
          'registry.subject_key',
          `INSERT INTO registry.subject_key VALUES (1, '${it$.erased}', '${gate.kek.id}', decode(repeat('01', 61), 'hex'))`,
        ),
    },
    ERASURE_LEFT: {
      'a deletion held to nothing': () =>
        past('registry.erasure', `INSERT INTO registry.erasure VALUES (1, '${it$.subject}', 'record_version', '{}')`),
    },
    KEY_MISSING: {
      'a key is gone': () =>
        past('registry.subject_key', `DELETE FROM registry.subject_key WHERE subject = '${it$.subject}'`),
    },
    VALUE_UNSEALED: {
      'a value in the clear': () =>
        past(
          'registry.record_version',
          `UPDATE registry.record_version SET sealed = convert_to('Ana María Ruiz, calle de Alcalá', 'UTF8') WHERE record = '${it$.record}' AND version = 2`,
        ),
      'too short a value': () =>
        past(
          'registry.record_version',
          `UPDATE registry.record_version SET sealed = substr(sealed, 1, 28) WHERE record = '${it$.record}' AND version = 2`,
        ),
    },
    KEY_UNWRAPPED: {
      'a key in the clear': () =>
        past(
          'registry.subject_key',
          `UPDATE registry.subject_key SET wrapped = decode(repeat('ab', 61), 'hex') WHERE subject = '${it$.subject}'`,
        ),
    },
    CHECKPOINT_LAGS: {
      'nobody publishes': () =>
        past('ledger.entry', "UPDATE ledger.entry SET at = at - interval '1 hour' WHERE index = 0"),
      'what was published is old': () =>
        past(
          'ledger.entry',
          `SELECT; ${staged(3, "'x'")}; UPDATE ledger.entry SET at = at - interval '1 hour' WHERE index = 3`,
        ),
    },
    CHECKPOINT_UNSIGNED: { 'nobody signs': () => staged(3, 'NULL') },
    CHECKPOINT_AHEAD: { 'the tail was cut': () => staged(1_000_000, "'x'") },
  };

  const staged = (size: number, note: string) =>
    `INSERT INTO ledger.checkpoint (size, log, root, staged_at, note) VALUES
      (${size}, 1, decode(repeat('00', 32), 'hex'), now() - interval '1 hour', ${note})`;

  async function mutate(sql: string): Promise<void> {
    await client.query('SET LOCAL allow_system_table_mods = on');
    await client.query(sql.replaceAll('%database%', new URL(gate.database.superuserUrl).pathname.slice(1)));
  }

  /** What else one of them is, told as well. */
  const ALSO: Readonly<Record<string, readonly DoctorCode[]>> = {
    'the owner may log in': ['LOGIN_WRITES_LOG'],
    'the writer is a superuser': ['SUPERUSER'],
    'the reader replicates and makes roles': ['LOGIN_HOLDS_TOO_MUCH'],
    'the writer may become the owner': ['LOGIN_WRITES_LOG'],
    'the reader writes everything': ['LOGIN_WRITES_LOG'],
    'a schema is another’s': ['GRANT_MISSING'],
    'the log is the writer’s': ['GRANT_MISSING', 'LOGIN_WRITES_LOG'],
    'the writer inserts entries': ['LOGIN_WRITES_LOG'],
    'a column that checkpoints need': ['COLUMN_MISSING'],
    'a value under another entry': ['ENTRY_WITHOUT_VERSION'],
    'a value under no entry': ['ENTRY_WITHOUT_VERSION'],
  };

  for (const [code, cases] of Object.entries({ ...objects, ...access, ...rows })) {
    for (const [title, sql] of Object.entries(cases)) {
      it(`${code}: ${title}`, async () => {
        await undone(async () => {
          await mutate(typeof sql === 'string' ? sql : sql());
          const diagnosis = await examined();
          expect(new Set(codes(diagnosis))).to.deep.equal(new Set([code, ...(ALSO[title] ?? [])]));
          expect(diagnosis.healthy).to.equal(code in CODES && CODES[code as keyof typeof CODES] === 'notice');
          for (const { what, remedy } of diagnosis.findings) expect(`${what}${remedy}`).to.match(/^[^\n]+$/);
          if (diagnosis.findings.some(({ sql }) => sql === undefined)) return;
          for (const { sql } of diagnosis.findings) await mutate(sql!);
          expect((await examined()).findings).to.deep.equal([]);
        });
      });
    }
  }

  it('tells of clocks that differ by more than a second, either way, and never by less than it took to ask', async () => {
    const off = (ms: number) => undone(async () => codes(await examined({ now: () => new Date(Date.now() + ms) })));
    expect(await off(2_500)).to.deep.equal(['CLOCK_OFF']);
    expect(await off(-2_500)).to.deep.equal(['CLOCK_OFF']);
    expect(await off(500)).to.deep.equal([]);
    let asked = 0;
    const slow = () => new Date(Date.now() + (asked++ === 0 ? -5_000 : 0));
    expect(await undone(async () => codes(await examined({ now: slow })))).to.deep.equal([]);
  });

  it('tells of KEKs that retire, have retired, or that the file does not have; and which wraps what', async () => {
    const until = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const with$ = (keks: Examination['keks']) => undone(() => examined({ keks }));
    const kek = (days: number, current = true) => ({ id: gate.kek.id, retires: until(days), current });
    const next = { id: 'next', retires: until(300), current: true };
    expect(codes(await with$([kek(31)]))).to.deep.equal([]);
    expect(codes(await with$([kek(29)]))).to.deep.equal(['KEK_RETIRES_SOON']);
    expect((await with$([kek(29)])).healthy).to.equal(true);
    expect(codes(await with$([kek(0)]))).to.deep.equal(['KEK_RETIRED']);
    expect(codes(await with$([kek(-9, false), next]))).to.deep.equal([]);
    const without = await with$([next]);
    expect(codes(without)).to.deep.equal(['KEK_UNKNOWN']);
    expect(without.keks).to.deep.equal([
      { kek: gate.kek.id, wraps: 101, retires: null },
      { kek: 'next', wraps: 0, retires: next.retires },
    ]);
    const unsaid = await with$(null);
    expect([codes(unsaid), unsaid.unchecked.length]).to.deep.equal([[], 1]);
  });

  it('takes one writing login for the server’s where nobody says, and of several says that it does not know', async () => {
    await undone(async () => {
      expect((await examined({ servers: null })).unchecked).to.deep.equal([]);
      await mutate('CREATE ROLE doctor_test LOGIN; GRANT access_ledger_writer TO doctor_test');
      const { findings, unchecked } = await examined({ servers: null });
      expect([findings, unchecked.length]).to.deep.equal([[], 1]);
      expect(unchecked[0]).to.include(`${LOGIN.user}, doctor_test`);
      expect(codes(await examined({ servers: [LOGIN.user, 'doctor_test'] }))).to.deep.equal([]);
    });
  });

  it('goes through a table in stretches, counts what is wrong in all of them, and lists some', async () => {
    await undone(async () => {
      await mutate(past('registry.record_version', 'UPDATE registry.record_version SET entry = gen_random_uuid()'));
      const versions = WALKS.find(({ table }) => table === 'registry.record_version')!;
      const blocks = await blocksOf(client, versions.table);
      const shares: number[] = [];
      const few = await walk(client, versions, blocks, (_, share) => shares.push(share), 1);
      const once = await walk(client, versions, blocks, () => {});
      expect(few.rows).to.equal(once.rows).and.to.be.greaterThan(200);
      expect(few.wrong.map(({ code, count }) => ({ code, count }))).to.deep.equal([
        { code: 'VERSION_WITHOUT_ENTRY', count: few.rows },
      ]);
      expect(few.wrong[0]!.places).to.have.length(MOST_PLACES);
      expect(shares)
        .to.have.length(blocks)
        .and.to.deep.equal([...shares].sort((a, b) => a - b));
      expect([blocks > 3, shares.at(-1)]).to.deep.equal([true, 1]);
      const [finding] = (await examined()).findings;
      expect(finding).to.include({ count: few.rows });
      expect(finding!.what).to.include(`and ${few.rows - 1} more`);
    });
  });

  it('says that a database without a log is none to examine', async () => {
    await undone(async () => {
      await mutate('DROP SCHEMA registry CASCADE; DROP SCHEMA ledger CASCADE');
      const error = await examined().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(DoctorError).and.to.have.property('code', 'NO_LOG');
    });
  });
});
