import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { publications } from '../../src/ledger/publications.js';
import { treeReader } from '../../src/ledger/tree-reader.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { formatVerifierKey } from '../../src/log/note-key.js';
import { checkProof, parseProof } from '../../src/log/proof.js';
import { someBody, type TestLedger, testLedger } from '../support/ledger.js';
import { LOG_KEY, publishing, type TestPublishing, WITNESSES } from '../support/publishing.js';
import { folder, run } from './command.js';
import { edited, linesOf } from './logs.js';

describe('access-ledger prove', () => {
  const { path } = folder();
  let log: TestLedger;
  let pools: pg.Pool[];
  let published: TestPublishing;
  /** The newest checkpoint before the last entry. */
  let note: string;
  let exported: string;
  before(async () => {
    log = await testLedger();
    const writer = openPool(log.url, 'access_ledger_writer', 1);
    const reader = openPool(log.url, 'access_ledger_reader', 1);
    pools = [writer, reader];
    const tree = treeReader(reader, 1);
    published = publishing({ tree, publications: publications(writer, 1, randomUUID()) });
    await append(300);
    await published.publish();
    await published.cosign();
    await append(20);
    await published.publish();
    ({ note } = (await tree.newestSigned())!);
    await append(1);
    exported = path('log.jsonl');
    expect((await run(['export', exported, '--database', log.url])).status).to.equal(0);
    await writeFile(path('note.txt'), note);
  });
  after(async () => {
    for (const pool of pools) await pool.end();
    await log.close();
  });

  const append = (count: number) => log.ledger.append(Array.from({ length: count }, () => someBody({ asOf: 0 })));
  const prove = (index: number, name: string, ...args: string[]) =>
    run(['prove', String(index), '--out', path(name), ...args]);
  const fromDatabase = (index: number, name: string) => prove(index, name, '--database', log.url);
  const fromFile = (index: number, name: string, file = exported) =>
    prove(index, name, file, '--checkpoint', path('note.txt'));
  async function read(name: string): Promise<{ file: string; leaf: string }> {
    return {
      file: await readFile(path(`${name}.tlog-proof`), 'utf8'),
      leaf: await readFile(path(`${name}.leaf`), 'utf8'),
    };
  }
  const checked = ({ file, leaf }: { file: string; leaf: string }) =>
    checkProof(toUtf8(leaf), parseProof(file), LOG_KEY, WITNESSES);

  it('writes of a database the proof and the leaf, which check-proof takes as they lie there', async () => {
    expect(await fromDatabase(310, 'newest')).to.deep.equal({
      status: 0,
      out: `${path('newest')}.tlog-proof, ${path('newest')}.leaf: entry 310 is among the first 320 of localhost/test\n`,
      err: '',
    });
    const { leaf, checkpoint } = checked(await read('newest'));
    expect([leaf.index, checkpoint.size, checkpoint.signed.length]).to.deep.equal([310, 320, 1]);
    expect((await stat(path('newest.leaf'))).mode & 0o777).to.equal(0o600);
    const { status, out } = await run(['check-proof', path('newest.tlog-proof'), '--key', formatVerifierKey(LOG_KEY)]);
    expect([status, out.split(',')[0]]).to.deep.equal([
      0,
      'proven: entry 310 is among the first 320 of localhost/test',
    ]);
  });

  it('prefers a cosigned checkpoint where that covers the entry', async () => {
    await fromDatabase(17, 'cosigned');
    const { checkpoint } = checked(await read('cosigned'));
    expect([checkpoint.size, checkpoint.signed.at(-1)!.key.name]).to.deep.equal([300, WITNESSES[0]!.name]);
  });

  it('writes the same of an exported log and a checkpoint, whichever entry', async () => {
    for (const index of [0, 319]) {
      expect((await fromFile(index, `file-${index}`)).err).to.equal('');
      expect(checked(await read(`file-${index}`)).leaf.index).to.equal(index);
    }
    await fromDatabase(319, 'database-319');
    expect(await read('file-319')).to.deep.equal(await read('database-319'));
  });

  it('replaces nothing', async () => {
    await fromDatabase(1, 'kept');
    const before = await read('kept');
    const again = await fromDatabase(2, 'kept');
    expect([again.status, again.err]).to.deep.equal([3, `access-ledger: ${path('kept')}.leaf: this stands already\n`]);
    expect(await read('kept')).to.deep.equal(before);
    await writeFile(path('half.tlog-proof'), 'older evidence');
    expect((await fromFile(2, 'half')).status).to.equal(3);
    expect(await readFile(path('half.tlog-proof'), 'utf8')).to.equal('older evidence');
    expect(await stat(path('half.leaf')).catch(({ code }) => code)).to.equal('ENOENT');
  });

  it('says in one line what it cannot prove, and that with status 3', async () => {
    const lines = (await readFile(exported, 'utf8')).split('\n');
    // But for the closing one.
    const entries = lines.slice(0, -2).map((line) => JSON.parse(line) as { index: number; link: string; leaf: string });
    const stored = entries.map((entry) => ({ ...entry, leaf: toUtf8(entry.leaf) }));
    await writeFile(path('edited'), linesOf(stored.with(5, edited(stored[5]!))));
    await writeFile(path('removed'), linesOf(stored.toSpliced(5, 1)));
    await writeFile(path('cut'), linesOf(stored.slice(0, 100)));
    await writeFile(path('garbage'), 'garbage\n');
    const wrong: readonly (readonly [RegExp, Promise<{ status: number | null; out: string; err: string }>])[] = [
      [/no checkpoint covers entry 320 yet: try again/, fromDatabase(320, 'x')],
      [/the log has no entry 321 yet/, fromDatabase(321, 'x')],
      [/note.txt: it covers 320 entries/, fromFile(320, 'x')],
      [/entry 5 does not lead to what was signed: verify/, fromFile(5, 'x', path('edited'))],
      [/removed: entry 5 is not where it should be/, fromFile(6, 'x', path('removed'))],
      [/cut: it ends before the checkpoint, with 100 entries of 320/, fromFile(6, 'x', path('cut'))],
      [/nowhere: there is no such file/, fromFile(6, 'x', path('nowhere'))],
      [/garbage: no signed note/, prove(6, 'x', exported, '--checkpoint', path('garbage'))],
      [/go together/, prove(6, 'x', exported)],
      [/not both/, prove(6, 'x', exported, '--checkpoint', path('note.txt'), '--database', log.url)],
    ];
    for (const [says, ran] of wrong) {
      const { status, out, err } = await ran;
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(says);
    }
  });

  it('makes no proof of a database that somebody has edited', async () => {
    await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await log.sql("UPDATE ledger.entry SET leaf = replace(leaf, 'support-agent', 'privacy-officer') WHERE index = 7");
    await log.sql('UPDATE ledger.entry SET index = 100000 WHERE index = 8');
    const [content, gone] = await Promise.all([fromDatabase(7, 'tampered'), fromDatabase(8, 'tampered')]);
    expect([content.status, content.err]).to.deep.equal([
      3,
      'access-ledger: entry 7 does not lead to what was signed: verify the log\n',
    ]);
    expect([gone.status, gone.err]).to.deep.equal([3, 'access-ledger: there is no entry 8: verify the log\n']);
  });
});
