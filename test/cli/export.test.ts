import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { toUtf8 } from '../../src/log/bytes.js';
import { formatClosingLine, formatExportLine } from '../../src/log/export-line.js';
import { type TestLedger, testLedger } from '../support/ledger.js';
import { folder, type Ran, run, start } from './command.js';
import { aBody, held } from './logs.js';

const BATCH = 500;
const ENTRIES = 10_000;

describe('access-ledger export', () => {
  const { path } = folder();
  let log: TestLedger;
  /** The lines of all entries, and with the closing one. */
  let lines = '';
  let whole = '';

  before(async () => {
    log = await testLedger();
    for (let size = 0; size < ENTRIES; size += BATCH) {
      await log.ledger.append(Array.from({ length: BATCH }, () => aBody({ asOf: size })));
    }
    lines = await expected();
    whole = lines + closing(ENTRIES);
  });
  after(() => log.close());

  const closing = (entries: number, last = entries - 1) => formatClosingLine({ entries, last });

  async function expected(): Promise<string> {
    const sql = `SELECT index::int, encode(link, 'hex') AS link, leaf FROM ledger.entry ORDER BY index`;
    const rows = await log.sql<{ index: number; link: string; leaf: string }>(sql);
    return rows.map((row) => formatExportLine({ ...row, leaf: toUtf8(row.leaf) })).join('');
  }

  const exported = (file: string, ...args: string[]): Promise<Ran> =>
    run(['export', file, '--database', log.url, ...args]);

  const refused = async (says: RegExp, file: string, ...args: string[]): Promise<void> => {
    const { status, out, err } = await exported(file, ...args);
    expect([status, out], err).to.deep.equal([3, '']);
    expect(err)
      .to.match(/^access-ledger: [^\n]+\n$/)
      .and.to.match(says);
  };

  const isThere = (file: string): Promise<boolean> =>
    stat(file).then(
      () => true,
      () => false,
    );

  it('writes a line an entry, which verifies without the database, for its owner alone', async () => {
    const file = path('log.ndjson');
    const { status, out, err } = await exported(file);
    expect([status, out, err]).to.deep.equal([0, '', `${file}: 10,000 entries, complete up to entry 9999\n`]);
    expect(await readFile(file, 'utf8')).to.equal(whole);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    const { index, link } = JSON.parse(lines.trimEnd().split('\n').at(-1)!);
    const verified = await run(['verify', file, held({ index, link })]);
    expect([verified.status, verified.out]).to.deep.equal([
      0,
      'intact: all 10,000 entries attested by the held link of entry 9999\n',
    ]);
  });

  it('writes to standard output, a part if asked', async () => {
    const { out, err } = await exported('-');
    expect(err).to.equal('10,000 entries, complete up to entry 9999\n');
    expect(out === whole, 'the same bytes').to.equal(true);
    const part = await exported('-', '--from', '9', '--to', '11');
    expect(part.out).to.equal(lines.split('\n').slice(9, 12).join('\n').concat('\n', closing(3, 11)));
  });

  it('continues an export that was killed, to the same bytes', async () => {
    const file = path('killed.ndjson');
    const child = start(['export', file, '--database', log.url]);
    const ended = once(child, 'exit');
    const began = async () => (await stat(`${file}.partial`).catch(() => ({ size: 0 }))).size > 0;
    while (child.exitCode === null && !(await began())) await sleep(1);
    child.kill('SIGKILL');
    await ended;
    expect(await isThere(file)).to.equal(false);
    expect((await stat(`${file}.partial`)).size).to.be.lessThan(Buffer.byteLength(whole));
    expect((await exported(file)).err).to.match(/ entries added after entry \d+, complete up to entry 9999\n$/);
    expect(await readFile(file, 'utf8')).to.equal(whole);
    expect(await isThere(`${file}.partial`)).to.equal(false);
  });

  it('cuts off what was left of a line, wherever the export was cut', async () => {
    const file = path('cut.ndjson');
    const bytes = Buffer.from(whole);
    const all = Buffer.byteLength(lines);
    const lengths = [0, 5, bytes.indexOf(10), bytes.indexOf(10) + 1, all - 1_000, all - 1, all, all + 5, bytes.length];
    for (const length of lengths) {
      await writeFile(`${file}.partial`, bytes.subarray(0, length));
      expect((await exported(file)).status).to.equal(0);
      expect(await readFile(file, 'utf8'), `cut at ${length}`).to.equal(whole);
      await rename(file, `${file}.partial`);
    }
  });

  it('adds what is new to an export that stands', async () => {
    const file = path('grown.ndjson');
    await exported(file, '--to', '99');
    expect(await readFile(file, 'utf8')).to.equal(
      lines.split('\n').slice(0, 100).join('\n').concat('\n', closing(100)),
    );
    expect((await exported(file)).err).to.equal(
      `${file}: 9,900 entries added after entry 99, complete up to entry 9999\n`,
    );
    expect(await readFile(file, 'utf8')).to.equal(whole);
    expect((await exported(file)).err).to.equal(`${file}: nothing is new after entry 9999\n`);
  });

  it('leaves alone what is no export, or of another log, or of another part', async () => {
    const file = path('other.ndjson');
    for (const text of ['a diary', 'a diary\n', `${lines}a diary\n`, `${whole}a diary\n`, '{"index":1}\n']) {
      await writeFile(file, text);
      await refused(/no exported log/, file);
      expect(await readFile(file, 'utf8')).to.equal(text);
    }
    await writeFile(
      file,
      whole.replaceAll(/"link":"(..)/g, (_, two) => `"link":"${two === '00' ? '11' : '00'}`),
    );
    await refused(/another link: verify both/, file);
    await copyFile(path('log.ndjson'), file);
    await refused(/begins with entry 0, not 5/, file, '--from', '5');
    await refused(/goes on to entry 9999/, file, '--to', '5');
    await truncate(file, 0);
    await writeFile(`${file}.partial`, '');
    await refused(/both stand/, file);
    await refused(/no such file or folder/, path('no/where'));
    await refused(/this is no file/, path('.'));
    await refused(/--to is before --from/, file, '--from', '5', '--to', '4');
    await refused(/--from/, file, '--from', '-1');
  });

  it('is shown to be cut by the closing line that is not there, or is of more entries', async () => {
    const file = path('shortened.ndjson');
    const cut = lines.split('\n').slice(0, 9_000).join('\n').concat('\n');
    await writeFile(file, cut);
    const { index, link } = JSON.parse(cut.trimEnd().split('\n').at(-1)!);
    const open = await run(['verify', file, held({ index, link })]);
    expect([open.status, open.err]).to.deep.equal([
      0,
      `${file}: no closing line, so nobody knows whether entries at the end were cut off\n`,
    ]);
    await writeFile(file, cut + closing(ENTRIES));
    const { status, err } = await run(['verify', file, held({ index, link })]);
    expect(status).to.equal(3);
    expect(err).to.include('its closing line is of 10000 entries, and it has 9000');
  });

  it('says when the database has lost what the file has', async () => {
    const file = path('lost.ndjson');
    await copyFile(path('log.ndjson'), file);
    await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await log.sql('DELETE FROM ledger.entry WHERE index = 9999');
    await refused(/no such entry: verify both/, file);
  });

  it('finds the embedded database through DATA_DIR, or says what to do', async () => {
    const { status, err } = await run(['export', path(`${randomUUID()}`)], { env: { DATA_DIR: path('.') } });
    expect([status, err]).to.deep.equal([
      3,
      `access-ledger: no database in ${path('.')}: give --database URL, or set DATABASE_URL or DATA_DIR\n`,
    ]);
  });
});
