import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createLog } from '../../src/server/log.js';
import { handleShutdown, SAME_MS, type ShutdownStep } from '../../src/server/shutdown.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { slowed, startToys, type Toys } from './toy.js';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function shutdownOf(steps: readonly ShutdownStep[]) {
  const lines: string[] = [];
  const to = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const signals = new EventEmitter();
  const exits: number[] = [];
  const shutdown = handleShutdown({
    steps,
    log: createLog({ level: 'info', to }),
    exit: (status) => exits.push(status),
    signals: signals as unknown as NodeJS.Process,
  });
  return { shutdown, signals, exits, logged: () => lines.join('') };
}

describe('shutdown', () => {
  const done: string[] = [];
  beforeEach(() => done.splice(0));
  const step = (name: string, run: () => Promise<void> = async () => {}, patience = 1_000): ShutdownStep => ({
    name,
    patience,
    run: async () => {
      await run();
      done.push(name);
    },
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`takes its steps in order at ${signal}, and exits 0`, async () => {
      const { shutdown, signals, exits } = shutdownOf([step('http', () => sleep(20)), step('database')]);
      signals.emit(signal, signal);
      await shutdown.begin('again');
      expect(done).to.deep.equal(['http', 'database']);
      expect(exits).to.deep.equal([0]);
    });
  }

  it('goes on after a step that fails or takes too long, and exits 1', async () => {
    const { shutdown, exits, logged } = shutdownOf([
      step('fails', () => Promise.reject(new Error('a secret'))),
      step('hangs', () => sleep(10_000), 20),
      step('database'),
    ]);
    await shutdown.begin('test');
    expect(done).to.deep.equal(['database']);
    expect(exits).to.deep.equal([1]);
    expect(logged()).to.include('"step":"fails"').and.include('"step":"hangs"').and.not.include('a secret');
  });

  it('exits at once at a later signal, for which a Ctrl-C that npm hands on is too soon', async () => {
    const { shutdown, signals, exits } = shutdownOf([step('hangs', () => sleep(SAME_MS + 200))]);
    signals.emit('SIGINT', 'SIGINT');
    signals.emit('SIGINT', 'SIGINT');
    await sleep(20);
    signals.emit('SIGINT', 'SIGINT');
    expect(exits).to.deep.equal([]);
    await sleep(SAME_MS);
    signals.emit('SIGTERM', 'SIGTERM');
    expect(exits).to.deep.equal([130]);
    await shutdown.begin('test');
  });

  it('takes the steps that a step adds, as one does that waits for what is still starting', async () => {
    const steps = [step('start', async () => void steps.push(step('database')))];
    const { shutdown } = shutdownOf(steps);
    await shutdown.begin('test');
    expect(done).to.deep.equal(['start', 'database']);
  });

  it('listens no more when it is disposed of', () => {
    const { shutdown, signals } = shutdownOf([]);
    shutdown.dispose();
    expect(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM')).to.equal(0);
  });
});

describe('shutdown of HTTP', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  let token: string;
  before(async () => {
    provider = await startProvider({ clients: [{ id: 'ada', roles: ['user'] }] });
    token = await provider.token('ada');
  });
  after(() => provider.stop());
  beforeEach(async () => {
    toys = await startToys(provider);
    slowed.count = 0;
  });
  afterEach(() => toys.stop());

  const slow = (ms: number) =>
    fetch(`${toys.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ slow(ms: ${ms}) }` }),
    });

  async function underWay(): Promise<void> {
    while (slowed.count === 0) await sleep(5);
  }

  it('answers what is under way, and takes no more', async () => {
    const answer = slow(300);
    await underWay();
    const began = performance.now();
    const closed = toys.http.close(5_000);
    const response = await answer;
    expect(await response.json()).to.have.nested.property('data.slow', 'done');
    await closed;
    expect(performance.now() - began).to.be.below(1_500);
    expect(await slow(0).catch(() => 'refused')).to.equal('refused');
  });

  it('cuts what does not end in time', async () => {
    const answer = slow(3_000).catch(() => 'cut');
    await underWay();
    const began = performance.now();
    await toys.http.close(200);
    expect(performance.now() - began).to.be.below(1_500);
    expect(await answer).to.equal('cut');
  });

  it('is not ready while it drains, and ends each connection', async () => {
    const { hostname, port } = new URL(toys.url);
    const socket = connect(Number(port), hostname);
    let answered = '';
    socket.on('data', (chunk) => {
      answered += chunk;
    });
    const query = encodeURIComponent('{ slow(ms: 400) }');
    const get = (path: string) =>
      `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\napollo-require-preflight: 1\r\n\r\n`;
    socket.write(get(`/graphql?query=${query}`));
    await underWay();
    const closed = toys.http.close(5_000);
    // A connection that is still busy: no other is taken any more.
    socket.write(get('/health/ready'));
    await Promise.all([closed, once(socket, 'close')]);
    const [slowly, ready] = answered.split(/(?=HTTP\/1\.1 )/);
    expect(slowly)
      .to.match(/^HTTP\/1\.1 200 /)
      .and.include('"slow":"done"');
    expect(ready)
      .to.match(/^HTTP\/1\.1 503 /)
      .and.match(/^connection: close\r$/m)
      .and.match(/\{"status":"stopping","checks":\{\}\}$/);
  });
});
