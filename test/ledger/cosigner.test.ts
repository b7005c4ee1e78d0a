import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { type Cosigner, createCosigner } from '../../src/ledger/cosigner.js';
import { type Publications, publications } from '../../src/ledger/publications.js';
import { createPublisher, type Publisher } from '../../src/ledger/publisher.js';
import { type TreeReader, treeReader } from '../../src/ledger/tree-reader.js';
import { parseWitnessList } from '../../src/ledger/witness-list.js';
import { openCheckpoint } from '../../src/log/checkpoint.js';
import { formatVerifierKey, type SigningKey, signingKey } from '../../src/log/note-key.js';
import { serveWitness } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { witnessKeys } from '../log/keys.js';
import { ORIGIN, someBody, type TestLedger, testLedger } from '../support/ledger.js';

const KEY = signingKey(ORIGIN, new Uint8Array(32).fill(7));
const [w1, w2] = witnessKeys as [SigningKey, SigningKey, SigningKey];

describe('cosigner', () => {
  let log: TestLedger;
  let pools: pg.Pool[];
  let reader: TreeReader;
  let own: Publications;
  let publisher: Publisher;
  let cosigner: Cosigner;
  let told: string[];
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    log = await testLedger();
    pools = [openPool(log.url, 'access_ledger_writer', 2), openPool(log.url, 'access_ledger_reader', 2)];
    reader = treeReader(pools[1]!, 1);
    own = publications(pools[0]!, 1, randomUUID());
    publisher = createPublisher({ reader, publications: own, key: KEY, leaseSeconds: 4 });
    told = [];
  });
  afterEach(async () => {
    await cosigner.stop();
    for (const end of ends.splice(0)) await end();
    for (const pool of pools) await pool.end();
    await log.close();
  });

  /** @param wait milliseconds before it answers */
  async function witness(key: SigningKey, wait: () => number = () => 0): Promise<{ url: string; asked(): number }> {
    const keeper = {
      state: new Map() as State,
      replace: (state: State) => {
        keeper.state = state;
      },
    };
    const cosigning = new Witness({ key, logs: [KEY], keeper, now: () => new Date() });
    const inner = await serveWitness(cosigning, { host: '127.0.0.1', port: 0, tell: () => {} });
    let asked = 0;
    const outer: Server = createServer(async (request, response) => {
      asked++;
      let body = '';
      for await (const chunk of request) body += chunk;
      await sleep(wait());
      // Whoever asked may be gone, and the test over.
      if (response.destroyed) return;
      const answer = await fetch(inner.url + request.url, { method: 'POST', body });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! });
      response.end(await answer.text());
    }).listen(0, '127.0.0.1');
    await once(outer, 'listening');
    ends.push(async () => {
      outer.closeAllConnections();
      await new Promise((resolve) => outer.close(resolve));
      await inner.close(100);
    });
    return { url: `http://127.0.0.1:${(outer.address() as AddressInfo).port}`, asked: () => asked };
  }

  function start(
    urls: readonly string[],
    quorum: string,
    { timeout = 5_000, ...change }: Partial<Publications> & { timeout?: number } = {},
  ): void {
    const lines = urls.map((url, i) => `witness w${i} ${formatVerifierKey(witnessKeys[i]!)} ${url}`);
    const members = urls.map((_, i) => `w${i}`).join(' ');
    const list = parseWitnessList([...lines, `group g ${quorum} ${members}`, 'quorum g'].join('\n'), KEY);
    cosigner = createCosigner({
      list,
      reader,
      publications: { ...own, ...change },
      timeout,
      onOutcome: ({ witness: one, failed, size }) => told.push(`${one.key.name.slice(-2)} ${failed?.fault ?? size}`),
    });
  }

  async function publish(): Promise<number> {
    await log.ledger.append([someBody({ asOf: 0 }), someBody({ asOf: 0 })]);
    return ((await publisher.publish()) as { size: number }).size;
  }

  it('keeps what all cosigned, so that the checkpoint opens by every key', async () => {
    start([(await witness(w1)).url, (await witness(w2)).url], 'all');
    await cosigner.followNewest();
    for (let round = 0; round < 3; round++) {
      const size = await publish();
      await cosigner.followNewest();
      const { note, cosignatures } = (await reader.newestSigned(2))!;
      const whole = note + cosignatures.map((line) => `${line}\n`).join('');
      expect(openCheckpoint(whole, KEY, [w1, w2]).signed).to.have.length(3);
      expect(openCheckpoint(whole, KEY).size).to.equal(size);
    }
  });

  it('asks nobody again who has cosigned, also after another server has', async () => {
    const one = await witness(w1);
    start([one.url], 'all');
    await publish();
    await cosigner.followNewest();
    expect(one.asked()).to.equal(1);
    start([one.url], 'all');
    await cosigner.followNewest();
    expect([one.asked(), told]).to.deep.equal([1, ['w3 2']]);
  });

  it('waits for no more than enough, and keeps what comes later', async () => {
    const slow = await witness(w2, () => 800);
    start([(await witness(w1)).url, slow.url], 'any');
    for (let round = 0; round < 2; round++) {
      await publish();
      await cosigner.followNewest();
    }
    expect(told).to.deep.equal(['w3 2', 'w3 4']);
    expect(slow.asked(), 'one question at a time').to.equal(1);
    while (told.length < 3) await sleep(20);
    expect(told[2]).to.equal('w4 2');
    expect((await reader.newestSigned(2))!.size).to.equal(2);
  });

  it('reaches a quorum of a fast and a slow one, while checkpoints go on', async () => {
    const slow = await witness(w2, () => 120);
    start([(await witness(w1)).url, slow.url], 'all');
    for (let round = 0; round < 4; round++) {
      const round1 = await publish();
      const following = cosigner.followNewest();
      await publish();
      await following;
      expect((await reader.newestSigned(2))!.size).to.equal(round1);
    }
  });

  it('goes on without a dead one, and says so each time; asks it again when it is back', async () => {
    let dead = true;
    const lazarus = await witness(w2, () => (dead ? 3_000 : 0));
    start([(await witness(w1)).url, lazarus.url], 'all', { timeout: 600 });
    const size = await publish();
    await cosigner.followNewest();
    expect(told).to.deep.equal([`w3 ${size}`, 'w4 TIMED_OUT']);
    dead = false;
    await cosigner.followNewest();
    expect(told.slice(2)).to.deep.equal([`w4 ${size}`]);
    expect((await reader.newestSigned(2))!.size).to.equal(size);
  });

  it('says where a cosignature could not be kept, and asks for it again', async () => {
    let broken = true;
    start([(await witness(w1)).url], 'all', {
      cosign: async (...args) => {
        if (broken) throw new Error('gone');
        await own.cosign(...args);
      },
    });
    const size = await publish();
    await cosigner.followNewest();
    broken = false;
    await cosigner.followNewest();
    expect(told).to.deep.equal(['w3 NOT_KEPT', `w3 ${size}`]);
  });

  it('stops at once, whoever it waits for', async () => {
    start([(await witness(w1, () => 3_000)).url], 'all');
    await publish();
    const following = cosigner.followNewest();
    await sleep(50);
    const began = performance.now();
    await cosigner.stop();
    await following;
    expect(performance.now() - began).to.be.lessThan(1_500);
    expect(told).to.deep.equal(['w3 TIMED_OUT']);
  });
});
