import { chmod, cp, lstat, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { accountFor, giveTo } from '../../../src/database/embedded/account.js';
import { packageRoot, usableBinaries } from '../../../src/database/embedded/binaries.js';
import { run } from '../../../src/database/embedded/program.js';
import { EmbeddedPostgresError } from '../../../src/database/embedded.js';
import { closeFolder, codeOf, openFolder } from '../../support/postgres.js';
import { canPlay, endPrograms, NOBODY, program, said } from '../../support/program.js';

const FINDS = `
  import { usableBinaries } from '${new URL('../../../src/database/embedded/binaries.ts', import.meta.url)}';
  const run = ({ dataDir, root }) => usableBinaries(dataDir, null, root).then((it) => it.postgres);`;

describe('PostgreSQL’s binaries', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await openFolder();
  });
  afterEach(async () => {
    await endPrograms();
    await closeFolder(folder);
  });

  it('are the package’s own where they run', async () => {
    const { postgres } = await usableBinaries(folder, null);
    expect(postgres).to.equal(join(packageRoot(), 'native', 'bin', 'postgres'));
  });

  it('get their links back after an npm that ran no scripts', async () => {
    const root = await packageWithoutLinks(join(folder, 'package'));
    const { postgres } = await usableBinaries(folder, null, root);
    expect(postgres).to.equal(join(root, 'native', 'bin', 'postgres'));
    expect(await missingLinks(root)).to.deep.equal([]);
  });

  it('are copied where the package lacks its links and is not ours to change', async function () {
    if (!(await canPlay(NOBODY))) this.skip();
    const root = await packageWithoutLinks(join(folder, 'package'));
    const dataDir = join(folder, 'data');
    await mkdir(dataDir);
    await giveTo(NOBODY, dataDir);
    const postgres = await said(program(FINDS, { dataDir, root }, NOBODY));
    expect(postgres).to.match(/\/data\/postgresql-\d[^/]*\/native\/bin\/postgres$/);
    expect(await missingLinks(dirname(dirname(dirname(postgres))))).to.deep.equal([]);
    expect(await missingLinks(root)).not.to.deep.equal([]);
  });

  it('are copied, once, from a closed folder for the user whom root runs them as', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const closed = join(folder, 'closed');
    const root = await packageWithoutLinks(join(closed, 'package'));
    await chmod(closed, 0o700);
    const account = await accountFor(join(folder, 'postgres'));
    const binaries = await usableBinaries(folder, account, root);
    for (const binary of [binaries.postgres, binaries.initdb]) {
      expect(dirname(binary)).to.match(/\/postgresql-\d[^/]*\/native\/bin$/);
      expect((await run(binary, ['--version'], account)).output).to.contain('PostgreSQL');
    }
    const { ino } = await stat(binaries.postgres);
    expect(await usableBinaries(folder, account, root)).to.deep.equal(binaries);
    expect((await stat(binaries.postgres)).ino).to.equal(ino);
  });

  it('are named by their package where there are none', () => {
    expect(() => packageRoot('plan9-mips'))
      .to.throw(EmbeddedPostgresError)
      .with.property('code', 'BINARIES_MISSING');
  });

  it('are named where they do not run', async () => {
    const postgres = join(folder, 'native', 'bin', 'postgres');
    await mkdir(dirname(postgres), { recursive: true });
    await writeFile(postgres, '#!/bin/sh\necho no such library >&2\nexit 127\n', { mode: 0o755 });
    expect(await codeOf(usableBinaries(folder, null, folder))).to.equal('BINARIES_UNUSABLE');
    await rm(postgres);
    expect(await codeOf(usableBinaries(folder, null, folder))).to.equal('BINARIES_UNUSABLE');
  });
});

async function links(root: string): Promise<string[]> {
  const listed = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  return listed.map(({ target }) => join(root, target));
}

async function missingLinks(root: string): Promise<string[]> {
  const missing: string[] = [];
  for (const link of await links(root)) if (!(await lstat(link).catch(() => null))) missing.push(link);
  return missing;
}

async function packageWithoutLinks(root: string): Promise<string> {
  await cp(packageRoot(), root, { recursive: true, verbatimSymlinks: true });
  for (const link of await links(root)) await rm(link);
  return root;
}
