import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parseSizeAnswer } from '../../src/log/add-checkpoint.js';
import { openCosignature } from '../../src/log/cosignature.js';
import { parseNote } from '../../src/log/note.js';
import { formatSigningKey, formatVerifierKey, parseSigningKey, parseVerifierKey } from '../../src/log/note-key.js';
import { logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { Log } from '../witness/logs.js';
import { folder, type Ran, run, start } from './command.js';

const [key] = witnessKeys;
const VKEY = formatVerifierKey(logKey);
const log = new Log(4_000);
const rewritten = new Log(4_000, 1, 3);

async function refused(says: RegExp, ran: Promise<Ran>): Promise<void> {
  const { status, out, err } = await ran;
  expect([status, out], err).to.deep.equal([3, '']);
  expect(err)
    .to.match(/^access-ledger: [^\n]+\n$/)
    .and.to.match(says);
}

describe('access-ledger witness', function () {
  this.timeout(60_000);
  const { path } = folder();
  const running = new Set<ChildProcess>();
  before(() => writeFile(path('w.key'), `${formatSigningKey(key!)}\n`, { mode: 0o600 }));
  afterEach(async () => {
    for (const child of running) await end(child, 'SIGKILL');
  });

  const args = (state: string, ...more: string[]) => [
    '--key',
    path('w.key'),
    '--state',
    path(state),
    '--log',
    VKEY,
    '--port',
    '0',
    ...more,
  ];

  async function serve(
    state: string,
    ...more: string[]
  ): Promise<{ child: ChildProcess; url: string; lines: string[] }> {
    const child = start(['witness', ...args(state, ...more)]);
    running.add(child);
    const lines: string[] = [];
    child.stderr!.on('data', (chunk) => lines.push(String(chunk)));
    for await (const line of createInterface({ input: child.stdout! })) {
      lines.push(line);
      if (lines.length === 2) break;
    }
    child.stdout!.resume();
    return { child, url: /http:\S+\d/.exec(lines[0]!)![0], lines };
  }

  async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
    running.delete(child);
    const exit = once(child, 'exit');
    if (!child.kill(signal)) return child.exitCode;
    const [status] = await exit;
    return status;
  }

  const post = (url: string, body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body });

  it('makes a key, that signs as a witness, and says what to publish', async () => {
    const file = path('made.key');
    const { status, out } = await run(['witness', 'keys', file, '--name', 'witness.example.org/w1']);
    const made = parseSigningKey((await readFile(file, 'utf8')).trimEnd())!;
    expect([status, made.type, made.name, (await stat(file)).mode & 0o777]).to.deep.equal([
      0,
      'cosignature',
      'witness.example.org/w1',
      0o600,
    ]);
    const [first, second] = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(': ')[1]!);
    expect(first).to.equal(file);
    expect(parseVerifierKey(second!)).to.deep.equal({
      name: made.name,
      id: made.id,
      type: made.type,
      publicKey: made.publicKey,
    });
    await refused(/exists/, run(['witness', 'keys', file, '--name', 'witness.example.org/w1']));
    await refused(/--name/, run(['witness', 'keys', path('other.key')]));
    await refused(
      /--name .*scheme/,
      run(['witness', 'keys', path('other.key'), '--name', 'https://witness.example.org']),
    );
  });

  it('serves, tells its key, and stops at a signal with its state kept', async () => {
    const { child, url, lines } = await serve('served.json', '--new');
    expect(lines).to.deep.equal([
      `Witness ${key!.name} at ${url}, of ${ORIGIN}`,
      `Verifier key: ${formatVerifierKey(key!)}`,
    ]);
    expect((await post(url, await log.request(0, 20))).status).to.equal(200);
    expect(await end(child, 'SIGTERM')).to.equal(0);
    const again = await serve('served.json');
    expect(await (await post(again.url, await log.request(0, 30))).text()).to.equal('20\n');
    expect(await end(again.child, 'SIGINT')).to.equal(0);
  });

  it('says in one line what is wrong', async () => {
    const { url } = await serve('taken.json', '--new');
    const witness = (state: string, ...more: string[]) => run(['witness', ...args(state, ...more)]);
    await writeFile(path('malformed.json'), '{}\n');
    await writeFile(path('there.json'), '{}\n');
    await mkdir(path('folder'));
    await writeFile(path('not-a.key'), `${formatSigningKey(logKey)}\n`, { mode: 0o600 });
    await writeFile(path('open.key'), `${formatSigningKey(key!)}\n`, { mode: 0o644 });
    const rest = ['--state', path('new.json'), '--log', VKEY];
    const cases: [RegExp, Promise<Ran>][] = [
      [/taken\.json: another process/, witness('taken.json')],
      [/none\.json: there is no state.*--new/, witness('none.json')],
      [/malformed\.json: this is no state/, witness('malformed.json')],
      [/there\.json: there is a state already/, witness('there.json', '--new')],
      [/--key is missing/, run(['witness'])],
      [/--state is missing/, run(['witness', '--key', path('w.key')])],
      [/--log is missing/, run(['witness', '--key', path('w.key'), '--state', path('new.json')])],
      [/not-a\.key: this is no witness/, run(['witness', '--key', path('not-a.key'), ...rest])],
      [/open\.key: .*chmod 600/, run(['witness', '--key', path('open.key'), ...rest])],
      [/none\.key: there is no such file/, run(['witness', '--key', path('none.key'), ...rest])],
      [/--log is no verifier key/, witness('new.json', '--log', 'hello')],
      [/--log is the witness’s own/, witness('new.json', '--log', formatVerifierKey(key!))],
      [/port/, witness('new.json', '--port', '65536')],
      [/folder: this cannot be read.* \(EISDIR\)/, witness('folder')],
      [/no such folder/, witness('nowhere/new.json', '--new')],
      [/another program listens/, witness('bound.json', '--new', '--port', new URL(url).port)],
    ];
    // All have ended before one may fail: none must find the state free.
    await Promise.all(cases.map(([, ran]) => ran));
    for (const [says, ran] of cases) await refused(says, ran);
  });

  it('helps, with an example', async () => {
    for (const command of ['witness', 'witness keys']) {
      const { status, out } = await run([...command.split(' '), '--help']);
      expect(status).to.equal(0);
      expect(out).to.match(new RegExp(`Usage: access-ledger ${command} [^]*\\nExample:\\n  \\S`));
    }
  });

  it('killed at any moment, again and again, cosigns one history', async () => {
    const given: { size: number; branch: Log }[] = [];
    /** Asks from what the witness says it has, for a little more, of one history and then of the other. */
    async function ask(url: string): Promise<void> {
      for (let turn = 0; ; turn++) {
        const branch = turn % 2 === 0 ? log : rewritten;
        const probe = await post(url, await log.request(0, 4_000));
        const known = probe.status === 409 ? parseSizeAnswer(await probe.text())! : 0;
        const size = known + 1 + (turn % 3);
        const answer = await post(url, await branch.request(known, size));
        if (answer.status !== 200) continue;
        openCosignature(parseNote(await branch.checkpoint(size)).text, await answer.text(), key!);
        given.push({ size, branch });
      }
    }
    // Both histories have the first entries in common; from entry 4 on they differ.
    const first = await serve('killed.json', '--new');
    expect((await post(first.url, await log.request(0, 4))).status).to.equal(200);
    await end(first.child, 'SIGKILL');
    for (let round = 0; round < 6; round++) {
      const { child, url } = await serve('killed.json');
      const asking = Promise.allSettled([ask(url), ask(url)]);
      // Once it has cosigned, at no particular moment.
      for (const before = given.length; given.length <= before + round; ) await sleep(1);
      await sleep(3 * round);
      await end(child, 'SIGKILL');
      await asking;
    }
    expect(new Set(given.map(({ branch }) => branch))).to.deep.equal(new Set([log]));
    const { url } = await serve('killed.json');
    const most = Math.max(...given.map(({ size }) => size));
    const left = await (await post(url, await log.request(0, 4_000))).text();
    expect(parseSizeAnswer(left)).to.be.at.least(most);
  });
});
