import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { firstClosed, giveTo } from '../../../src/database/embedded/account.js';
import { EmbeddedPostgresError, startEmbedded } from '../../../src/database/embedded.js';
import { ask, closeFolder, openFolder } from '../../support/postgres.js';
import { canPlay, endPrograms, NOBODY, program, STARTS, said } from '../../support/program.js';

describe('the account that PostgreSQL runs as', () => {
  let dataDir: string;
  beforeEach(async function () {
    if (!(await canPlay(NOBODY))) this.skip();
    dataDir = await openFolder();
  });
  afterEach(async () => {
    await endPrograms();
    if (dataDir) await closeFolder(dataDir);
  });

  it('is not root, and has none of root’s groups', async () => {
    const { pid } = await startEmbedded({ dataDir, durable: false });
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).to.match(/^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
    expect(status).to.match(/^Groups:\s*$/m);
  });

  it('is one’s own for an ordinary user, in a folder closed to all others', async () => {
    await chmod(dataDir, 0o700);
    await giveTo(NOBODY, dataDir);
    const url = await said(program(STARTS, { dataDir, durable: false }, NOBODY));
    expect(await ask(url, 'SELECT 7 AS it')).to.equal(7);
    expect((await stat(join(dataDir, 'postgres', 'base'))).uid).to.equal(NOBODY.uid);
  });

  it('stays who began the folder when root starts it, and can go on alone', async () => {
    await giveTo(NOBODY, dataDir);
    const url = await said(program(STARTS, { dataDir, durable: false }, NOBODY));
    const taken = await startEmbedded({ dataDir, durable: false });
    expect([taken.adopted, taken.url()]).to.deep.equal([true, url]);
    await taken.stop();
    const again = await startEmbedded({ dataDir, durable: false });
    expect(again.adopted).to.equal(false);
    expect((await stat(join(dataDir, 'postgres', 'postmaster.pid'))).uid).to.equal(NOBODY.uid);
    await again.stop();
    expect(await said(program(STARTS, { dataDir, durable: false }, NOBODY))).to.match(/^postgres:/);
  });

  it('gets back the files that a restored copy left to root', async () => {
    await (await startEmbedded({ dataDir, durable: false })).stop();
    await giveTo({ uid: 0, gid: 0 }, join(dataDir, 'postgres'));
    expect((await startEmbedded({ dataDir, durable: false })).adopted).to.equal(false);
  });

  it('cannot use a folder that is another’s', async () => {
    await (await startEmbedded({ dataDir, durable: false })).stop();
    expect(await said(program(STARTS, { dataDir, durable: false }, NOBODY))).to.equal('FOLDER_UNREACHABLE');
  });

  it('is told apart from root by the folders it cannot enter: one line says which, and what to set', async () => {
    await chmod(dataDir, 0o700);
    expect(await firstClosed(join(dataDir, 'a', 'b'), NOBODY)).to.equal(dataDir);
    const error: unknown = await startEmbedded({ dataDir: join(dataDir, 'a', 'b') }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EmbeddedPostgresError).with.property('code', 'FOLDER_UNREACHABLE');
    expect(error)
      .to.have.property('message')
      .that.contains('DATA_DIR')
      .and.contains(dataDir)
      .and.does.not.contain('\n');
  });
});
