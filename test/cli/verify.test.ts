import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { hexBytes, toHex } from '../../src/log/bytes.js';
import { formatCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { formatClosingLine } from '../../src/log/export-line.js';
import { signNote } from '../../src/log/note.js';
import { formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { Frontier, type Hash } from '../../src/log/tree.js';
import { verify } from '../../src/log/verify.js';
import { folder, run } from './command.js';
import { bodies, chained, edited, entryOf, held, linesOf } from './logs.js';

describe('access-ledger verify FILE', () => {
  const { path } = folder();
  const texts = bodies(12);
  const log = chained(texts);
  const last = log.at(-1)!;

  async function written(name: string, entries: readonly StoredEntry[]): Promise<string> {
    const closing = formatClosingLine({ entries: entries.length, last: entries.at(-1)?.index ?? null });
    await writeFile(path(name), linesOf(entries) + closing);
    return path(name);
  }

  async function codes(name: string, entries: readonly StoredEntry[], ...evidence: string[]): Promise<unknown[]> {
    const { status, out } = await run(['verify', await written(name, entries), '--json', ...evidence]);
    const report = JSON.parse(out);
    return [status, report.verdict, report.findings.map(({ code }: { code: string }) => code)];
  }

  it('is intact where an entry that was shown vouches, and names the size and who attests it', async () => {
    const file = await written('sound', log);
    expect(await run(['verify', file, held(last)])).to.deep.equal({
      status: 0,
      out: 'intact: all 12 entries attested by the held link of entry 11\n',
      err: '',
    });
    const { out } = await run(['verify', file, held(log[3]!), held(log[7]!)]);
    expect(out).to.match(/^intact: 8 entries attested by the held link of entry 7; the 4 after them .* nobody/);
  });

  it('prints the report of src/log as JSON', async () => {
    const { status, out } = await run(['verify', await written('json', log), '--json', held(last)]);
    expect(JSON.parse(out)).to.deep.equal(JSON.parse(JSON.stringify(await verify(log, { held: [entryOf(last)] }))));
    expect(status).to.equal(0);
  });

  it('prints what docs/reviewing.md lists', async () => {
    const guide = await readFile(new URL('../../docs/reviewing.md', import.meta.url), 'utf8');
    const table = guide.slice(guide.indexOf('### For machines'), guide.indexOf('With status 3'));
    const listed = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, member]) => member);
    const { out } = await run(['verify', await written('members', [edited(log[0]!), ...log.slice(1)]), '--json']);
    const { out: inconclusive } = await run(['verify', await written('alone', log), '--json']);
    const members = new Set([...Object.keys(JSON.parse(inconclusive)), ...Object.keys(JSON.parse(out))]);
    expect([...members].sort()).to.deep.equal(listed.sort());
    const [finding] = JSON.parse(out).findings;
    for (const member of Object.keys(finding)) expect(table).to.match(new RegExp(`\\{[^}]*${member}[^}]*\\}`));
  });

  it('is inconclusive with no evidence, and over no entries', async () => {
    expect(await codes('alone', log)).to.deep.equal([2, 'inconclusive', []]);
    expect(await codes('empty', [])).to.deep.equal([2, 'inconclusive', []]);
    expect((await run(['verify', path('empty')])).out).to.match(/^inconclusive: there are no entries/);
  });

  it('finds what was edited, cut, reordered and re-chained', async () => {
    const at = (i: number, entry: StoredEntry) => log.map((one, j) => (i === j ? entry : one));
    expect(await codes('edited', at(4, edited(log[4]!)))).to.deep.equal([1, 'tampered', ['CONTENT_EDITED']]);
    expect(await codes('removed', at(4, log[4]!).toSpliced(4, 1))).to.deep.equal([1, 'tampered', ['ENTRY_MISSING']]);
    expect(await codes('tail', log.slice(0, 9), held(last))).to.deep.equal([1, 'tampered', ['TAIL_CUT']]);
    expect(await codes('all', [], held(last))).to.deep.equal([1, 'tampered', ['TAIL_CUT']]);
    const [status, verdict, found] = await codes('swapped', at(4, log[5]!).with(5, log[4]!));
    expect([status, verdict]).to.deep.equal([1, 'tampered']);
    expect(found).to.include('CHAIN_BROKEN');
  });

  it('cannot tell a log that was chained anew from a true one but by evidence', async () => {
    const anew = chained(texts.map((text, i) => (i === 4 ? text.replace('support-agent', 'privacy-officer') : text)));
    expect(await codes('anew', anew)).to.deep.equal([2, 'inconclusive', []]);
    expect(await codes('anew', anew, held(last))).to.deep.equal([1, 'tampered', ['ROOT_MISMATCH']]);
    expect(await codes('anew', anew, held(log[3]!))).to.deep.equal([0, 'intact', []]);
  });

  it('with --links-only finds what was written over, and says that it looked at no history', async () => {
    const sound = await run(['verify', await written('links', log), held(last), '--links-only']);
    expect([sound.status, sound.out.split('\n')[0]]).to.deep.equal([
      0,
      'intact: all 12 entries attested by the held link of entry 11',
    ]);
    expect(sound.out).to.contain('not checked: what entries say of each other');
    const cut = log.map((entry) => (entry === log[4] ? edited(entry) : entry));
    expect(await codes('links-edited', cut, held(last), '--links-only')).to.deep.equal([
      1,
      'tampered',
      ['CONTENT_EDITED'],
    ]);
    // A writer that counted wrongly wrote this: each entry is what was written, and follows the one before.
    const miscounted = chained(texts.map((text) => text.replace('"asOf":0', '"asOf":900')));
    const vouched = held(miscounted.at(-1)!);
    expect(await codes('stale', miscounted, vouched)).to.deep.equal([1, 'tampered', ['DECIDED_ON_STALE_FACTS']]);
    expect(await codes('stale', miscounted, vouched, '--links-only')).to.deep.equal([0, 'intact', []]);
    const { out } = await run(['verify', path('stale'), '--links-only', '--json', vouched]);
    expect(JSON.parse(out).unchecked).to.deep.equal(['HISTORIES']);
  });

  it('shows findings in words, with what was expected and found', async () => {
    const file = await written('shown', [log[0]!, edited(log[1]!), ...log.slice(2, 5), ...log.slice(8)]);
    const { out } = await run(['verify', file, held(last)]);
    const lines = out.split('\n');
    expect(lines[0]).to.equal('FINDING         ENTRIES  WHAT HAPPENED');
    expect(lines[1]).to.equal(
      'CONTENT_EDITED  1        the content, or the link beside it, was changed after it was written',
    );
    expect(lines[2]).to.equal(
      `                         expected  a leaf that hashes to its link ${log[1]!.link}, which entry 2 follows`,
    );
    expect(lines[3]).to.match(/^ {25}found {5}it hashes to [0-9a-f]{64}$/);
    expect(lines[4]).to.equal('ENTRY_MISSING   5–7      entries were removed');
    expect(lines.slice(-2)).to.deep.equal(['tampered: 2 findings, 9 entries read', '']);
    expect(out).not.to.include('\x1b');
  });

  it('reads standard input', async () => {
    expect((await run(['verify', '-', held(last)], { stdin: linesOf(log) })).status).to.equal(0);
  });

  describe('with checkpoints', () => {
    const key = signingKey('ledger.example.com/test', new Uint8Array(32).fill(1));
    const witness = signingKey('witness.example.com', new Uint8Array(32).fill(2), 'cosignature');
    const other = signingKey('ledger.example.com/test', new Uint8Array(32).fill(3));
    const tree = new Frontier();
    for (const { link } of log.slice(0, 10)) tree.append(hexBytes(link) as Hash);
    const checkpoint = { origin: key.name, size: 10, root: tree.root() };
    const now = Math.floor(Date.now() / 1000);
    const witnessed = ['--key', formatVerifierKey(key), '--witness', formatVerifierKey(witness)];

    async function kept(note: string): Promise<string> {
      const file = path(`checkpoint-${toHex(Buffer.from(note).subarray(-8))}`);
      await writeFile(file, note);
      return `--checkpoint=${file}`;
    }

    it('takes one of the log’s key, and no other’s', async () => {
      const file = await kept(signCheckpoint(checkpoint, key));
      const { status, out } = await run(['verify', await written('c', log), file, '--key', formatVerifierKey(key)]);
      expect([status, out.split(';')[0]]).to.deep.equal([
        0,
        'intact: 10 entries attested by the checkpoint of ledger.example.com/test',
      ]);
      const mine = ['--key', formatVerifierKey(key)];
      const edited = await kept(signCheckpoint(checkpoint, key).replace('\n10\n', '\n11\n'));
      expect(await codes('c', log, edited, ...mine)).to.deep.equal([1, 'tampered', ['SIGNATURE_INVALID']]);
    });

    it('can use no file that says nothing of this log: another key’s, another log’s, or no checkpoint at all', async () => {
      const file = await written('u', log);
      const unusable = [
        [await kept(signCheckpoint(checkpoint, key)), '--key', formatVerifierKey(other)],
        [
          await kept(signNote(formatCheckpoint({ ...checkpoint, origin: 'b.example' }), [key])),
          ...witnessed.slice(0, 2),
        ],
        [await kept('hello\n'), ...witnessed.slice(0, 2)],
      ];
      for (const [checkpointed, ...keys] of unusable) {
        const { status, out, err } = await run(['verify', file, held(last), checkpointed!, ...keys]);
        expect([status, out]).to.deep.equal([3, '']);
        expect(err).to.contain(`${checkpointed!.replace('--checkpoint=', '')}: `);
      }
    });

    it('takes no quorum that cannot be met', async () => {
      const file = await kept(signCheckpoint(checkpoint, key));
      const { status, err } = await run(['verify', await written('q', log), file, ...witnessed, '--quorum', '2']);
      expect(status).to.equal(3);
      expect(err).to.equal('access-ledger: the evidence asks for a quorum of 2 among 1 witnesses\n');
    });

    it('asks for the witnesses, and for how long ago', async () => {
      const alone = await kept(signCheckpoint(checkpoint, key));
      expect(await codes('w', log, alone, ...witnessed)).to.deep.equal([2, 'inconclusive', ['QUORUM_NOT_MET']]);
      const cosigned = await kept(signNote(formatCheckpoint(checkpoint), [key, witness], now - 7_200));
      expect(await codes('w', log, cosigned, ...witnessed, '--max-age', '3h')).to.deep.equal([0, 'intact', []]);
      const stale = [2, 'inconclusive', ['CHECKPOINT_STALE']];
      expect(await codes('w', log, cosigned, ...witnessed, '--max-age', '1h')).to.deep.equal(stale);
    });
  });

  it('says in one line what it cannot use, and that with status 3', async () => {
    const file = await written('log', log);
    const text = await readFile(file, 'utf8');
    await writeFile(path('garbage'), `${text}garbage\n`);
    await writeFile(path('short'), text.slice(0, -5));
    await writeFile(path('no-note'), 'no note');
    const key = formatVerifierKey(signingKey('a.example', new Uint8Array(32).fill(1)));
    const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
      [/file .* or --database/, []],
      [/no such file/, [path('nowhere')]],
      [/a folder/, [path('.')]],
      [/garbage: line 13: /, [path('garbage')]],
      [/short: .*cut short/, [path('short')]],
      [/not both/, [file, '--database', 'postgres://localhost/x']],
      [/--held/, [file, '--held', '11']],
      [/--held/, [file, '--held', `011:${last.link}`]],
      [/--held/, [file, '--held', `11:${last.link.toUpperCase()}`]],
      [/--checkpoint needs --key/, [file, '--checkpoint', path('no-note')]],
      [/--key needs --checkpoint/, [file, '--key', key]],
      [/--witness/, [file, '--witness', key]],
      [/--max-age needs --witness/, [file, '--checkpoint', path('no-note'), '--key', key, '--max-age', '1h']],
      [/nowhere: there is no such file/, [file, '--checkpoint', path('nowhere'), '--key', key]],
      [/--hled/, [file, '--hled', '1']],
      [/too many arguments/, [file, file]],
    ];
    const all = await Promise.all(wrong.map(([, args]) => run(['verify', ...args])));
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(wrong[i]![0]);
    }
  });
});
