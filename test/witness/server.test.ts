import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { toUtf8 } from '../../src/log/bytes.js';
import { openCheckpoint } from '../../src/log/checkpoint.js';
import { openCosignature } from '../../src/log/cosignature.js';
import { sha256Hex } from '../../src/log/hash.js';
import { parseNote } from '../../src/log/note.js';
import { signingKey } from '../../src/log/note-key.js';
import { MAX_BODY_BYTES, serveWitness, type Tell, type WitnessServer } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { StateError } from '../../src/witness/state-error.js';
import { Witness } from '../../src/witness/witness.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { Log } from './logs.js';

const [key] = witnessKeys;
const log = new Log(60);
const rewritten = new Log(60, 1, 10);
const stranger = new Log(9, 0, 0, signingKey('secret.example/log', impostorKey.seed));

describe('witness over HTTP', () => {
  let server: WitnessServer;
  let told: Parameters<Tell>[];
  let keeper: { state: State; replace(state: State): void };
  beforeEach(async () => {
    told = [];
    keeper = {
      state: new Map(),
      replace: (state) => {
        keeper.state = state;
      },
    };
    const witness = new Witness({ key: key!, logs: [logKey], keeper, now: () => new Date(1_790_000_000_000) });
    server = await serveWitness(witness, {
      host: '127.0.0.1',
      port: 0,
      tell: (...line) => told.push(line),
      limits: { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 50 },
    });
  });
  afterEach(() => server.close(1_000));

  const post = (body: string | Uint8Array | ReadableStream) =>
    fetch(`${server.url}/add-checkpoint`, {
      method: 'POST',
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit);

  it('cosigns, and shows what it cosigned last', async () => {
    const response = await post(await log.request(0, 20));
    const line = await response.text();
    expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'text/plain; charset=utf-8']);
    const { text } = parseNote(await log.checkpoint(20));
    expect(openCosignature(text, line, key!)).to.deep.equal({ line, time: 1_790_000_000 });

    const shown = await fetch(`${server.url}/${sha256Hex(toUtf8(ORIGIN))}/checkpoint`);
    expect(openCheckpoint(await shown.text(), logKey, [key!]).signed).to.have.length(2);
    const none = await fetch(`${server.url}/${sha256Hex(toUtf8('other.example/log'))}/checkpoint`);
    expect([shown.status, none.status]).to.deep.equal([200, 404]);
  });

  it('answers with the statuses of C2SP tlog-witness', async () => {
    await post(await log.request(0, 20));
    const found = await Promise.all(
      [
        log.request(20, 15),
        'hello',
        Uint8Array.of(0xff),
        new Log(30, 0, 0, impostorKey).request(20, 30),
        stranger.request(0, 9),
        log.request(5, 30),
        rewritten.request(20, 30),
      ].map(async (body) => (await post(await body)).status),
    );
    expect(found).to.deep.equal([400, 400, 400, 403, 404, 409, 422]);
  });

  it('names its size in a 409, as text/x.tlog.size', async () => {
    await post(await log.request(0, 20));
    const response = await post(await log.request(0, 30));
    expect(response.headers.get('content-type')).to.equal('text/x.tlog.size');
    expect(await response.text()).to.equal('20\n');
  });

  it('cosigns one history for requests that come at once', async () => {
    const requests = [log, rewritten].flatMap((one) => Array.from({ length: 12 }, (_, i) => one.request(0, 20 + i)));
    const answers = await Promise.all((await Promise.all(requests)).map(post));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(answers.filter(({ status }) => status === 409)).to.have.length(23);
  });

  it('reads no more than a request may have', async () => {
    const least = await post('x'.repeat(MAX_BODY_BYTES));
    const declared = await post('x'.repeat(MAX_BODY_BYTES + 1));
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) });
    const streamed = await post(endless).then(
      ({ status }) => status,
      () => 413,
    );
    expect([least.status, declared.status, streamed]).to.deep.equal([400, 413, 413]);
  });

  it('knows no other path or method', async () => {
    for (const [method, path, status] of [
      ['GET', '/add-checkpoint', 405],
      ['PUT', '/add-checkpoint', 405],
      ['POST', `/${'0'.repeat(64)}/checkpoint`, 405],
      ['GET', `/${'0'.repeat(63)}/checkpoint`, 404],
      ['GET', `/${'A'.repeat(64)}/checkpoint`, 404],
      ['GET', '/', 404],
      ['POST', '/sign-subtree', 404],
    ] as const) {
      expect((await fetch(server.url + path, { method })).status, `${method} ${path}`).to.equal(status);
    }
  });

  for (const [what, sent] of Object.entries({
    'no request': '',
    'half a header': 'POST /add-checkpoint HTTP/1.1\r\nhost: a',
    'half a body': 'POST /add-checkpoint HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nold',
  })) {
    it(`does not wait for who sends ${what}`, async () => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(sent));
      socket.resume().on('error', () => {});
      await once(socket, 'close');
    }).timeout(4_000);
  }

  it('says that it cannot keep its state, and cosigns nothing', async () => {
    keeper.replace = () => {
      throw new StateError('STATE_UNUSABLE', {
        cause: Object.assign(new Error(`ENOSPC '/secret'`), { code: 'ENOSPC' }),
      });
    };
    const response = await post(await log.request(0, 20));
    expect([response.status, await response.text()]).to.deep.equal([500, 'the witness cannot keep its state\n']);
    expect(told).to.deep.equal([
      ['error', 'no cosignature: the state could not be kept', { code: 'STATE_UNUSABLE', cause: 'ENOSPC' }],
    ]);
  });

  it('answers a fault of its own without a word of it', async () => {
    keeper.replace = () => {
      throw new TypeError('secret');
    };
    const response = await post(await log.request(0, 20));
    expect([response.status, await response.text()]).to.deep.equal([500, 'a fault of the witness\n']);
    expect(told).to.deep.equal([['error', 'a request failed', { error: 'TypeError' }]]);
  });

  it('logs what happened, and nothing that a stranger sent', async () => {
    await post(await log.request(0, 20));
    await post(await stranger.request(0, 9));
    await post('secret');
    await post(await log.request(0, 30));
    expect(told.map(([level, message, { ms: _, ...fields }]) => [level, message, fields])).to.deep.equal([
      ['info', 'add-checkpoint', { origin: ORIGIN, size: 20, outcome: 'COSIGNED' }],
      ['info', 'add-checkpoint', { origin: null, size: null, outcome: 'UNKNOWN_LOG' }],
      ['info', 'add-checkpoint', { origin: null, size: null, outcome: 'MALFORMED' }],
      ['info', 'add-checkpoint', { origin: ORIGIN, size: 30, outcome: 'CONFLICT' }],
    ]);
  });

  it('logs the proof of a fork', async () => {
    await post(await log.request(0, 20));
    await post(await rewritten.request(20, 20));
    const [, , fields] = told.find(([level]) => level === 'error')!;
    for (const note of [fields.cosigned, fields.offered]) {
      expect(openCheckpoint(String(note), logKey).size).to.equal(20);
    }
  });

  it('ends with what is under way answered, and idle connections closed', async () => {
    await post(await log.request(0, 20));
    const began = performance.now();
    await server.close(5_000);
    expect(performance.now() - began).to.be.lessThan(1_000);
  });
});
