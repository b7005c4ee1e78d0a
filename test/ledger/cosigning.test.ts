import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { cosign, type Outcome, type WitnessAt } from '../../src/ledger/cosigning.js';
import { parseAddCheckpoint, SIZE_MEDIA } from '../../src/log/add-checkpoint.js';
import { openCheckpoint } from '../../src/log/checkpoint.js';
import { cosign as signCosignature } from '../../src/log/cosignature.js';
import { NoteError, parseNote, signNote } from '../../src/log/note.js';
import type { SigningKey } from '../../src/log/note-key.js';
import { serveWitness, type WitnessServer } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { impostorKey, logKey, witnessKeys } from '../log/keys.js';
import { Log } from '../witness/logs.js';

const [w1, w2, w3] = witnessKeys as [SigningKey, SigningKey, SigningKey];
const TIME = 1_790_000_000;
const log = new Log(60);
const rewritten = new Log(60, 1, 10);

const faultOf = ({ failed }: Outcome) => failed?.fault ?? 'none';

describe('cosigning', () => {
  const honest: WitnessServer[] = [];
  const strange: Server[] = [];
  afterEach(async () => {
    await Promise.all(honest.splice(0).map((server) => server.close(100)));
    for (const server of strange.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** One of ours. */
  async function witness(key: SigningKey, logs = [logKey]): Promise<WitnessAt & { sizes(): number[] }> {
    const keeper = {
      state: new Map() as State,
      replace: (state: State) => {
        keeper.state = state;
      },
    };
    const cosigner = new Witness({ key, logs, keeper, now: () => new Date(TIME * 1_000) });
    const server = await serveWitness(cosigner, { host: '127.0.0.1', port: 0, tell: () => {} });
    honest.push(server);
    return { key, url: new URL(server.url), sizes: () => [...keeper.state.values()].map(({ size }) => size) };
  }

  /** One that does as it likes. */
  async function stranger(
    key: SigningKey,
    answer: (response: ServerResponse, body: string, request: IncomingMessage) => void,
    path = '',
  ): Promise<WitnessAt> {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      answer(response, body, request);
    }).listen(0, '127.0.0.1');
    strange.push(server);
    await once(server, 'listening');
    return { key, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`) };
  }

  const ask = async (
    witnesses: readonly WitnessAt[],
    size: number,
    more: Partial<Parameters<typeof cosign>[1]> = {},
    of = log,
  ): Promise<Outcome[]> =>
    cosign(await of.checkpoint(size), {
      witnesses,
      consistencyProof: (from, to) => of.proof(from, to),
      timeout: 2_000,
      ...more,
    });

  const text = async (size: number) => parseNote(await log.checkpoint(size)).text;

  it('brings the lines of all, which make the checkpoint one that all have signed', async () => {
    const witnesses = [await witness(w1), await witness(w2)];
    for (const size of [5, 20, 20, 60]) {
      const outcomes = await ask(witnesses, size);
      expect(outcomes.map(({ witness: one, size: known }) => [one, known])).to.deep.equal(
        witnesses.map((one) => [one, size]),
      );
      const note = (await log.checkpoint(size)) + outcomes.map(({ cosignature }) => cosignature!.line).join('');
      expect(openCheckpoint(note, logKey, [w1, w2]).signed.map(({ time }) => time)).to.deep.equal([null, TIME, TIME]);
    }
  });

  it('asks from the size that is known, or from the one that the witness names', async () => {
    const one = await witness(w1);
    const froms: number[] = [];
    const consistencyProof = (from: number, to: number) => {
      froms.push(from);
      return log.proof(from, to);
    };
    await ask([one], 20, { consistencyProof });
    expect(froms, 'from nothing there is no proof').to.deep.equal([]);
    await ask([one], 30, { consistencyProof, oldSizes: new Map([[one, 20]]) });
    await ask([one], 40, { consistencyProof, oldSizes: new Map([[one, 20]]) });
    await ask([one], 50, { consistencyProof });
    expect(froms).to.deep.equal([20, 20, 30, 40]);
    expect(one.sizes()).to.deep.equal([50]);
  });

  it('holds with an older checkpoint, one of another history, and a log that it does not know', async () => {
    const one = await witness(w1);
    const other = await witness(w2, [impostorKey]);
    const unknown = await witness(w3, []);
    await ask([one], 30);
    const older = await ask([one, other, unknown], 20);
    expect(older.map(faultOf)).to.deep.equal(['AHEAD', 'LOG_SIGNATURE_REFUSED', 'LOG_UNKNOWN']);
    expect(older[0]!.size).to.equal(30);
    expect((await ask([one], 40, {}, rewritten)).map(faultOf)).to.deep.equal(['INCONSISTENT']);
    expect((await ask([one], 30, {}, rewritten)).map(faultOf)).to.deep.equal(['INCONSISTENT']);
    expect((await ask([one], 20, { oldSizes: new Map([[one, 30]]) })).map(faultOf)).to.deep.equal(['AHEAD']);
  });

  const line = async (key: SigningKey, size = 20) => signCosignature(await text(size), key, TIME).line;
  const cases: Record<
    string,
    [expected: string, status: number, body: () => string | Promise<string>, media?: string]
  > = {
    'another witness’s cosignature': ['COSIGNATURE_MISSING', 200, () => line(w2)],
    'one of another checkpoint': ['COSIGNATURE_INVALID', 200, () => line(w1, 21)],
    'one without a time': ['COSIGNATURE_INVALID', 200, async () => signNote(await text(20), [w1], 0).split('\n\n')[1]!],
    'a changed one': ['COSIGNATURE_INVALID', 200, async () => (await line(w1)).replace(/.{4}==\n$/, 'AAAA==\n')],
    'a right one beside a wrong one': ['COSIGNATURE_INVALID', 200, async () => (await line(w1)) + (await line(w1, 21))],
    nothing: ['ANSWER_MALFORMED', 200, () => ''],
    'a page': ['ANSWER_MALFORMED', 200, () => '<html>\n'],
    'no end': ['ANSWER_TOO_LARGE', 200, () => 'x'.repeat(1_000_000)],
    'a size that is none': ['ANSWER_MALFORMED', 409, () => '1e3\n'],
    'a size of another type': ['ANSWER_MALFORMED', 409, () => '3\n', 'text/plain'],
    'always another size': ['CONFLICT', 409, () => '3\n'],
    'a size above': ['AHEAD', 409, () => '21\n'],
    'bad request': ['REQUEST_REFUSED', 400, () => ''],
    'too many requests': ['REFUSED', 429, () => ''],
    'bad gateway': ['REFUSED', 502, () => 'x'],
    'see other': ['REDIRECTED', 303, () => ''],
    'permanent redirect': ['REDIRECTED', 308, () => ''],
  };
  for (const [what, [expected, status, body, media = SIZE_MEDIA]] of Object.entries(cases)) {
    it(`is ${expected} where a witness answers with ${what}`, async () => {
      let asked = 0;
      const target = await witness(w1);
      const answer = await body();
      const one = await stranger(w1, (response) => {
        asked++;
        response.writeHead(status, { 'content-type': media, location: `${target.url.href}add-checkpoint` }).end(answer);
      });
      const [outcome] = await ask([one], 20);
      expect(outcome!.cosignature).to.equal(null);
      expect([outcome!.failed!.fault, outcome!.failed!.status]).to.deep.equal([
        expected,
        expected === 'AHEAD' ? null : status,
      ]);
      expect(asked).to.equal(expected === 'CONFLICT' ? 3 : 1);
      expect(target.sizes(), 'nothing follows a redirect').to.deep.equal([]);
    });
  }

  it('takes the one line that holds out of many', async () => {
    const lines = (await line(w2)) + (await line(w1)) + (await line(w3));
    const one = await stranger(w1, (response) => response.end(lines));
    const [outcome] = await ask([one], 20);
    expect(outcome!.cosignature).to.deep.equal({ line: await line(w1), time: TIME });
  });

  it('asks below the prefix, in the form of C2SP tlog-witness', async () => {
    for (const path of ['/a/b', '/a/b/']) {
      const seen: unknown[] = [];
      const one = await stranger(
        w1,
        (response, body, request) => {
          seen.push(request.method, request.url, parseAddCheckpoint(body)?.oldSize);
          response.end();
        },
        path,
      );
      await ask([one], 20, { oldSizes: new Map([[one, 7]]) });
      expect(seen).to.deep.equal(['POST', '/a/b/add-checkpoint', 7]);
    }
  });

  it('waits for none but for its time, and tells of the others before', async () => {
    const silent = await stranger(w1, () => {});
    const dripping = await stranger(w2, (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const gone = await stranger(w3, () => {});
    await new Promise((resolve) => strange.pop()!.close(resolve));
    const quick = await witness(w3);
    const told: [string, number][] = [];
    const began = performance.now();
    const outcomes = await ask([silent, dripping, gone, quick], 20, {
      timeout: 600,
      onOutcome: (outcome) => told.push([faultOf(outcome), performance.now() - began]),
    });
    expect(performance.now() - began).to.be.within(500, 5_000);
    expect(outcomes.map(faultOf)).to.deep.equal(['TIMED_OUT', 'TIMED_OUT', 'UNREACHABLE', 'none']);
    expect(told.find(([fault]) => fault === 'none')![1]).to.be.lessThan(600);
  });

  it('ends when it is told to', async () => {
    const silent = await stranger(w1, () => {});
    const outcomes = ask([silent], 20, { signal: AbortSignal.timeout(50), timeout: 10_000 });
    expect((await outcomes).map(faultOf)).to.deep.equal(['TIMED_OUT']);
  });

  it('says that it has no proof, and what threw', async () => {
    const one = await witness(w1);
    await ask([one], 20);
    const cause = new Error('no such tile');
    const [outcome] = await ask([one], 30, { consistencyProof: () => Promise.reject(cause) });
    expect(outcome!.failed).to.deep.equal({ fault: 'PROOF_FAILED', status: null, cause });
  });

  it('asks nobody about what is no checkpoint', async () => {
    for (const note of ['hello', signNote('a\nb\n', [logKey])]) {
      const asked = cosign(note, { witnesses: [], consistencyProof: () => Promise.resolve([]), timeout: 1_000 });
      expect(await asked.catch((error: unknown) => error)).to.be.instanceOf(NoteError);
    }
  });

  it('of two checkpoints at once gets both or the larger, never the other way round', async () => {
    const one = await witness(w1);
    const [small, large] = await Promise.all([ask([one], 20), ask([one], 30)]);
    expect(faultOf(large![0]!)).to.equal('none');
    expect(faultOf(small![0]!)).to.be.oneOf(['none', 'AHEAD']);
    expect(one.sizes()).to.deep.equal([30]);
  });
});
