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
    expect(await setupCode(url('ledger_owner'))).to.equal('LOGIN_HOLDS_TOO_MUCH');
    expect(await setupCode(embedded.url('ledger'))).to.equal('LOGIN_HOLDS_TOO_MUCH');
  });

  it('closes a database that was copied or restored without its privileges', async () => {
    await sql('GRANT TEMPORARY ON DATABASE ledger TO PUBLIC');
    expect(await setupCode(url('ledger_server'))).to.equal('DATABASE_OPEN');
    await migrate(url('ledger_owner'), 'ledger_server', ORIGIN);
    expect(await setupCode(url('ledger_server'))).to.equal(null);
  });
});
