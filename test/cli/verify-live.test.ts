import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { openLiveLog, parseLogUrl } from '../../src/cli/live-log.js';
import type { ResumableEvidence } from '../../src/cli/resuming.js';
import { verifyLive } from '../../src/cli/verify-live.js';
import { Chain } from '../../src/log/chain.js';
import { formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { formatBundle } from '../../src/log/tile.js';
import { KEY, startLiveLog, type TestLiveLog } from '../support/live-log.js';
import { folder, run } from './command.js';
import { bodies, chained, edited } from './logs.js';

const TOKEN = 'reviewer';

describe('access-ledger verify URL', () => {
  const { path } = folder();
  const texts = bodies(600);
  const log = chained(texts);
  /** The same until entry 300, and another there. */
  const other = chained(texts.map((text, i) => (i === 300 ? text.replace('support-agent', 'privacy-officer') : text)));
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

  /** What is found, and where. */
  async function found(since: string | null = null, token: string | null = TOKEN, key = KEY): Promise<string[]> {
    const evidence: ResumableEvidence = {
      checkpoints: { key, notes: [] },
      files: [],
      since: since === null ? null : { note: since, file: 'kept.txt' },
    };
    const { report } = await verifyLive(openLiveLog(parseLogUrl(live.url)!, token), evidence, () => {});
    const findings = report.findings.map(({ code, first, last }) => `${code} ${first} ${last}`);
    return [report.verdict === 'inconclusive' ? report.why : report.verdict, ...findings];
  }

  /** The checkpoint of the first entries. */
  function noteOf(entries: readonly StoredEntry[]): string {
    live.serve(entries);
    const { note } = live;
    live.serve(log);
    return note;
  }

  const bundle = (from: number, to: number) => formatBundle(log.slice(from, to).map(({ leaf }) => leaf));
  const LAST = 'tile/entries/002.p/88';

  async function fault(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'no fault',
      (error: Error) => `${error.name}: ${error.message.replace(`${live.url}/`, '')}`,
    );
  }

  it('is intact up to the checkpoint that it shows, by every leaf', async () => {
    const { status, out, err } = await run(['verify', live.url, '--token', TOKEN, '--key', formatVerifierKey(KEY)]);
    expect([status, out, err]).to.deep.equal([
      0,
      'intact: all 600 entries attested by the checkpoint of ledger.example.com/live\n',
      '',
    ]);
    expect(live.asked.filter((one) => one.startsWith('tile/entries')).sort()).to.deep.equal([
      'tile/entries/000',
      'tile/entries/001',
      LAST,
    ]);
  });

  it('takes the full bundle and tile where the partial ones are no longer served', async () => {
    live.instead.set(LAST, 404).set('tile/0/002.p/88', 404);
    const longer = chained([...texts, ...bodies(168)]);
    live.instead.set('tile/entries/002', formatBundle(longer.slice(512).map(({ leaf }) => leaf)));
    expect(await found()).to.deep.equal(['intact']);
  });

  it('names an entry that is served edited', async () => {
    const leaves = log.map((entry, i) => (i === 270 ? edited(entry) : entry));
    live.instead.set('tile/entries/001', formatBundle(leaves.slice(256, 512).map(({ leaf }) => leaf)));
    expect(await found()).to.deep.equal(['tampered', 'CONTENT_EDITED 270 270']);
  });

  it('finds what is not served: a bundle cut short, in the middle and at the end, and one that is not there', async () => {
    live.instead.set('tile/entries/001', bundle(256, 512).subarray(0, -10));
    expect(await found()).to.deep.equal(['tampered', 'ENTRY_MISSING 511 511']);
    live.instead.clear();
    live.instead.set(LAST, bundle(512, 590));
    expect(await found()).to.deep.equal(['tampered', 'TAIL_CUT 590 599']);
    live.instead.set(LAST, 404);
    expect(await found()).to.deep.equal(['tampered', 'TAIL_CUT 512 599']);
  });

  it('finds another log under the checkpoint', async () => {
    const { note } = live;
    live.serve(other);
    live.note = note;
    expect(await found()).to.deep.equal(['tampered', 'ROOT_MISMATCH 0 599']);
  });

  it('can use no checkpoint of another key, and finds one that was edited', async () => {
    const stranger = signingKey(KEY.name, new Uint8Array(32).fill(9));
    expect(await fault(found(null, TOKEN, stranger))).to.match(/^CommandFault: checkpoint: no known key/);
    live.note = live.note.replace('\n600\n', '\n601\n');
    expect(await found()).to.deep.equal(['tampered', 'SIGNATURE_INVALID null null']);
    live.note = 'hello\n';
    expect(await fault(found())).to.equal('CommandFault: checkpoint: it is no checkpoint');
  });

  it('says that a token has expired, and why a server cannot be read', async () => {
    expect(await fault(found(null, 'old'))).to.match(/^CommandFault: .*this token: it may have expired$/);
    live.instead.set('tile/entries/001', 403);
    expect(await fault(found())).to.match(/not a security reviewer's$/);
    live.instead.set('tile/entries/001', 500);
    expect(await fault(found())).to.match(/answers with status 500$/);
    live.instead.set('checkpoint', 404);
    expect(await fault(found())).to.match(/there is no log, or none with a checkpoint yet$/);
  });

  it('without a token checks the hashes alone, and says so', async () => {
    const { status, out } = await run(['verify', live.url, '--key', formatVerifierKey(KEY)]);
    expect(status).to.equal(2);
    expect(out).to.match(/^inconclusive: the published hashes are those of the checkpoint.*\nnot checked: any leaf/);
    live.instead.set('tile/0/001', Buffer.alloc(8192));
    expect(await found(null, null)).to.deep.equal(['tampered', 'ROOT_MISMATCH 0 599']);
    live.instead.set('tile/0/001', 404);
    expect(await found(null, null)).to.deep.equal(['tampered', 'TAIL_CUT 256 599']);
  });

  it('reads leaves without a token where the log serves them to anybody', async () => {
    live.token = null;
    expect(await found(null, null)).to.deep.equal(['intact']);
  });

  describe('--since a checkpoint', () => {
    it('reads only what is new, and says what it did not check', async () => {
      const args = ['verify', live.url, '--token', TOKEN, '--key', formatVerifierKey(KEY)];
      live.serve(log.slice(0, 590));
      expect((await run([...args, '--save', path('kept')])).status).to.equal(0);
      expect(await readFile(path('kept'), 'utf8')).to.equal(live.note);
      live.serve(log);
      live.asked.length = 0;
      const { status, out } = await run([...args, '--since', path('kept'), '--save', path('kept')]);
      expect(status).to.equal(0);
      expect(out).to.match(/^intact: all 600 entries attested .*\nnot checked: the 589 entries before/);
      expect(live.asked.filter((one) => one.startsWith('tile/entries/'))).to.deep.equal([LAST]);
      expect(await readFile(path('kept'), 'utf8')).to.equal(live.note);
    });

    for (const size of [1, 2, 255, 256, 257, 512, 599, 600]) {
      it(`continues from ${size} entries`, async () => {
        expect(await found(noteOf(log.slice(0, size)))).to.deep.equal(['intact']);
        expect(await found(noteOf(log.slice(0, size)), null)).to.deep.equal(['LEAVES_NOT_READ']);
      });
    }

    it('finds a log that was rolled back', async () => {
      const { note } = live;
      live.serve(log.slice(0, 500));
      expect(await found(note)).to.deep.equal(['tampered', 'TAIL_CUT 500 599']);
      expect(await found(note, null)).to.deep.equal(['tampered', 'TAIL_CUT 500 599']);
    });

    it('finds a fork: what was trusted is no beginning of what is shown', async () => {
      const trusted = noteOf(log.slice(0, 400));
      live.serve(other);
      const fork = ['tampered', 'ROOT_MISMATCH 0 399', 'FORK 0 399'];
      expect((await found(trusted)).sort()).to.deep.equal(fork.sort());
      expect((await found(trusted, null)).sort()).to.deep.equal(fork.sort());
    });

    it('finds what is wrong with what is new, and not with what is not read', async () => {
      const leaves = log.map((entry, i) => (i === 20 || i === 550 ? edited(entry) : entry));
      live.instead.set(LAST, formatBundle(leaves.slice(512).map(({ leaf }) => leaf)));
      live.instead.set('tile/entries/000', formatBundle(leaves.slice(0, 256).map(({ leaf }) => leaf)));
      expect(await found(noteOf(log.slice(0, 530)))).to.deep.equal(['tampered', 'CONTENT_EDITED 550 550']);
    });

    it('finds a history that breaks after it, and not before', async () => {
      const chain = new Chain();
      const subjectOf = (text: string) => (JSON.parse(text) as { subject?: string }).subject ?? null;
      const broken = texts.map((text, i) => chain.append(text, i === 595 ? null : subjectOf(text)));
      const notes = [560, 597].map((size) => noteOf(broken.slice(0, size)));
      live.serve(broken);
      expect(await found(notes[0])).to.deep.equal(['tampered', 'SUBJECT_COUNT_BROKEN 595 595']);
      expect(await found(notes[1])).to.deep.equal(['intact']);
    });

    it('does not keep a checkpoint of a log that is not intact', async () => {
      await writeFile(path('old'), 'as it was');
      live.instead.set(LAST, bundle(512, 590));
      const args = ['verify', live.url, '--token', TOKEN, '--key', formatVerifierKey(KEY), '--save', path('old')];
      const { status, err } = await run(args);
      expect([status, err]).to.deep.equal([1, `${path('old')}: left as it was\n`]);
      expect(await readFile(path('old'), 'utf8')).to.equal('as it was');
    });

    it('trusts no checkpoint of another key, and waits for one that is only behind', async () => {
      const stranger = signingKey(KEY.name, new Uint8Array(32).fill(9));
      live.serve(log, stranger);
      const { note } = live;
      live.serve(log);
      expect(await fault(found(note))).to.match(/^CommandFault: kept.txt: no known key/);
      const newest = live.note;
      live.note = noteOf(log.slice(0, 500));
      setTimeout(() => live.serve(log), 300);
      expect(await found(newest)).to.deep.equal(['intact']);
    });
  });

  it('says in one line what it cannot use', async () => {
    const key = ['--key', formatVerifierKey(KEY)];
    const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
      [/--key is missing/, ['verify', live.url]],
      [/no such file; --save makes one/, ['verify', live.url, ...key, '--since', path('nowhere')]],
      [/for a URL or --database/, ['verify', path('kept'), '--save', path('x')]],
      [/--token is for the URL/, ['verify', path('kept'), '--token', 'x']],
      [/does not answer/, ['verify', 'http://127.0.0.1:1', ...key]],
    ];
    const all = await Promise.all(wrong.map(([, args]) => run(args)));
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(wrong[i]![0]);
    }
  });
});
