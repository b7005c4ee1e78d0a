import { expect } from 'chai';
import pg from 'pg';
import { formatBody } from '../../src/log/entry.js';
import { EVENTS } from '../../src/log/event.js';
import { LOGIN, someBody, type TestLedger, testLedger } from '../support/ledger.js';

/** What the server's two roles, and the reviewers', are able to do with the database itself. */
describe('roles', () => {
  let log: TestLedger;
  before(async () => {
    log = await testLedger();
    await log.ledger.append([someBody({ asOf: 0 })]);
  });
  after(() => log.close());

  const roles = ['access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer'] as const;
  const entry = `(log, index, id, link, leaf, actor, event, outcome, request, at) VALUES
    (1, 1, gen_random_uuid(), decode(repeat('00', 32), 'hex'), 'x', gen_random_uuid(), 'record.read', 'permitted', gen_random_uuid(), now())`;

  for (const role of roles) {
    for (const [what, sql] of Object.entries({
      'insert an entry': `INSERT INTO ledger.entry ${entry}`,
      'update an entry': "UPDATE ledger.entry SET event = 'x'",
      'delete an entry': 'DELETE FROM ledger.entry',
      'truncate the log': 'TRUNCATE ledger.entry CASCADE',
      'lock the head': 'SELECT FROM ledger.head FOR UPDATE',
      'open a log': "INSERT INTO ledger.head VALUES (2, 'other')",
      'declare an event': "INSERT INTO ledger.event VALUES ('record.leaked', false)",
      'drop a trigger': 'DROP TRIGGER append_only ON ledger.entry',
      'disable triggers': 'ALTER TABLE ledger.entry DISABLE TRIGGER ALL',
      'replicate past triggers': 'SET session_replication_role = replica',
      'replace the function': "CREATE OR REPLACE FUNCTION ledger.append(integer, text) RETURNS void LANGUAGE sql AS ''",
      'call what append calls': 'SELECT ledger.spelt(NULL)',
      'make a temporary table': 'CREATE TEMPORARY TABLE entry (x int)',
      'make a schema': 'CREATE SCHEMA shadow',
      'make a table in public': 'CREATE TABLE public.entry (x int)',
      'update a sealed value': "UPDATE registry.record_version SET sealed = ''",
      'update a record': 'UPDATE registry.record SET version = 9',
      'move a record': 'UPDATE registry.record SET subject = gen_random_uuid()',
      'rewrite a key': "UPDATE registry.subject_key SET wrapped = ''",
      'hide what it deletes': 'DELETE FROM registry.erasure',
      'forget a migration': 'DELETE FROM public.migration',
    })) {
      it(`${role} cannot ${what}`, async () => {
        const error = await log.as(role, sql).then(
          () => null,
          (thrown: pg.DatabaseError) => thrown,
        );
        expect(error, 'it was allowed').to.be.an('error');
        expect(error!.code).to.be.oneOf(['42501', '25006'], error!.message);
      });
    }
  }

  it('only the writer may append', async () => {
    const line = formatBody(someBody({ asOf: 0 }));
    for (const role of ['access_ledger_reader', 'access_ledger_reviewer'] as const) {
      const error = await log
        .as(role, 'SELECT * FROM ledger.append(1, $1)', [line])
        .catch((thrown: pg.DatabaseError) => thrown);
      expect(error).to.have.property('code', '42501');
    }
    expect(await log.as('access_ledger_writer', 'SELECT * FROM ledger.append(1, $1)', [line])).to.have.length(1);
  });

  it('the reviewer reads the log and nothing about anybody’s data', async () => {
    expect(await log.as('access_ledger_reviewer', 'SELECT * FROM ledger.entry LIMIT 1')).to.have.length(1);
    const error = await log
      .as('access_ledger_reviewer', 'SELECT FROM registry.record_version')
      .catch((e: pg.DatabaseError) => e);
    expect(error).to.have.property('code', '42501');
  });

  for (const sql of [
    'UPDATE ledger.entry SET event = event',
    'DELETE FROM ledger.entry',
    'TRUNCATE ledger.entry CASCADE',
  ]) {
    it(`a superuser’s ${sql.split(' ')[0]} is refused by the trigger, even as a replica`, async () => {
      const client = new pg.Client({ connectionString: log.superuserUrl });
      await client.connect();
      await client.query('SET session_replication_role = replica');
      const error = await client.query(sql).catch((thrown: pg.DatabaseError) => thrown);
      await client.end();
      expect(error).to.have.property('code', 'AL006');
    });
  }

  it('a value cannot be committed without an entry that stands', async () => {
    const error = await log
      .as(
        'access_ledger_writer',
        `WITH s AS (INSERT INTO registry.service VALUES ('web', 'Web', '2012-01-16', gen_random_uuid()))
         INSERT INTO registry.subject (log, id, service, entry, registered_at)
         SELECT 1, gen_random_uuid(), 'web', gen_random_uuid(), now()`,
      )
      .catch((thrown: pg.DatabaseError) => thrown);
    expect(error).to.have.property('code', '23503');
  });

  it('no search path and no shadow makes the writer write elsewhere', async () => {
    const client = new pg.Client({ connectionString: log.superuserUrl });
    await client.connect();
    await client.query(`CREATE SCHEMA shadow; CREATE TABLE shadow.entry (LIKE ledger.entry);
      CREATE FUNCTION shadow.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT decode(repeat(''00'', 32), ''hex'')';
      GRANT ALL ON SCHEMA shadow TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA shadow TO PUBLIC`);
    await client.query('CREATE TEMPORARY TABLE entry (LIKE ledger.entry); GRANT ALL ON entry TO PUBLIC');
    await client.query('SET search_path = pg_temp, shadow, pg_catalog; SET ROLE access_ledger_writer');
    const line = formatBody(someBody({ asOf: 0 }));
    const { rows } = await client.query('SELECT * FROM ledger.append(1, $1)', [line]);
    await client.query('RESET ROLE; SET search_path = pg_catalog');
    const [mine] = (await client.query('SELECT leaf, link FROM ledger.entry WHERE index = $1', [rows[0].index])).rows;
    const [recomputed] = (
      await client.query("SELECT sha256('\\x00'::bytea || convert_to($1, 'UTF8')) AS link", [mine.leaf])
    ).rows;
    expect(mine.link.equals(recomputed.link)).to.equal(true);
    expect((await client.query('SELECT FROM shadow.entry')).rowCount).to.equal(0);
    expect((await client.query('SELECT FROM pg_temp.entry')).rowCount).to.equal(0);
    await client.end();
  });

  it('the owner can neither log in nor do more than own', async () => {
    const [owner] = await log.sql<object>("SELECT * FROM pg_roles WHERE rolname = 'access_ledger_owner'");
    expect(owner).to.include({
      rolsuper: false,
      rolcanlogin: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolbypassrls: false,
      rolreplication: false,
    });
    const members = await log.sql<{ member: string }>(
      `SELECT m.rolname AS member FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
       JOIN pg_roles r ON r.oid = a.roleid WHERE r.rolname = 'access_ledger_owner'`,
    );
    expect(members.map(({ member }) => member)).to.not.include(LOGIN.user);
  });
});

describe('the catalogue', () => {
  let log: TestLedger;
  before(async () => {
    log = await testLedger();
  });
  after(() => log.close());

  /** Declared for the whole deployment, so they belong to no log. */
  const DEPLOYMENT = [
    'ledger.event',
    'registry.category',
    'registry.cookie',
    'registry.essential_categories',
    'registry.confidentiality_agreement',
    'registry.engagement',
    'registry.identity',
    'registry.legal_basis',
    'registry.need_to_know_grant',
    'registry.need_to_know_request',
    'registry.processor',
    'registry.purpose',
    'registry.purpose_category',
    'registry.service',
    'registry.training_record',
  ];

  it('has the log in every primary, unique and foreign key of what belongs to a log', async () => {
    const keys = await log.sql<{ name: string; key: string; columns: string[] }>(
      `
      SELECT n.nspname || '.' || c.relname AS name, k.conname AS key,
        array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) AS columns,
        coalesce(fn.nspname || '.' || f.relname, '') AS target
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
      WHERE n.nspname IN ('ledger', 'registry') AND k.contype IN ('p', 'u', 'f')
        AND NOT coalesce(fn.nspname || '.' || f.relname, '') = ANY ($1)`,
      [DEPLOYMENT],
    );
    const without = keys.filter(({ name, columns }) => !DEPLOYMENT.includes(name) && !columns.includes('log'));
    expect(without).to.deep.equal([]);
    expect(keys.length).to.be.greaterThan(10);
  });

  it('has the log in every unique index of what belongs to a log', async () => {
    const indexes = await log.sql<{ name: string; definition: string }>(`
      SELECT n.nspname || '.' || c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('ledger', 'registry') AND i.indisunique`);
    const without = indexes.filter(
      ({ name, definition }) => !DEPLOYMENT.includes(name) && !/[( ]log[,)]/.test(definition),
    );
    expect(without).to.deep.equal([]);
  });

  it('lets nobody but the owner own anything, and PUBLIC execute nothing', async () => {
    const foreign = await log.sql(`
      SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
      WHERE n.nspname IN ('ledger', 'registry') AND r.rolname <> 'access_ledger_owner'`);
    expect(foreign).to.deep.equal([]);
    const open = await log.sql(`
      SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname IN ('ledger', 'registry') AND has_function_privilege('public', p.oid, 'EXECUTE')`);
    expect(open).to.deep.equal([]);
    const loose = await log.sql(`
      SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname IN ('ledger', 'registry') AND p.prosqlbody IS NULL -- what has one was bound when it was made
        AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)`);
    expect(loose, 'functions without a search path of their own').to.deep.equal([]);
  });

  it('holds every row that the writer may write to an entry, at COMMIT, even for a superuser who replicates', async () => {
    const open = await log.sql<{ name: string; operation: string }>(`
      SELECT c.relname || ' ' || o.operation AS name
      FROM pg_class c CROSS JOIN (VALUES ('INSERT', 4), ('DELETE', 8), ('UPDATE', 16)) AS o(operation, bit)
      WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r'
        AND (has_table_privilege('access_ledger_writer', c.oid, o.operation)
          OR o.operation = 'UPDATE' AND has_any_column_privilege('access_ledger_writer', c.oid, 'UPDATE'))
        AND NOT EXISTS (SELECT FROM pg_trigger t
          WHERE t.tgrelid = c.oid AND t.tgtype & o.bit > 0 AND t.tgenabled = 'A'
            -- Deletions are put down by the statement, and what is put down is held at COMMIT.
            AND (t.tginitdeferred OR o.operation = 'DELETE' AND t.tgfoid = 'registry.erasing'::regproc
              AND EXISTS (SELECT FROM pg_trigger d WHERE d.tgrelid = 'registry.erasure'::regclass
                AND d.tgfoid = 'registry.erased_under_entry'::regproc AND d.tgenabled = 'A' AND d.tginitdeferred)))
      ORDER BY 1`);
    // A record says nothing by itself: it is no more than what its versions hang on.
    expect(open.map(({ name }) => name)).to.deep.equal(['record DELETE', 'record INSERT']);
  });

  it('has the entry in every table of what is declared or kept', async () => {
    const without = await log.sql<{ name: string }>(`
      SELECT c.relname AS name FROM pg_class c
      WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'entry' AND a.attnotnull)
      ORDER BY 1`);
    // Three belong to a person or a record that has one, and are held to it by triggers. What an erasure puts down is gone
    // when it commits.
    expect(without.map(({ name }) => name)).to.deep.equal(['blind_index', 'erasure', 'record', 'subject_key']);
  });

  it('knows the events that the code knows, and which of them change facts', async () => {
    const events = await log.sql<{ name: string; changes_facts: boolean }>('SELECT * FROM ledger.event ORDER BY name');
    expect(Object.fromEntries(events.map((event) => [event.name, event.changes_facts]))).to.deep.equal(
      Object.fromEntries(Object.entries(EVENTS).map(([name, { changesFacts }]) => [name, changesFacts])),
    );
  });
});
