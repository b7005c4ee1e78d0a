import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { settingsTable } from '../src/server/config.js';
import { closeFolder, openFolder } from './support/postgres.js';

/** The README's commands, run as they stand; only the port, and where files go, are this test's own. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

const REVIEWING = readFileSync(join(ROOT, 'docs/reviewing.md'), 'utf8');

/** Fences open and close in turn, so what stands between is a block, and its first line says the language. */
const blocks = (language: string, page = README) =>
  page
    .split(/^```/m)
    .filter((text, nth) => nth % 2 === 1 && text.startsWith(`${language}\n`))
    .map((text) => text.slice(language.length).trim());

describe('the README', function () {
  this.timeout(120_000);
  let folder: string;
  let server: ChildProcess;
  let greeted: string;
  let port: string;
  before(async () => {
    folder = await openFolder();
    ({ server, greeted } = await start());
    port = /localhost:(\d+)/.exec(greeted)![1]!;
  });
  after(async () => {
    if (server.exitCode === null && server.signalCode === null) await stop(server, 'SIGINT');
    await closeFolder(folder);
  });

  async function start(): Promise<{ server: ChildProcess; greeted: string; seconds: number }> {
    const began = performance.now();
    const started = spawn('npm', ['start'], {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let said = '';
    let failed = '';
    started.stderr!.on('data', (chunk) => {
      failed += chunk;
    });
    await new Promise<void>((resolve, reject) => {
      started.stdout!.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Ctrl-C')) resolve();
      });
      started.once('exit', () => reject(new Error(`npm start ended: ${said}${failed}`)));
    });
    return { server: started, greeted: said, seconds: (performance.now() - began) / 1_000 };
  }

  function environment(): NodeJS.ProcessEnv {
    const { DATABASE_URL: _, DATABASE_OWNER_URL: __, OIDC_ISSUER: ___, ...env } = process.env;
    return { ...env, PORT: '0', DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'warn', NODE_ENV: 'development' };
  }

  /** The whole group: npm, its shell, and the server. */
  async function stop(started: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise((resolve) => started.once('exit', resolve));
    process.kill(-started.pid!, signal);
    await ended;
  }

  function run(command: string): Promise<{ stdout: string; stderr: string }> {
    const here = command
      .replaceAll('localhost:4000', `localhost:${port}`)
      .replaceAll('held.json', join(folder, 'held.json'))
      .replaceAll('log.ndjson', join(folder, 'log.ndjson'));
    return promisify(execFile)('bash', ['-c', here], { cwd: ROOT, env: environment() });
  }

  it('shows on its first screen the two commands, the read, the check, and the tests', () => {
    const [install, read, check, test] = blocks('sh');
    expect(install).to.equal('npm ci && npm start');
    expect(read).to.match(/^curl -s http:\/\/localhost:4000\/graphql /);
    expect(check).to.match(/^npm run -s access-ledger -- export .* verify .* --held held\.json$/);
    expect(test).to.equal('npm ci && npm test');
    expect(scripts).to.include.keys('start', 'test');
  });

  it('greets with the commands that the README shows', () => {
    for (const line of `${blocks('sh')[1]}\n${blocks('sh')[2]}`.split('\n')) {
      expect(greeted).to.include(line.replace('localhost:4000', `localhost:${port}`).replace(/ \\$/, ''));
    }
  });

  it('reads and verifies: the output is what the README shows', async () => {
    const [, read, check] = blocks('sh');
    const answer = JSON.parse((await run(read!)).stdout);
    const shown = JSON.parse(blocks('json')[0]!);
    expect(answer.data).to.deep.equal(shown.data);
    const entries: { index: number; link: string }[] = answer.extensions.ledger.entries;
    expect(entries.map(({ index }) => index)).to.deep.equal(
      shown.extensions.ledger.entries.map(({ index }: { index: number }) => index),
    );
    const held = JSON.parse(readFileSync(join(folder, 'held.json'), 'utf8'));
    expect(held, 'nobody’s data').to.deep.equal({ extensions: { ledger: { entries } } });
    const { stdout, stderr } = await run(check!);
    const output = `${stdout}${stderr}`.replaceAll(`${folder}/`, '').trim();
    expect(output.split('\n').sort()).to.deep.equal(blocks('')[0]!.split('\n').sort());
  });

  it('has a log that is checked without our tools, as the page for reviewers shows', async function () {
    const run42 = (command: string) =>
      run(
        command
          .replace('prove 42', `prove 42 --out ${join(folder, '42')}`)
          .replace('.data', join(folder, 'data'))
          .replace('log.vkey', join(folder, 'log.vkey')),
      );
    const files = blocks('sh', REVIEWING).find((block) => block.includes('prove 42'))!;
    for (let tried = 0; tried < 40 && !existsSync(join(folder, '42.tlog-proof')); tried++) {
      // A checkpoint covers the newest entries within a second; before that there is nothing to prove.
      await run42(files).catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
    }
    const [check] = blocks('bash', REVIEWING);
    const inFolder = (command: string) => promisify(execFile)('bash', ['-ec', command], { cwd: folder });
    const tools = await inFolder('command -v jq openssl sha256sum xxd').catch(() => null);
    if (!tools) return this.skip();
    const { stdout } = await inFolder(check!);
    expect(stdout.trim().split('\n')).to.deep.equal(['Signature Verified Successfully', 'entry 42 is in the log']);
    const edited = check!.replace('> 42.txt', "| sed 's/permitted/refused/' > 42.txt");
    expect(await inFolder(edited).catch(({ code }: { code: number }) => code)).to.equal(1);
  });

  it('prints a token for everybody it names, and opens the explorer without asking anybody else', async () => {
    for (const name of ['support', 'officer', 'reviewer', 'user', 'processor']) {
      const { stdout } = await run(`npm run -s token -- ${name}`);
      const response = await fetch(`http://localhost:${port}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ me { kind } }' }),
      });
      expect(await response.json()).to.have.nested.property('data.me.kind');
    }
    const page = await (await fetch(`http://localhost:${port}/graphiql`)).text();
    expect(page).to.match(/graphiql/i);
    expect(page).to.not.match(/(src|href)="https?:/);
  });

  it('runs a demo in which the doctor finds nothing', async () => {
    const examined = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8').match(/^access-ledger doctor$/m);
    expect(examined).to.have.length(1);
    const { stdout } = await run('npm run -s access-ledger -- doctor');
    expect(stdout).to.match(
      /^KEK [^\n]+: wraps 2,000 keys, until [^\n]+\nmay write, [^\n]+: access_ledger_server\nhealthy: the/,
    );
  });

  it('is as good as its word after kill -9, and starts in seconds with its data still there', async () => {
    await stop(server, 'SIGKILL');
    const again = await start();
    ({ server, greeted } = again);
    expect(again.seconds).to.be.lessThan(30);
    port = /localhost:(\d+)/.exec(greeted)![1]!;
    const answer = JSON.parse((await run(blocks('sh')[1]!)).stdout);
    expect(answer.data).to.deep.equal(JSON.parse(blocks('json')[0]!).data);
    // Seeding again changed nothing: the next entries are those of this read.
    const [first] = answer.extensions.ledger.entries;
    const { stdout } = await run('npm run -s access-ledger -- export log.ndjson && tail -n 3 log.ndjson | head -n 1');
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).to.include(first);
  });

  it('stops everything at Ctrl-C', async () => {
    await stop(server, 'SIGINT');
    expect(existsSync(join(folder, 'data', 'postgres', 'postmaster.pid'))).to.equal(false);
  });

  it('is of a package that builds what its command needs, and holds it', () => {
    const { bin, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
      files: string[];
    };
    const command = bin['access-ledger']!;
    expect(existsSync(join(ROOT, command.replace(/^dist\/(.*)\.js$/, '$1.ts')))).to.equal(true);
    expect(files).to.include(command.split('/')[0]);
    expect(scripts.prepack).to.equal('npm run build');
  });

  it('has the table of settings that the code has', () => {
    const [, table] = /<!-- settings -->\n(.*?)\n<!-- \/settings -->/s.exec(README)!;
    expect(table).to.equal(settingsTable().trim());
  });

  it('names only files, commands and scripts that there are', async () => {
    for (const [, path] of README.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(existsSync(join(ROOT, path!)), path).to.equal(true);
    }
    for (const [, script] of README.matchAll(/npm run (?:-s )?([a-z-]+)/g)) expect(scripts).to.have.property(script!);
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'access-ledger', '--', '--help'], { cwd: ROOT });
    for (const [, command] of README.matchAll(/`access-ledger ([a-z]+)/g)) expect(stdout).to.include(`  ${command}`);
  });
});
