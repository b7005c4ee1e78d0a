import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findEmbedded } from '../../src/database/embedded.js';
import { closeFolder, openFolder } from '../support/postgres.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The program as `npm start` runs it. */
describe('the program', () => {
  let dataDir: string;
  let child: ChildProcess;
  beforeEach(async () => {
    dataDir = await openFolder();
  });
  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closeFolder(dataDir);
  });

  const start = (env: Record<string, string> = {}): ChildProcess => {
    const { PATH = '', HOME = '' } = process.env;
    child = spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/server/main.ts'], {
      cwd: ROOT,
      env: { PATH, HOME, PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return child;
  };

  for (const [signal, moment] of [
    ['SIGTERM', 'making a new PostgreSQL database'],
    ['SIGINT', 'registered 500 of the 2000 people'],
  ] as const) {
    it(`stops all that it has started at ${signal}, also while it says "${moment}"`, async () => {
      let greeted = '';
      start().stdout!.on('data', (chunk) => {
        greeted += chunk;
      });
      const exited = once(child, 'exit');
      for await (const line of createInterface({ input: child.stderr! })) {
        if (line.includes(moment)) child.kill(signal);
      }
      expect(await exited).to.deep.equal([0, null]);
      expect(greeted).to.equal('');
      expect((await findEmbedded(dataDir))?.running ?? null).to.equal(null);
      expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).to.equal(false);
    });
  }

  it('says in one line why it does not start', async () => {
    start({ DATABASE_URL: 'postgres://server@127.0.0.1:1/ledger', DEMO: 'on' });
    let said = '';
    child.stderr!.on('data', (chunk) => {
      said += chunk;
    });
    expect(await once(child, 'exit')).to.deep.equal([1, null]);
    expect(said).to.match(/^PostgreSQL does not answer: [^\n]*DATABASE_URL[^\n]*\n$/);
  });
});

describe('the TypeORM command line', () => {
  it('says in one line that it needs the owner’s login', async () => {
    const { DATABASE_OWNER_URL: _, ...env } = process.env;
    const args = ['run', '-s', 'typeorm', '--', 'migration:show', '-d', 'ormconfig.ts'];
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile('npm', args, { cwd: ROOT, env: { ...env, PGHOST: '127.0.0.1', PGPORT: '1' } }, (error, _out, stderr) =>
        resolve({ code: error?.code, stderr }),
      );
    });
    const lines = stderr.split('\n').filter((line) => line && !line.startsWith('npm '));
    expect([code, lines.length], stderr).to.deep.equal([1, 1]);
    expect(lines[0]).to.include('DATABASE_OWNER_URL');
  });
});
