import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createClient } from 'graphql-sse';
import type { Caller } from '../../src/server/authentication.js';
import { Unauthenticated } from '../../src/server/unauthenticated.js';
import { eventsIn, type ServerEvent } from '../support/events.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { STORED, startToys, type ToyOptions, type Toys, ticked } from './toy.js';

const ADA: Caller = { issuer: 'https://a.example.com', subject: 'ada', roles: ['security-reviewer'], expires: 2 ** 40 };

/** GraphQL over SSE, distinct connections mode. */
describe('a stream', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  const callers = new Map<string, Caller | Error>();
  before(async () => {
    provider = await startProvider({ clients: [] });
    toys = await start();
  });
  after(async () => {
    await toys.stop();
    await provider.stop();
  });
  beforeEach(() => {
    callers.clear();
    for (const subject of ['ada', 'bo']) callers.set(`Bearer ${subject}`, { ...ADA, subject });
    callers.set('Bearer olga', { ...ADA, roles: ['operator'] });
  });

  function start(options: ToyOptions = {}): Promise<Toys> {
    const authenticate = async (authorization: string | undefined) => {
      const known = callers.get(authorization ?? '') ?? new Unauthenticated('TOKEN_MISSING');
      if (known instanceof Error) throw known;
      return known;
    };
    return startToys(provider, { authenticate, ...options });
  }

  interface Sent {
    readonly to?: Toys;
    readonly as?: string;
    readonly headers?: Record<string, string>;
    readonly signal?: AbortSignal;
    readonly variables?: object;
  }
  const send = (query: unknown, { to = toys, as = 'ada', headers, signal, variables }: Sent = {}) =>
    fetch(`${to.url}/graphql/stream`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${as}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
      ...(signal && { signal }),
    });
  const all = async (response: Response): Promise<ServerEvent[]> => {
    const events: ServerEvent[] = [];
    for await (const event of eventsIn(response)) events.push(event);
    return events;
  };
  /** The codes of errors in the order in which they came, and `complete`. */
  const course = async (response: Response): Promise<string[]> =>
    (await all(response)).map(({ event, data }) =>
      event === 'complete'
        ? `complete${data}`
        : (JSON.parse(data).errors?.[0].extensions.code ?? JSON.parse(data).data.ticks),
    );
  const until = async (holds: () => boolean) => {
    for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(10);
    expect(holds()).to.equal(true);
  };

  it('is the events of a subscription, each a result, and an end', async () => {
    const response = await send('subscription { ticks(count: 3) }');
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(await all(response)).to.deep.equal([
      // What it caused is told once.
      {
        event: 'next',
        data: '{"data":{"ticks":"tick 0"},"extensions":{"ledger":{"entries":[{"index":5,"link":"link 5"}]}}}',
      },
      { event: 'next', data: '{"data":{"ticks":"tick 1"}}' },
      { event: 'next', data: '{"data":{"ticks":"tick 2"}}' },
      { event: 'complete', data: '' },
    ]);
  });

  it('is read by a client that others wrote, which comes back where it broke off', async () => {
    const other = await start();
    const client = createClient({
      url: `${other.url}/graphql/stream`,
      headers: { authorization: 'Bearer ada' },
      retryAttempts: 0,
    });
    const seen: unknown[] = [];
    for await (const { data } of client.iterate({ query: 'subscription { ticks(count: 2) }' })) seen.push(data);
    expect(seen).to.deep.equal([{ ticks: 'tick 0' }, { ticks: 'tick 1' }]);

    const broken = client.iterate({ query: 'subscription { ticks(count: 1, then: "wait") }' });
    expect((await broken.next()).value).to.have.nested.property('data.ticks', 'tick 0');
    void other.stop();
    expect((await broken.next()).value).to.have.nested.property('errors[0].extensions.code', 'UNAVAILABLE');
    const lost = await broken.next().catch((error: unknown) => error);
    expect(lost, 'no completion').to.be.instanceOf(Error);
  });

  it('says what is wrong before the first event as an event, so that clients can read it', async () => {
    const cases: Record<string, string> = {
      'subscription {': 'GRAPHQL_PARSE_FAILED',
      'subscription { tocks }': 'GRAPHQL_VALIDATION_FAILED',
      'subscription { ticks(count: 1) } subscription Q { ticks }': 'GRAPHQL_VALIDATION_FAILED',
      'subscription P { ticks(count: 1) } subscription Q { ticks }': 'OPERATION_UNKNOWN',
      '{ __typename }': 'NO_SUBSCRIPTION',
      'mutation { change }': 'NO_SUBSCRIPTION',
      'subscription ($n: Int!) { ticks(count: $n) }': 'BAD_INPUT',
      [`subscription { ticks ${'__typename '.repeat(1_001)} }`]: 'QUERY_TOO_LARGE',
      [`subscription { ${'a: '.repeat(1)}ticks }`]: 'tick',
    };
    for (const [query, code] of Object.entries(cases)) {
      const said = await course(await send(query));
      expect(said, query).to.deep.equal(code === 'tick' ? ['complete'] : [code, 'complete']);
    }
  });

  it('has the limits of queries', async () => {
    const small = await start({ limits: { depth: 0, rate: { operations: 3, seconds: 60 } } });
    expect(await course(await send('subscription { ticks(count: 1) }', { to: small }))).to.deep.equal([
      'QUERY_TOO_DEEP',
      'complete',
    ]);
    const strict = await start({ limits: { complexity: 0 } });
    expect(await course(await send('subscription { ticks(count: 1) }', { to: strict }))).to.deep.equal([
      'QUERY_TOO_COMPLEX',
      'complete',
    ]);
    for (let nth = 0; nth < 2; nth++) await all(await send('subscription { ticks }', { to: small }));
    const beyond = await send('subscription { ticks }', { to: small });
    expect([beyond.status, (await beyond.text()).includes('RATE_LIMITED')]).to.deep.equal([429, true]);
    await Promise.all([small.stop(), strict.stop()]);
  });

  it('is for those who may ask, and is asked by POST, in JSON, for events', async () => {
    const outcome = async (response: Response) => [
      response.status,
      JSON.parse(await response.text()).errors[0].extensions.code,
    ];
    expect(await outcome(await send('subscription { ticks }', { as: 'nobody' }))).to.deep.equal([401, 'TOKEN_MISSING']);
    expect(await outcome(await send('subscription { ticks }', { as: 'olga' }))).to.deep.equal([
      403,
      'TOKEN_ROLE_MISSING',
    ]);
    const accepting = (accept: string) => send('subscription { ticks }', { headers: { accept } });
    expect(await outcome(await accepting('application/json'))).to.deep.equal([406, 'NOT_ACCEPTABLE']);
    for (const accept of ['*/*', 'application/json, text/event-stream;q=0.5']) {
      expect((await accepting(accept)).status, accept).to.equal(200);
    }
    expect(await outcome(await send(7))).to.deep.equal([400, 'BAD_REQUEST']);
    expect(await outcome(await send('subscription { ticks }', { variables: [] }))).to.deep.equal([400, 'BAD_REQUEST']);
    const got = await fetch(`${toys.url}/graphql/stream?query=subscription{ticks}`, {
      headers: { authorization: 'Bearer ada', accept: 'text/event-stream' },
    });
    expect(await outcome(got)).to.deep.equal([404, 'NOT_FOUND']);
  });

  it('goes on after an event that fails, and ends with what fails as a whole; nothing stored leaves', async () => {
    expect(await course(await send('subscription { ticks(count: 3, then: "badly") }'))).to.deep.equal([
      'tick 0',
      'INTERNAL',
      'tick 2',
      'complete',
    ]);
    const cases = { refusal: 'NO_NEED_TO_KNOW', unique: 'INTERNAL', fault: 'TRY_AGAIN', gone: 'UNAVAILABLE' };
    for (const [then, code] of Object.entries(cases)) {
      const text = await (await send(`subscription { ticks(count: 1, then: "${then}") }`)).text();
      expect(text).to.include(code).and.not.include(STORED);
      // What another attempt may not meet is not the end.
      expect(text.endsWith('event: complete\ndata: \n\n'), then).to.equal(!['TRY_AGAIN', 'UNAVAILABLE'].includes(code));
    }
    expect(toys.logged()).to.not.include(STORED);
  });

  it('makes no more than a slow reader takes, and what fits between', async () => {
    const controller = new AbortController();
    const before = ticked.count;
    const response = await send('subscription { ticks(count: 100000, size: 1000) }', { signal: controller.signal });
    const events = eventsIn(response);
    await events.next();
    let made = 0;
    do {
      made = ticked.count - before;
      await sleep(300);
    } while (ticked.count - before > made + 1_000 && made < 20_000);
    // 100 MB were to come; what there is on the way is in the buffers of both ends of the connection.
    expect(ticked.count - before)
      .to.be.within(made, made + 1_000)
      .and.below(20_000);
    for (let nth = 0; nth < made + 500; nth++) {
      expect((await events.next()).value?.data, 'in order').to.include(`tick ${nth + 1}.`);
    }
    controller.abort();
  });

  it('ends what it follows when the reader goes', async () => {
    const { ended } = ticked;
    const controller = new AbortController();
    const response = await send('subscription { ticks(count: 1, then: "wait") }', { signal: controller.signal });
    await eventsIn(response).next();
    controller.abort();
    await until(() => ticked.ended === ended + 1);
  });

  it('ends when its token no longer lets in, with the reason', async () => {
    for (const code of ['TOKEN_EXPIRED', 'TOKEN_ROLE_MISSING', 'TOKEN_KEY_UNKNOWN'] as const) {
      callers.set('Bearer ada', ADA);
      const { ended } = ticked;
      const said = course(await send('subscription { ticks(count: 1, then: "wait") }'));
      callers.set(
        'Bearer ada',
        code === 'TOKEN_ROLE_MISSING' ? { ...ADA, roles: ['operator'] } : new Unauthenticated(code),
      );
      expect(await said).to.deep.equal(['tick 0', code, 'complete']);
      await until(() => ticked.ended === ended + 1);
    }
  });

  it('is one of a few of each caller, and of some in all', async () => {
    const few = await start({ limits: { streams: { ofCaller: 2, total: 3 } } });
    const waiting = 'subscription { ticks(count: 1, then: "wait") }';
    const controllers: AbortController[] = [];
    const open = async (as: string) => {
      const controller = new AbortController();
      controllers.push(controller);
      return (await send(waiting, { to: few, as, signal: controller.signal })).status;
    };
    expect([await open('ada'), await open('ada'), await open('ada')]).to.deep.equal([200, 200, 429]);
    expect([await open('bo'), await open('bo')]).to.deep.equal([200, 429]);
    controllers[0]!.abort();
    let status = 429;
    for (let tries = 0; tries < 100 && status === 429; tries++) {
      await sleep(10);
      status = await open('ada');
    }
    expect(status).to.equal(200);
    await few.stop();
  });

  it('ends at once when the server stops, without a completion, and none begins then', async () => {
    const other = await start();
    const before = ticked.count;
    const said = course(await send('subscription { ticks(count: 1, then: "wait") }', { to: other }));
    while (ticked.count === before) await sleep(5);
    await sleep(50);
    const began = performance.now();
    await other.stop();
    expect(performance.now() - began).to.be.below(1_500);
    expect(await said).to.deep.equal(['tick 0', 'UNAVAILABLE']);
  });
});
