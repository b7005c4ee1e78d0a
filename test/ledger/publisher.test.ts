import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { type Publications, publications } from '../../src/ledger/publications.js';
import { createPublisher, LogRewritten, type Published, type Publisher } from '../../src/ledger/publisher.js';
import { type TreeReader, treeReader } from '../../src/ledger/tree-reader.js';
import { openCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { checkConsistency, proveConsistency } from '../../src/log/consistency.js';
import { signingKey, type VerifierKey } from '../../src/log/note-key.js';
import { tiledHashes } from '../../src/log/tile.js';
import { Frontier, type Hash } from '../../src/log/tree.js';
import { ORIGIN, someBody, type TestLedger, testLedger } from '../support/ledger.js';

const KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));
const VERIFIER: VerifierKey = KEY;

describe('publisher', () => {
  let log: TestLedger;
  let writer: pg.Pool;
  let pool: pg.Pool;
  let reader: TreeReader;
  beforeEach(async () => {
    log = await testLedger();
    writer = openPool(log.url, 'access_ledger_writer', 4);
    pool = openPool(log.url, 'access_ledger_reader', 4);
    reader = treeReader(pool, 1);
  });
  afterEach(async () => {
    await writer.end();
    await pool.end();
    await log.close();
  });

  const append = (count: number) => log.ledger.append(Array.from({ length: count }, () => someBody({ asOf: 0 })));
  const server = (change: (own: Publications) => Partial<Publications> = () => ({})): Publisher => {
    const own = publications(writer, 1, randomUUID());
    return createPublisher({ reader, publications: { ...own, ...change(own) }, key: KEY, leaseSeconds: 4 });
  };
  const expireLease = () => log.sql("UPDATE ledger.lease SET until = now() - interval '1 s'");

  /** Every checkpoint that was ever signed: of the entries as they stand, and each the beginning of the next. */
  async function checkAll(): Promise<number[]> {
    const notes = await log.sql<{ note: string }>(
      'SELECT note FROM ledger.checkpoint WHERE note IS NOT NULL ORDER BY size',
    );
    const signed = notes.map(({ note }) => openCheckpoint(note, VERIFIER));
    const links = await reader.links(0, 100_000);
    const tree = new Frontier();
    const roots = new Map<number, Hash>();
    for (const link of links) {
      tree.append(link);
      roots.set(tree.size, tree.root());
    }
    for (const [nth, { size, root }] of signed.entries()) {
      expect(root).to.deep.equal(roots.get(size));
      const next = signed[nth + 1];
      if (!next) continue;
      const proof = await proveConsistency(size, next.size, tiledHashes(signed.at(-1)!.size, reader));
      expect(checkConsistency(proof, { size, root }, next)).to.equal(true);
    }
    return signed.map(({ size }) => size);
  }

  it('signs what has been added, and nothing where nothing was', async () => {
    const publisher = server();
    expect(await publisher.publish()).to.equal('idle');
    await append(3);
    const first = (await publisher.publish()) as Published;
    expect(first.size).to.equal(3);
    expect(await publisher.publish()).to.equal('idle');
    await append(600);
    expect(await publisher.publish()).to.have.property('size', 603);
    await append(1);
    expect(await publisher.publish()).to.have.property('size', 604);
    expect(await checkAll()).to.deep.equal([3, 603, 604]);
    expect(await log.sql('SELECT level, index::int FROM ledger.tile ORDER BY index')).to.deep.equal([
      { level: 0, index: 0 },
      { level: 0, index: 1 },
    ]);
  });

  it('is one of many, and the next one when that stops or dies', async () => {
    const [one, two, three] = [server(), server(), server()];
    await append(300);
    expect(await one.publish()).to.have.property('size', 300);
    await append(1);
    expect(await two.publish()).to.equal('standby');
    await one.release();
    expect(await two.publish()).to.have.property('size', 301);
    await append(300);
    expect(await three.publish()).to.equal('standby');
    await expireLease();
    expect(await three.publish()).to.have.property('size', 601);
    expect(await two.publish()).to.equal('standby');
    expect(await checkAll()).to.deep.equal([300, 301, 601]);
  });

  it('signs one root for a size, however many believe that they publish', async () => {
    const forced = (own: Publications) => ({ lease: () => expireLease().then(() => own.lease(9)) });
    const servers = Array.from({ length: 4 }, () => server(forced));
    for (let round = 0; round < 8; round++) {
      await append(40);
      const outcomes = await Promise.allSettled(servers.map((publisher) => publisher.publish()));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
    await server().publish();
    const sizes = await checkAll();
    expect(new Set(sizes).size).to.equal(sizes.length);
    expect(await reader.newestSigned()).to.have.property('size', 320);
  });

  /** What is left by a publisher that dies at a step: before it, or after it was done and before that was known. */
  const DEATHS: Record<string, (own: Publications) => Partial<Publications>> = {
    'before it is staged': () => ({ stage: die }),
    'when it is staged': (own) => ({ stage: (...args) => own.stage(...args).then(die) }),
    'before it is signed': () => ({ sign: die }),
    'when it is signed': (own) => ({ sign: (...args) => own.sign(...args).then(die) }),
  };
  async function die(): Promise<never> {
    throw new Error('killed');
  }
  for (const [when, death] of Object.entries(DEATHS)) {
    it(`leaves nothing that the next one could not take up, killed ${when}`, async () => {
      await append(700);
      await server().publish();
      await expireLease();
      await append(400);
      const killed = server(death);
      expect(await killed.publish().catch((error: Error) => error.message)).to.equal('killed');
      await expireLease();
      await append(1);
      const next = server();
      while ((await next.publish()) !== 'idle');
      expect((await checkAll()).at(-1)).to.equal(1_101);
      const unsigned = await log.sql('SELECT FROM ledger.checkpoint WHERE note IS NULL');
      expect(unsigned).to.have.length(0);
    });
  }

  for (const [where, index] of [
    ['a full tile', 100],
    ['the partial one', 610],
  ] as const) {
    it(`signs nothing any more once an entry in ${where} was replaced`, async () => {
      await append(620);
      const publisher = server();
      await publisher.publish();
      await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER ALL');
      await log.sql("UPDATE ledger.entry SET link = sha256('x') WHERE index = $1", [index]);
      await log.sql('ALTER TABLE ledger.tile DISABLE TRIGGER ALL');
      // A superuser who knows how tiles are made.
      await log.sql(
        `UPDATE ledger.tile t SET hashes = (SELECT string_agg(e.link, ''::bytea ORDER BY e.index) FROM ledger.entry e
           WHERE e.index / 256 = t.index), root = sha256('y') WHERE t.index = $1 / 256`,
        [index],
      );
      await append(1);
      const again = server();
      for (const one of [publisher, publisher, again]) {
        await expireLease();
        expect(await one.publish().catch((error: unknown) => error)).to.be.instanceOf(LogRewritten);
      }
      const signed = await log.sql('SELECT size::int FROM ledger.checkpoint WHERE note IS NOT NULL');
      expect(signed).to.deep.equal([{ size: 620 }]);
    });
  }

  it('is held to it by the database: one root for a size, none smaller, and no note of another', async () => {
    await append(5);
    const publisher = server();
    const { note } = (await publisher.publish()) as Published;
    const holder = publications(writer, 1, randomUUID());
    const root = new Uint8Array(32) as Hash;
    expect(await holder.stage(6, root, [])).to.equal(false);
    await expireLease();
    await holder.lease(60);
    expect(await holder.stage(5, root, [])).to.equal(false);
    expect(await holder.stage(4, root, [])).to.equal(false);
    expect(await holder.stage(6, root, [])).to.equal(false);
    await append(1);
    expect(await holder.stage(6, root, [])).to.equal(true);
    const codeOf = (attempt: Promise<unknown>) =>
      attempt.then(
        () => null,
        (error: { sqlState?: string; code?: string }) => error.sqlState ?? error.code,
      );
    const others = [
      note,
      signCheckpoint({ origin: ORIGIN, size: 6, root: new Uint8Array(32).fill(1) as Hash }, KEY),
      signCheckpoint({ origin: ORIGIN, size: 7, root }, KEY),
    ];
    for (const other of others) expect(await codeOf(holder.sign(6, other))).to.equal('AL008');
    expect(await codeOf(holder.sign(5, signCheckpoint({ origin: ORIGIN, size: 5, root }, KEY)))).to.equal('AL008');
    await holder.sign(6, signCheckpoint({ origin: ORIGIN, size: 6, root }, KEY));
    for (const sql of [
      'UPDATE ledger.checkpoint SET note = NULL',
      'UPDATE ledger.checkpoint SET root = root',
      'DELETE FROM ledger.checkpoint',
      'UPDATE ledger.tile SET root = root',
      'TRUNCATE ledger.cosignature',
    ]) {
      expect(await codeOf(log.sql(sql)), sql).to.equal('AL006');
    }
    expect(await codeOf(log.as('access_ledger_reader', 'SELECT ledger.lease(1, gen_random_uuid(), 5)'))).to.equal(
      '42501',
    );
    expect(
      await codeOf(log.as('access_ledger_writer', "INSERT INTO ledger.checkpoint VALUES (9, 1, '', now())")),
    ).to.equal('42501');
  });
});
