import { expect } from 'chai';
import { isDatabaseError } from '../../src/database/fault.js';
import { openDataSource, openPool, type Role, WrongConnection } from '../../src/database/pools.js';
import { type MigratedDatabase, migratedDatabase } from '../support/ledger.js';

/** A connection is used as what it was opened for, or not at all. */
describe('pools', () => {
  let database: MigratedDatabase;
  before(async () => {
    database = await migratedDatabase();
  });
  after(() => database.drop());

  const withParameter = (name: string, value: string): string => {
    const url = new URL(database.url);
    url.searchParams.set(name, value);
    return url.href;
  };
  const settings = async (role: Role): Promise<unknown> => {
    const pool = openPool(database.url, role, 1);
    try {
      const { rows } = await pool.query(
        `SELECT current_user, current_setting('search_path') AS path, current_setting('transaction_read_only') AS read_only,
           current_setting('lock_timeout') AS lock, current_setting('tcp_user_timeout') AS gone`,
      );
      return rows[0];
    } finally {
      await pool.end();
    }
  };

  it('hold one role each, and only the writer’s may write', async () => {
    const path = 'pg_catalog';
    const reading = { path, read_only: 'on', lock: '0', gone: '0' };
    for (const current_user of ['access_ledger_reader', 'access_ledger_reviewer'] as const) {
      expect(await settings(current_user)).to.deep.equal({ current_user, ...reading });
    }
    expect(await settings('access_ledger_writer'))
      .to.include({ current_user: 'access_ledger_writer', path, read_only: 'off', lock: '5s' })
      .and.property('gone')
      .that.is.oneOf(['15s', '0']); // not every system has it
  });

  // A pooler that drops the options leaves a connection as the first of these does.
  for (const [options, differing] of Object.entries({
    '-c application_name=x': 'role',
    '-c role=access_ledger_writer': 'role',
    '-c role=access_ledger_reader -c search_path=public': 'search_path',
    '-c role=access_ledger_reader -c search_path=pg_catalog': 'default_transaction_read_only',
  })) {
    it(`use no connection whose options are made ${options}`, async () => {
      const url = withParameter('options', options);
      const pool = openPool(url, 'access_ledger_reader', 1);
      const thrown = await pool.query('SELECT').catch((error: unknown) => error);
      expect(thrown).to.be.instanceOf(WrongConnection);
      expect((thrown as WrongConnection).settings).to.include(differing);
      expect(isDatabaseError(thrown)).to.equal(true);
      expect(pool.totalCount).to.equal(0);
      await pool.end();
      const source = await openDataSource(url, 'access_ledger_reader', 1, []).catch((error: unknown) => error);
      expect(source).to.be.instanceOf(WrongConnection);
    });
  }

  it('give up a connection whose timeouts were turned off', async () => {
    const pool = openPool(withParameter('lock_timeout', '3600000'), 'access_ledger_writer', 1);
    const thrown = await pool.query('SELECT').catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(WrongConnection).with.deep.property('settings', ['lock_timeout']);
    await pool.end();
  });
});
