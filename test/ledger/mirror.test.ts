import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { folderStore } from '../../src/ledger/folder-store.js';
import { compareWithMirror, createMirror, type Mirror, StandsOtherwise } from '../../src/ledger/mirror.js';
import { publications } from '../../src/ledger/publications.js';
import { createPublisher, LogRewritten, type Publisher } from '../../src/ledger/publisher.js';
import { type TreeReader, treeReader } from '../../src/ledger/tree-reader.js';
import { openCheckpoint } from '../../src/log/checkpoint.js';
import { linkOf, parseLeaf } from '../../src/log/leaf.js';
import { signingKey } from '../../src/log/note-key.js';
import { formatBundlePath, formatTilePath, parseBundle, tileAt, tiledHashes } from '../../src/log/tile.js';
import { rootAt } from '../../src/log/tree.js';
import { ORIGIN, someBody, type TestLedger, testLedger } from '../support/ledger.js';

const HOLDER = randomUUID();
const KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));

interface Log extends TestLedger {
  readonly reader: TreeReader;
  append(count: number): Promise<unknown>;
  publisher(mirrored?: Mirror | null): Publisher;
}

describe('mirror', () => {
  let folder: string;
  let mirror: Mirror;
  const opened: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'access-ledger-mirror-'));
    mirror = createMirror(folderStore(folder), KEY);
  });
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
    await rm(folder, { recursive: true });
  });

  async function openLog(): Promise<Log> {
    const log = await testLedger();
    const pools: pg.Pool[] = (['access_ledger_writer', 'access_ledger_reader'] as const).map((role) =>
      openPool(log.url, role, 2),
    );
    const [writer, pool] = pools as [pg.Pool, pg.Pool];
    const reader = treeReader(pool, 1);
    opened.push(async () => {
      for (const one of pools) await one.end();
      await log.close();
    });
    return {
      ...log,
      reader,
      append: (count) => log.ledger.append(Array.from({ length: count }, () => someBody({ asOf: 0 }))),
      publisher: (mirrored: Mirror | null = mirror) =>
        createPublisher({
          reader,
          publications: publications(writer, 1, HOLDER),
          key: KEY,
          leaseSeconds: 4,
          ...(mirrored && { mirror: mirrored }),
        }),
    };
  }
  const follow = ({ reader }: Log) => mirror.followNewest(reader);
  const file = (path: string) => readFile(join(folder, path));
  const failing = (attempt: Promise<unknown>) => attempt.catch((error: unknown) => error);

  it('holds what a stranger needs to check the log, and nothing that a full tile has replaced', async () => {
    const log = await openLog();
    const publisher = log.publisher();
    for (const count of [3, 300, 400]) {
      await log.append(count);
      await publisher.publish();
      await follow(log);
    }
    const { size, root } = openCheckpoint((await file('checkpoint')).toString(), KEY);
    expect(size).to.equal(703);
    expect(await file('checkpoints/000/000/303')).to.have.length.above(100);
    const read = (tiles: Parameters<typeof formatTilePath>[0][]) =>
      Promise.all(tiles.map(async (tile) => new Uint8Array(await file(formatTilePath(tile)))));
    expect(await rootAt(size, tiledHashes(size, { read: (tiles) => read([...tiles]) }))).to.deep.equal(root);
    for (let index = 0, tile = tileAt(0, 0, size); tile; tile = tileAt(0, ++index, size)) {
      const leaves = parseBundle(await file(formatBundlePath(tile)))!;
      expect(leaves.map((leaf) => parseLeaf(leaf)?.index)).to.deep.equal(leaves.map((_, at) => index * 256 + at));
      expect(Buffer.from(leaves.map(linkOf).join(''), 'hex')).to.deep.equal(await file(formatTilePath(tile)));
    }
    expect((await readdir(join(folder, 'tile/0'))).sort()).to.deep.equal(['000', '001', '002.p']);
    expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.draft'))).to.deep.equal([]);
  });

  it('shows a log that was cut, or is another', async () => {
    const log = await openLog();
    await log.append(300);
    await log.publisher().publish();
    await follow(log);
    const state = ({ reader }: Log) => compareWithMirror(mirror, reader);
    expect(await state(log)).to.equal(null);

    const other = await openLog();
    await other.append(299);
    expect(await state(other)).to.equal('LOG_SHORTER_THAN_MIRROR');
    expect(await failing(other.publisher().publish())).to.be.instanceOf(LogRewritten);
    await other.append(2);
    expect(await failing(other.publisher().publish())).to.be.instanceOf(LogRewritten);
    expect(await other.reader.newestCheckpoint()).to.equal(null);
    // Signed by a server that has no mirror.
    await other.publisher(null).publish();
    expect(await state(other)).to.equal('LOG_DIFFERS_FROM_MIRROR');
  });

  it('has the same size signed again where the database lost its checkpoints, and not its log', async () => {
    const log = await openLog();
    await log.append(600);
    await log.publisher().publish();
    await follow(log);
    await log.append(50);
    await log.sql('ALTER TABLE ledger.tile DISABLE TRIGGER ALL');
    await log.sql('ALTER TABLE ledger.checkpoint DISABLE TRIGGER ALL');
    await log.sql('DELETE FROM ledger.tile');
    await log.sql('DELETE FROM ledger.checkpoint');
    await log.sql('DELETE FROM ledger.lease');
    const publisher = log.publisher();
    expect(await publisher.publish()).to.have.property('size', 600);
    expect(await publisher.publish()).to.have.property('size', 650);
    await follow(log);
    expect(await mirror.newest()).to.have.property('size', 650);
  });

  it('is not written over, and its own checkpoint is believed only by its signature', async () => {
    const log = await openLog();
    const publisher = log.publisher();
    await log.append(3);
    await publisher.publish();
    await follow(log);
    await writeFile(join(folder, 'tile/0/000.p/5'), 'something else');
    await log.append(2);
    await publisher.publish();
    expect(await failing(follow(log))).to.be.instanceOf(StandsOtherwise);
    const note = await file('checkpoint');
    await writeFile(join(folder, 'checkpoint'), note.toString().replace('\n3\n', '\n2\n'));
    expect(await failing(mirror.newest())).to.have.property('code', 'SIGNATURE_INVALID');
    expect(await failing(publisher.publish())).to.be.an('error');
  });
});
