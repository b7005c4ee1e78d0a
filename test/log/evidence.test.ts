import { expect } from 'chai';
import fc from 'fast-check';
import { hexBytes } from '../../src/log/bytes.js';
import { signCheckpoint } from '../../src/log/checkpoint.js';
import type { Entry } from '../../src/log/entry.js';
import { type LogIndex, linkOf } from '../../src/log/leaf.js';
import { signingKey } from '../../src/log/note-key.js';
import { Frontier, type Hash } from '../../src/log/tree.js';
import { type Report, verify } from '../../src/log/verify.js';
import { logOf } from './arbitraries.js';
import { logKey } from './keys.js';
import { SKETCHES } from './vectors/forge.js';

/** A log says something of itself: it shows checkpoints that it signed. */
describe('evidence that the log shows itself', () => {
  const log = logOf(SKETCHES);
  const heads = (() => {
    const tree = new Frontier();
    return log.map(({ leaf }) => {
      tree.append(hexBytes(linkOf(leaf)) as Hash);
      return { size: tree.size, root: tree.root() };
    });
  })();
  const origin = logKey.name;
  const note = (size: number) => signCheckpoint({ origin, ...heads[size - 1]! }, logKey);
  const forged = (size: number) => signCheckpoint({ origin, size, root: heads[0]!.root }, logKey);
  const [last] = log.slice(-1);
  const held: Entry[] = [{ index: last!.index as LogIndex, link: linkOf(last!.leaf) }];
  const found = ({ verdict, findings }: Report) => [
    verdict,
    ...findings.map(({ code, first, last }) => `${code} ${first}–${last}`),
  ];
  const verdictOf = async (own: string[], entries = log, notes: string[] = [], shown: Entry[] = []) =>
    verify(entries, { held: shown, checkpoints: { key: logKey, notes, own } });

  it('vouches for nothing, however much of it agrees', async () => {
    const report = await verdictOf(heads.map(({ size }) => note(size)));
    expect(report).to.deep.include({ verdict: 'inconclusive', why: 'NO_EVIDENCE', vouched: null, findings: [] });
    const vouched = (
      await verdictOf(
        heads.map(({ size }) => note(size)),
        log,
        [note(2)],
        [],
      )
    ).vouched;
    expect(vouched).to.deep.equal({ size: 2, by: [`the checkpoint of ${logKey.name}`] });
    expect((await verdictOf([note(2)], log, [], held)).vouched?.size).to.equal(log.length);
  });

  it('contradicts a log that is another, or shorter, or what it signed otherwise', async () => {
    expect(found(await verdictOf([note(3), forged(5)]))).to.deep.equal(['tampered', 'ROOT_MISMATCH 3–4']);
    expect(found(await verdictOf([note(5)], log.slice(0, 3)))).to.deep.equal(['tampered', 'TAIL_CUT 3–4']);
    expect(found(await verdictOf([forged(5)], log, [note(5)]))).to.deep.equal([
      'tampered',
      'ROOT_MISMATCH 0–4',
      'FORK 0–4',
    ]);
  });

  it('is a finding where the log’s key did not sign it, one for all', async () => {
    const strange = signCheckpoint({ origin, ...heads[1]! }, signingKey(origin, new Uint8Array(32).fill(99)));
    const changed = note(3).replace(/\n3\n/, '\n4\n');
    const report = await verdictOf(['nothing', strange, changed, note(2)]);
    expect(found(report)).to.deep.equal(['tampered', 'SIGNATURE_INVALID null–null']);
    expect(report.findings[0]!.found).to.match(/^3 that the log shows itself/);
  });

  it('is a finding whichever character of it is changed', async () => {
    const good = note(4);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: good.length - 1 }),
        fc.constantFrom('A', '0', '\n', ' '),
        async (at, character) => {
          fc.pre(good[at] !== character);
          const bad = `${good.slice(0, at)}${character}${good.slice(at + 1)}`;
          expect((await verdictOf([bad])).verdict).to.equal('tampered');
        },
      ),
    );
  });
});
