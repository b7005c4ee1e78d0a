import { expect } from 'chai';
import pg from 'pg';
import { type Embedded, startEmbedded } from '../../src/database/embedded.js';
import { checkSetup, migrate, SetupError } from '../../src/database/migrating.js';
import { closeFolder, openFolder } from '../support/postgres.js';

const ORIGIN = 'localhost/test';

/** On a cluster of its own: roles belong to the cluster, and here nobody made them before. */
describe('migrating', function () {
  this.timeout(60_000);
  let folder: string;
  let embedded: Embedded;
  before(async () => {
    folder = await openFolder();
    embedded = await startEmbedded({ dataDir: folder, durable: false });
    await sql(`CREATE ROLE ledger_owner LOGIN PASSWORD 'x' CREATEROLE`);
    await sql(`CREATE ROLE ledger_server LOGIN PASSWORD 'x'`);
    await sql('CREATE DATABASE ledger OWNER ledger_owner');
  });
  after(async () => {
    await embedded.stop();
    await closeFolder(folder);
  });

  async function sql(text: string, database = 'postgres'): Promise<void> {
    const client = new pg.Client({ connectionString: embedded.url(database) });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }

  function url(user: string, database = 'ledger'): string {
    const login = new URL(embedded.url(database));
    login.username = user;
    login.password = 'x';
    return login.href;
  }

  const setupCode = (login: string, origin = ORIGIN) =>
    checkSetup(login, origin).then(
      () => null,
      (error: unknown) => {
        if (error instanceof SetupError) return error.code;
        throw error;
      },
    );

  it('is done by a login that owns the database and may create roles, and is no superuser', async () => {
    expect(await setupCode(url('ledger_server'))).to.equal('NOT_MIGRATED');
    await migrate(url('ledger_owner'), 'ledger_server', ORIGIN);
    expect(await setupCode(url('ledger_server'))).to.equal(null);
  });

  it('is done once, by however many processes that start at the same moment', async () => {
    await sql('CREATE DATABASE race OWNER ledger_owner');
    await Promise.all(Array.from({ length: 4 }, () => migrate(url('ledger_owner', 'race'), 'ledger_server', ORIGIN)));
    expect(await setupCode(url('ledger_server', 'race'))).to.equal(null);
  });

  it('changes nothing when it is done again, not even the origin', async () => {
    await migrate(url('ledger_owner'), 'ledger_server', 'other.example.com');
    expect(await setupCode(url('ledger_server'))).to.equal(null);
    expect(await setupCode(url('ledger_server'), 'other.example.com')).to.equal('ORIGIN_DIFFERS');
  });

  it('does not let the server run as more, or as less, than it has to be', async () => {
    await sql(`CREATE ROLE stranger LOGIN PASSWORD 'x'`);
    expect(await setupCode(url('stranger'))).to.equal('LOGIN_LACKS_ROLES');
    await sql('GRANT access_ledger_writer, access_ledger_reader TO stranger');
    expect(await setupCode(url('stranger')), 'it verifies as a reviewer').to.equal('LOGIN_LACKS_ROLES');
    await sql('GRANT access_ledger_reviewer TO stranger');
    expect(await setupCode(url('stranger'))).to.equal(null);
    expect(await setupCode(url('ledger_owner'))).to.equal('LOGIN_HOLDS_TOO_MUCH');
    expect(await setupCode(embedded.url('ledger'))).to.equal('LOGIN_HOLDS_TOO_MUCH');
  });

  for (const [what, grant] of Object.entries({
    'write every table': 'GRANT pg_write_all_data TO %',
    'become one that may write every table, and inherits nothing of it':
      'GRANT pg_write_all_data TO dba; ALTER ROLE % NOINHERIT; GRANT dba TO %',
    'become a superuser': 'ALTER ROLE dba SUPERUSER; GRANT dba TO %',
    'make roles by becoming another': 'ALTER ROLE dba CREATEROLE; GRANT dba TO %',
    'become the owner by becoming another': 'GRANT access_ledger_owner TO dba; GRANT dba TO %',
    'run programs of the server’s machine': 'GRANT pg_execute_server_program TO %',
    'insert entries': 'GRANT INSERT ON ledger.entry TO %',
    'insert a column of entries': 'GRANT INSERT (leaf) ON ledger.entry TO %',
    'truncate the log': 'GRANT TRUNCATE ON ledger.entry TO %',
    'own the database': 'ALTER DATABASE ledger OWNER TO %',
    'become the owner of the database': 'GRANT ledger_owner TO %',
    replicate: 'ALTER ROLE % REPLICATION',
    'read files of the server’s machine': 'GRANT pg_read_server_files TO %',
    'move the head': 'GRANT UPDATE ON ledger.head TO %',
  })) {
    it(`does not let a login serve that may ${what}`, async () => {
      await sql("CREATE ROLE dba; CREATE ROLE too_much LOGIN PASSWORD 'x'");
      try {
        await sql('GRANT access_ledger_writer, access_ledger_reader, access_ledger_reviewer TO too_much');
        expect(await setupCode(url('too_much'))).to.equal(null);
        await sql(grant.replaceAll('%', 'too_much'), 'ledger');
        expect(await setupCode(url('too_much'))).to.equal('LOGIN_HOLDS_TOO_MUCH');
      } finally {
        await sql(
          'ALTER DATABASE ledger OWNER TO ledger_owner; DROP OWNED BY too_much; DROP ROLE too_much; DROP ROLE dba',
          'ledger',
        );
      }
    });
  }

  it('closes a database that was copied or restored without its privileges', async () => {
    await sql('GRANT TEMPORARY ON DATABASE ledger TO PUBLIC');
    expect(await setupCode(url('ledger_server'))).to.equal('DATABASE_OPEN');
    await migrate(url('ledger_owner'), 'ledger_server', ORIGIN);
    expect(await setupCode(url('ledger_server'))).to.equal(null);
  });
});
