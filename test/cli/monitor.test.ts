import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { formatCheckpoint, parseCheckpoint } from '../../src/log/checkpoint.js';
import { parseNote, signNote } from '../../src/log/note.js';
import { formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { formatBundle } from '../../src/log/tile.js';
import { KEY, startLiveLog, type TestLiveLog } from '../support/live-log.js';
import { folder, run, start } from './command.js';
import { bodies, chained, edited } from './logs.js';

const TOKEN = 'reviewer';

describe('access-ledger monitor', () => {
  const { path } = folder();
  const texts = bodies(300);
  const log = chained(texts);
  const other = chained(texts.map((text, i) => (i === 100 ? text.replace('support-agent', 'privacy-officer') : text)));
  const witness = signingKey('witness.example.com', new Uint8Array(32).fill(2), 'cosignature');
  let live: TestLiveLog;
  before(async () => {
    live = await startLiveLog();
  });
  after(() => live.close());
  beforeEach(() => {
    live.token = TOKEN;
    live.instead.clear();
    live.serve(log);
    live.asked.length = 0;
  });

  const args = (state: string, ...more: string[]) => {
    return ['monitor', live.url, '--key', formatVerifierKey(KEY), '--state', path(state), ...more];
  };
  const checked = (state: string, ...more: string[]) => run(args(state, '--token', TOKEN, '--once', ...more));

  /** The finding, and what the log was asked for. */
  async function codes(state: string, ...more: string[]): Promise<unknown[]> {
    const { status, out } = await checked(state, '--json', ...more);
    const { findings } = JSON.parse(out) as { findings: { code: string }[] };
    return [status, ...findings.map(({ code }) => code)];
  }

  it('checks once all there is, then what is new, and nothing where nothing is', async () => {
    live.serve(log.slice(0, 280));
    expect((await checked('grows')).out).to.match(/^intact: all 280 entries/);
    live.asked.length = 0;
    expect(await checked('grows')).to.deep.equal({ status: 0, out: 'nothing is new\n', err: '' });
    expect(live.asked).to.deep.equal(['checkpoint']);
    live.serve(log);
    const { status, out } = await checked('grows');
    expect([status, out.split('\n')[0]]).to.deep.equal([
      0,
      'intact: all 300 entries attested by the checkpoint of ledger.example.com/live',
    ]);
    expect(live.asked).to.not.include('tile/entries/000');
    expect(JSON.parse(await readFile(path('grows'), 'utf8'))).to.deep.equal({
      v: 1,
      checkpoint: live.note,
      leaves: true,
    });
  });

  it('exits with the finding where the log goes back, forks, or serves an edited entry; and the next time again', async () => {
    await checked('bad');
    live.serve(log.slice(0, 200));
    for (let time = 0; time < 2; time++) expect(await codes('bad')).to.deep.equal([1, 'TAIL_CUT']);
    live.serve(other);
    const [status, ...found] = await codes('bad');
    expect([status, ...found.sort()]).to.deep.equal([1, 'FORK', 'ROOT_MISMATCH']);
    live.serve(log.slice(0, 290));
    await checked('edited');
    live.serve(log);
    const leaves = log.map((entry, i) => (i === 295 ? edited(entry) : entry).leaf);
    live.instead.set('tile/entries/001.p/44', formatBundle(leaves.slice(256)));
    expect(await codes('edited')).to.deep.equal([1, 'CONTENT_EDITED']);
  });

  it('takes no log for bad that does not answer or refuses the token: status 3, and its state as it was', async () => {
    await checked('away');
    const state = await readFile(path('away'), 'utf8');
    live.instead.set('checkpoint', 503);
    const { status, out, err } = await checked('away');
    expect([status, out]).to.deep.equal([3, '']);
    expect(err).to.match(/answers with status 503/);
    live.instead.clear();
    live.serve(chained([...texts, ...bodies(3)]));
    expect((await run(args('away', '--token', 'old', '--once'))).err).to.match(/may have expired/);
    expect(await readFile(path('away'), 'utf8')).to.equal(state);
    await writeFile(path('broken'), '{"v":1');
    expect((await checked('broken')).err).to.match(/it is no state of `access-ledger monitor`/);
  });

  it('reads the leaves of what it had only the hashes of, once it may, and does not give them up for hashes', async () => {
    const leaves = async () => (JSON.parse(await readFile(path('hashes'), 'utf8')) as { leaves: boolean }).leaves;
    const { status, out } = await run(args('hashes', '--once'));
    expect([status, await leaves()]).to.deep.equal([0, false]);
    expect(out).to.match(/not checked: any leaf/);
    const longer = chained([...texts, ...bodies(3)]);
    live.serve(longer.slice(0, 302));
    live.asked.length = 0;
    expect((await checked('hashes')).out).to.match(/^intact: all 302 .*\n$/);
    expect(live.asked).to.include('tile/entries/000');
    expect(await leaves()).to.equal(true);
    live.serve(longer);
    expect((await run(args('hashes', '--once'))).out).to.match(/not checked: any leaf/);
    expect(await leaves()).to.equal(true);
  });

  it('alarms where the newest cosignature is too old', async () => {
    const { text } = parseNote(live.note);
    const witnessed = ['--witness', formatVerifierKey(witness), '--max-age', '1h'];
    const note = (ago: number) =>
      signNote(formatCheckpoint(parseCheckpoint(text)!), [KEY, witness], Math.floor(Date.now() / 1000) - ago);
    live.note = note(60);
    expect((await checked('old', ...witnessed)).status).to.equal(0);
    await writeFile(path('old'), JSON.stringify({ v: 1, checkpoint: note(7_200), leaves: true }));
    expect((await checked('old', ...witnessed)).out).to.equal('nothing is new\n');
    await writeFile(path('old'), JSON.stringify({ v: 1, checkpoint: note(7_200), leaves: true }));
    live.note = note(7_200);
    expect(await codes('old', ...witnessed)).to.deep.equal([2, 'CHECKPOINT_STALE']);
  });

  it('goes on while nothing is wrong, reads its token anew, and ends at the first finding', async () => {
    await writeFile(path('token'), `${TOKEN}\n`);
    live.serve(log.slice(0, 280));
    const child = start(args('loop', '--token-file', path('token'), '--every', '1'));
    let out = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const said = async (pattern: RegExp) => {
      while (!pattern.test(out) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(out).to.match(pattern);
    };
    const ended = once(child, 'close');
    await said(/Z no finding: 280 entries\n/);
    live.token = 'renewed';
    live.serve(log);
    await said(/not checked: .* may have expired\n/);
    await writeFile(path('token'), 'renewed\n');
    await said(/no finding: 300 entries\n/);
    await said(/nothing is new\n/);
    live.serve(log.slice(0, 250));
    const [status] = await ended;
    expect(status).to.equal(1);
    expect(out).to.match(/TAIL_CUT {2}250–299 (.*\n)+tampered: 1 finding/);
  });
});
