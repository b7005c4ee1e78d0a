import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { serverAudits } from 'graphql-http';
import { FAULTS, isFaultCode } from '../../src/graphql/fault.js';
import { Refusal, refused } from '../../src/policy/refusal.js';
import type { Caller } from '../../src/server/authentication.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { LEAVES, REFUSED_ENTRY, STORED, startToys, type ToyContext, type Toys } from './toy.js';

interface Result {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
  extensions?: { ledger?: { entries: { index: number; link: string }[] } };
}

describe('http', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  let token: string;
  let operator: string;

  before(async () => {
    provider = await startProvider({
      clients: [
        { id: 'ada', roles: ['support-agent'] },
        { id: 'olga', roles: ['operator'] },
      ],
    });
    toys = await startToys(provider, { limits: { operationMs: 300, rate: { operations: 10_000, seconds: 60 } } });
    token = await provider.token('ada');
    operator = await provider.token('olga');
  });
  after(async () => {
    await toys.stop();
    await provider.stop();
  });

  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${toys.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    send('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const ask = async (query: string, variables?: unknown): Promise<Result> =>
    (await (await post({ query, variables })).json()) as Result;
  const get = (query: string, headers: Record<string, string> = { 'apollo-require-preflight': '1' }) =>
    send(`/graphql?query=${encodeURIComponent(query)}`, { headers });

  /** The code of the only error, having looked at the shape of every one. */
  const codeIn = (result: Result): string => {
    for (const { message, extensions } of result.errors ?? []) {
      expect(Object.keys(extensions)).to.deep.equal(['code', 'clause', 'missing', 'entry']);
      expect(message).to.be.a('string').and.not.equal('');
      if (isFaultCode(extensions.code))
        expect(extensions).to.deep.include({ clause: null, missing: null, entry: null });
    }
    expect(result.errors).to.have.length(1);
    return result.errors?.[0]?.extensions.code as string;
  };
  const outcome = async (response: Response): Promise<[number, string]> => [
    response.status,
    codeIn((await response.json()) as Result),
  ];

  it('answers a query, and says its id of the request', async () => {
    const response = await post({ query: '{ person(id: "1") { name } }' });
    expect(await response.json()).to.deep.equal({ data: { person: { name: 'person 1' } } });
    expect(response.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('cache-control')).to.equal('no-store');
  });

  it('passes the audits of GraphQL over HTTP, but for three notices about CSRF', async () => {
    const withToken = (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
    const audits = serverAudits({ url: `${toys.url}/graphql`, fetchFn: withToken });
    const results = await Promise.all(audits.map(({ fn }) => fn()));
    const failed = results.filter(({ status }) => status !== 'ok').map(({ id, status }) => `${id} ${status}`);
    expect(failed).to.deep.equal(['5A70 notice', 'D6D5 notice', '6A70 notice']);
    expect(results).to.have.length(61);
  });

  describe('who may ask', () => {
    for (const path of ['/graphql', '/metrics']) {
      it(`answers nobody without a token at ${path}`, async () => {
        const response = await fetch(`${toys.url}${path}`);
        expect(response.headers.get('www-authenticate')).to.equal('Bearer realm="access-ledger"');
        expect(await outcome(response)).to.deep.equal([401, 'TOKEN_MISSING']);
      });
    }

    it('does not look for tokens in the URL, in cookies or in the body', async () => {
      const query = encodeURIComponent('{ __typename }');
      const url = `${toys.url}/graphql?query=${query}&access_token=${token}&authorization=Bearer%20${token}`;
      const response = await fetch(url, {
        headers: { 'apollo-require-preflight': '1', cookie: `access_token=${token}; authorization=Bearer ${token}` },
      });
      expect(await outcome(response)).to.deep.equal([401, 'TOKEN_MISSING']);
      const posted = await fetch(`${toys.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ __typename }', access_token: token }),
      });
      expect(await outcome(posted)).to.deep.equal([401, 'TOKEN_MISSING']);
    });

    it('refuses an expired token before it reads the body', async () => {
      const expired = await provider.sign({ exp: 1, access_ledger_roles: ['support-agent'] });
      const response = await post('{ not JSON', { authorization: `Bearer ${expired}` });
      expect(response.headers.get('www-authenticate')).to.include('error="invalid_token"');
      expect(await outcome(response)).to.deep.equal([401, 'TOKEN_EXPIRED']);
    });

    it('gives metrics to operators only, and nothing else to them', async () => {
      expect(await outcome(await send('/metrics'))).to.deep.equal([403, 'TOKEN_ROLE_MISSING']);
      const authorization = `Bearer ${operator}`;
      expect(await outcome(await post({ query: '{ __typename }' }, { authorization }))).to.deep.equal([
        403,
        'TOKEN_ROLE_MISSING',
      ]);
      const metrics = await send('/metrics', { headers: { authorization } });
      expect(metrics.status).to.equal(200);
      expect(await metrics.text()).to.match(/^access_ledger_http_request_seconds_count\{.*route="\/graphql".*\} \d+$/m);
    });
  });

  describe('what an operation caused', () => {
    it('is told in the order of the log, each entry once', async () => {
      const { extensions } = await ask('{ enter(indices: [9, 2, 10, 2]) }');
      expect(extensions).to.deep.equal({
        ledger: {
          entries: [
            { index: 2, link: 'link 2' },
            { index: 9, link: 'link 9' },
            { index: 10, link: 'link 10' },
          ],
        },
      });
    });

    it('is not told where there is nothing', async () => {
      expect(await ask('{ people { id } }')).to.not.have.property('extensions');
    });

    it('is told beside an error too', async () => {
      const { errors, extensions } = await ask('{ enter(indices: [4]) fails(how: "unique") }');
      expect(errors).to.have.length(1);
      expect(extensions?.ledger?.entries).to.deep.equal([{ index: 4, link: 'link 4' }]);
    });

    it('is told for each operation of a batch by itself', async () => {
      const before = toys.contexts.length;
      const response = await post([
        { query: '{ enter(indices: [1]) }' },
        { query: 'query Bad {' },
        { query: '{ enter(indices: [3, 2]) }' },
        { query: '{ person(id: "1") { id } }' },
      ]);
      expect(response.status).to.equal(200);
      const results = (await response.json()) as Result[];
      const indices = results.map(({ extensions }) => extensions?.ledger?.entries.map(({ index }) => index));
      expect(indices).to.deep.equal([[1], undefined, [2, 3], undefined]);
      expect(codeIn(results[1] as Result)).to.equal('GRAPHQL_PARSE_FAILED');
      expect(toys.contexts.length - before).to.equal(4);
      const request = response.headers.get('x-request-id');
      expect(toys.contexts.slice(before).map((context) => context.request)).to.deep.equal(Array(4).fill(request));
    });

    it('is told when the answer was given up, and the work goes on', async () => {
      const response = await post({ query: '{ slow(ms: 500) }' });
      const result = (await response.json()) as Result;
      expect([response.status, codeIn(result)]).to.deep.equal([504, 'TIMED_OUT']);
      expect(result.extensions?.ledger?.entries).to.deep.equal([{ index: 7, link: 'link 7' }]);
    });
  });

  describe('limits', () => {
    const deep = `{ person(id: "1") { ${'friends { '.repeat(12)} id ${'} '.repeat(12)} } }`;
    const hidden = `{ person(id: "1") { ...A } } fragment A on Person { friends { friends { friends { ...B } } } }
      fragment B on Person { friends { friends { friends { friends { friends { friends { friends { ...C } } } } } } } }
      fragment C on Person { friends { id } }`;
    const bomb = `{ person(id: "1") { ...F0 } } ${Array.from(
      { length: 40 },
      (_, at) => `fragment F${at} on Person { ${at < 39 ? `...F${at + 1} ...F${at + 1}` : 'id'} }`,
    ).join(' ')}`;
    const aliases = Array.from({ length: 31 }, (_, at) => `a${at}: __typename`).join(' ');

    for (const [name, { query, variables, code }] of Object.entries({
      depth: { query: deep, variables: {}, code: 'QUERY_TOO_DEEP' },
      'depth in fragments': { query: hidden, variables: {}, code: 'QUERY_TOO_DEEP' },
      aliases: { query: `{ ${aliases} }`, variables: {}, code: 'TOO_MANY_ALIASES' },
      tokens: { query: `{ ${'__typename '.repeat(1_001)} }`, variables: {}, code: 'QUERY_TOO_LARGE' },
      'complexity of a page': { query: '{ people(first: 10000) { id } }', variables: {}, code: 'QUERY_TOO_COMPLEX' },
      'complexity of a page by variable': {
        query: 'query Q($n: Int!) { people(first: $n) { id } }',
        variables: { n: 10_000 },
        code: 'QUERY_TOO_COMPLEX',
      },
      'complexity of pages in pages': {
        query: '{ people(first: 200) { friends(first: 200) { id } } }',
        variables: {},
        code: 'QUERY_TOO_COMPLEX',
      },
      'complexity of fragments of fragments': { query: bomb, variables: {}, code: 'QUERY_TOO_COMPLEX' },
    })) {
      it(`has one for ${name}`, async () => {
        const began = performance.now();
        expect(await outcome(await post({ query, variables }))).to.deep.equal([200, code]);
        const accept = 'application/graphql-response+json';
        expect(await outcome(await post({ query, variables }, { accept }))).to.deep.equal([400, code]);
        expect(performance.now() - began).to.be.below(2_000);
      });
    }

    it('lets a page by variable through that is small enough, after one that is not', async () => {
      const query = 'query Q($n: Int!) { people(first: $n) { id } }';
      expect(codeIn(await ask(query, { n: 100_000 }))).to.equal('QUERY_TOO_COMPLEX');
      expect((await ask(query, { n: 2 })).data).to.deep.equal({ people: [{ id: '0' }, { id: '1' }] });
      expect(codeIn(await ask(query, { n: 100_000 }))).to.equal('QUERY_TOO_COMPLEX');
    });

    it('has one for the body', async () => {
      const query = `{ __typename } # ${'x'.repeat(300_000)}`;
      expect(await outcome(await post({ query }))).to.deep.equal([413, 'BODY_TOO_LARGE']);
    });

    it('has one for the batch', async () => {
      const batch = (size: number) => Array(size).fill({ query: '{ __typename }' });
      expect((await post(batch(10))).status).to.equal(200);
      expect(await outcome(await post(batch(11)))).to.deep.equal([413, 'BATCH_TOO_LARGE']);
      expect(await outcome(await post([]))).to.deep.equal([400, 'BAD_REQUEST']);
    });
  });

  describe('what is no request', () => {
    it('is a mutation over GET', async () => {
      const response = await get('mutation { change }');
      expect(response.headers.get('allow')).to.equal('POST');
      expect(await outcome(response)).to.deep.equal([405, 'NOT_OVER_GET']);
    });

    it('is a GET that a page of another site could have sent', async () => {
      expect(await outcome(await get('{ __typename }', {}))).to.deep.equal([400, 'CSRF_REFUSED']);
      expect((await get('{ __typename }')).status).to.equal(200);
    });

    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nonsense',
    ]) {
      it(`is a body of type ${type}`, async () => {
        const response = await post('{"query":"{ __typename }"}', { 'content-type': type });
        expect(await outcome(response)).to.deep.equal([415, 'MEDIA_TYPE_UNSUPPORTED']);
      });
    }

    it('is a subscription', async () => {
      expect(codeIn(await ask('subscription { ticks }'))).to.equal('SUBSCRIPTION_REFUSED');
      expect(codeIn((await (await get('subscription { ticks }')).json()) as Result)).to.equal('NOT_OVER_GET');
    });

    it('is one whose answer would not be accepted, and nothing is done for it', async () => {
      const before = toys.contexts.length;
      const response = await post({ query: 'mutation { change }' }, { accept: 'text/html' });
      expect(await outcome(response)).to.deep.equal([406, 'NOT_ACCEPTABLE']);
      expect(toys.contexts.length).to.equal(before);
    });

    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      it(`is ${method}`, async () => {
        const response = await send('/graphql', { method });
        expect(response.headers.get('allow')).to.equal('GET, POST');
        expect(await outcome(response)).to.deep.equal([405, 'METHOD_NOT_ALLOWED']);
      });
    }

    it('is HEAD, which would read and not show', async () => {
      const before = toys.contexts.length;
      const response = await send('/graphql?query={__typename}', {
        method: 'HEAD',
        headers: { 'apollo-require-preflight': '1' },
      });
      expect(response.status).to.equal(405);
      expect(toys.contexts.length).to.equal(before);
    });

    for (const body of [
      '',
      '{ "query": ',
      'null',
      '"text"',
      '7',
      '{}',
      '{"query":7}',
      '{"variables":{}}',
      '[7]',
      '[null]',
    ]) {
      it(`is the body ${body}`, async () => {
        const response = await post(body);
        const result = (await response.json()) as Result | Result[];
        expect(codeIn(Array.isArray(result) ? (result[0] as Result) : result)).to.equal('BAD_REQUEST');
        expect(response.status).to.equal(Array.isArray(result) ? 200 : 400);
      });
    }

    it('is what asks for a persisted query', async () => {
      const extensions = { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } };
      const result = (await (await post({ extensions })).json()) as Result;
      expect(codeIn(result)).to.equal('BAD_REQUEST');
    });

    it('is a path that nobody serves, or cannot be read', async () => {
      expect(await outcome(await send('/nothing'))).to.deep.equal([404, 'NOT_FOUND']);
      expect(await rawStatus('/%zz')).to.deep.equal([400, 'BAD_REQUEST']);
    });

    it('is what is no HTTP', async () => {
      const text = await rawBytes('hello\r\n\r\n');
      expect(text).to.match(/^HTTP\/1\.1 400 /);
      expect(codeIn(JSON.parse(text.split('\r\n\r\n')[1] as string) as Result)).to.equal('BAD_REQUEST');
    });

    const rawStatus = (path: string): Promise<[number, string]> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(toys.url);
        const headers = { authorization: `Bearer ${token}` };
        rawRequest({ hostname, port, path, headers }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve([response.statusCode ?? 0, codeIn(JSON.parse(text) as Result)]));
        })
          .on('error', reject)
          .end();
      });
    const rawBytes = (bytes: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(toys.url);
        let text = '';
        connect(Number(port), hostname)
          .on('data', (chunk) => {
            text += chunk;
          })
          .on('end', () => resolve(text))
          .on('error', reject)
          .end(bytes);
      });
  });

  describe('what a resolver throws', () => {
    for (const [how, code] of Object.entries(LEAVES)) {
      it(`leaves as ${code} (${how})`, async () => {
        const before = toys.logged().length;
        const response = await post({
          query: 'mutation Change($how: String) { change(how: $how) }',
          variables: { how },
        });
        const text = await response.text();
        const result = JSON.parse(text) as Result;
        expect(codeIn(result)).to.equal(code);
        expect(result.errors?.[0]?.path).to.deep.equal(['change']);
        // A request that is at fault is well-formed all the same, so as application/json it is answered 200.
        const status = isFaultCode(code) ? FAULTS[code].status : 200;
        expect(response.status).to.equal(status === 400 ? 200 : status);
        expect(text).to.not.include(STORED);
        expect(toys.logged()).to.not.include(STORED);
        const told = toys.logged().slice(before).includes('"a request failed"');
        expect(told).to.equal(['INTERNAL', 'UNAVAILABLE'].includes(code));
      });
    }

    it('is a refusal, with its clause, what is missing, and its entry', async () => {
      const { errors } = await ask('mutation { change(how: "refusal") }');
      expect(errors?.[0]?.extensions).to.deep.equal({
        code: 'NO_NEED_TO_KNOW',
        clause: '5.2',
        missing: ['a need-to-know grant'],
        entry: { index: 3, link: 'link 3' },
      });
    });

    it('answers the whole operation where its context cannot be made, and no other of its batch', async () => {
      let made = 0;
      const contextFor = async (caller: Caller, { id }: { id: string }): Promise<ToyContext> => {
        made += 1;
        if (made !== 2) throw new Refusal(refused('ACTOR_UNKNOWN', 'a registered identity'), REFUSED_ENTRY);
        return { request: id, entries: [], caller };
      };
      const others = await startToys(provider, { contextFor });
      const body = { query: '{ __typename }' };
      const ours = async (sent: unknown) =>
        fetch(`${others.url}/graphql`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(sent),
        });
      try {
        const response = await ours([body, body]);
        const [first, second] = (await response.json()) as Result[];
        expect(codeIn(first as Result)).to.equal('ACTOR_UNKNOWN');
        expect(second).to.deep.equal({ data: { __typename: 'Query' } });
        expect(await outcome(await ours(body))).to.deep.equal([403, 'ACTOR_UNKNOWN']);
      } finally {
        await others.stop();
      }
    });

    it('harms nothing beside it', async () => {
      const response = await post({ query: '{ fails(how: "gone") person(id: "1") { id } }' });
      expect(response.status).to.equal(200);
      expect(((await response.json()) as Result).data).to.deep.equal({ fails: null, person: { id: '1' } });
    });

    it('is told once, though every row of a page fails with it', async () => {
      const told = async (how: string) => {
        const before = toys.logged().length;
        const rows = Array.from({ length: 20 }, (_, at) => `row${at}: fails(how: "${how}")`);
        const { errors } = await ask(`{ ${rows.join(' ')} }`);
        expect(errors).to.have.length(20);
        return toys.logged().slice(before).split('"a request failed"').length - 1;
      };
      expect([await told('page'), await told('stopped')]).to.deep.equal([1, 20]);
    });

    it('tells the server’s log the SQLSTATE and the frames, without the message', async () => {
      const before = toys.logged().length;
      await ask('mutation { change(how: "unique") }');
      const lines = toys.logged().slice(before);
      expect(lines)
        .to.include('"code":["23505"]')
        .and.to.match(/"stack":\[" {4}at .*toy\.ts/);
    });
  });
});
