import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findEmbedded } from '../../src/database/embedded.js';
import { SetupError } from '../../src/database/migrating.js';
import { readConfig } from '../../src/server/config.js';
import { type Database, openDatabase } from '../../src/server/database.js';
import { ask, closeFolder, openFolder } from '../support/postgres.js';

describe('the server’s database', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await openFolder();
  });
  afterEach(() => closeFolder(dataDir));

  const open = (env: Record<string, string> = {}, signal = new AbortController().signal): Promise<Database> =>
    openDatabase(readConfig({ DATA_DIR: dataDir, ...env }), { tell: () => {}, signal });

  it('stays under a first server when a second fails to start, or stops', async () => {
    const first = await open();
    const failed = await open({ LOG_ORIGIN: 'other.example.com' }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(SetupError).with.property('code', 'ORIGIN_DIFFERS');
    expect(await ask(first.url, 'SELECT 7 AS it')).to.equal(7);
    const second = await open();
    await second.stop();
    expect(await ask(first.url, 'SELECT 7 AS it')).to.equal(7);
    await first.stop();
    expect(await findEmbedded(dataDir)).to.deep.equal({ running: null });
  });

  it('is made once by however many servers that start at once, and their login is the same', async () => {
    for (const from of ['nothing', 'rest']) {
      const all = await Promise.all(Array.from({ length: 4 }, () => open()));
      expect(new Set(all.map(({ url }) => url)), from).to.have.length(1);
      expect(await ask(all[0]!.url, 'SELECT current_user AS it')).to.equal('access_ledger_server');
      await Promise.all(all.map((one) => one.stop()));
    }
  });

  it('gives its login another password when the file of the first is lost, and otherwise leaves it', async () => {
    const stored = `SELECT rolpassword AS it FROM pg_authid WHERE rolname = 'access_ledger_server'`;
    const superuser = async () => (await findEmbedded(dataDir))!.running!.url();
    const first = await open();
    const before = await ask(await superuser(), stored);
    const second = await open();
    expect(await ask(await superuser(), stored)).to.equal(before);
    await second.stop();
    rmSync(join(dataDir, 'server-login'));
    const third = await open();
    expect(third.url).to.not.equal(first.url);
    expect(await ask(third.url, 'SELECT 7 AS it')).to.equal(7);
    await third.stop();
    await first.stop();
  });

  it('is stopped again where its start is broken off', async () => {
    const stopping = new AbortController();
    const opening = open({}, stopping.signal).catch((error: unknown) => error);
    stopping.abort();
    expect(await opening).to.equal(stopping.signal.reason);
    expect(await findEmbedded(dataDir)).to.deep.equal({ running: null });
  });
});
