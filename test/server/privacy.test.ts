import { expect } from 'chai';
import fc from 'fast-check';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys, type Toys } from './toy.js';

/** Stands for a personal value that a client sends. */
const MARK = 'ada.lovelace@example.com';
/** The same as a GraphQL name. */
const NAME = 'AdaLovelace';

interface Answer {
  readonly status: number;
  readonly text: string;
}

describe('privacy of the server', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  let token: string;

  before(async () => {
    provider = await startProvider({ clients: [{ id: 'ada', roles: ['support-agent'] }] });
    toys = await startToys(provider, { limits: { rate: { operations: 10_000, seconds: 60 } } });
    token = await provider.token('ada');
  });
  after(async () => {
    await toys.stop();
    await provider.stop();
  });

  const post = async (body: unknown, headers: Record<string, string> = {}, path = '/graphql'): Promise<Answer> => {
    const response = await fetch(`${toys.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };

  const contact = 'query Q($c: Contact!) { contact(contact: $c) }';
  const quoting: Readonly<Record<string, unknown>> = {
    'a variable of another type': { query: contact, variables: { c: { email: 'x', age: MARK } } },
    'a variable that is no object': { query: contact, variables: { c: MARK } },
    'an object with too many members': { query: contact, variables: { c: { email: 'x', [MARK]: MARK } } },
    'an object without a member': { query: contact, variables: { c: { age: 7, note: { deep: [MARK] } } } },
    'a number of a variable': { query: 'query Q($n: Int!) { people(first: $n) { id } }', variables: { n: MARK } },
    'a literal of another type': { query: `{ people(first: "${MARK}") { id } }` },
    'a literal in an object': { query: `{ contact(contact: { email: "x", age: "${MARK}" }) }` },
    'a list of literals': { query: `{ enter(indices: ["${MARK}", 7]) }` },
    'an object where a text is due': { query: `{ person(id: { email: "${MARK}" }) { id } }` },
    'a block of text': { query: `{ people(first: """${MARK}""") { id } }` },
    'a literal out of place': { query: `{ person "${MARK}" }` },
    'a literal as document': { query: `"${MARK}"` },
    'a literal that does not end': { query: `{ person(id: "${MARK}` },
    'a bad escape': { query: `{ person(id: "\\q ${MARK}") { id } }` },
    'a character out of place': { query: `{ person(id: ${MARK}) { id } }` },
    'an operation that is not there': { query: '{ __typename }', operationName: MARK },
    'an operation that is no name': {
      query: 'query A { __typename } query B { __typename }',
      operationName: `${MARK}`,
    },
    'a default of another type': { query: `query Q($n: Int = "${MARK}") { people(first: $n) { id } }` },
    'a directive’s argument': { query: `{ person(id: "1") @include(if: "${MARK}") { id } }` },
    'a query that is an object': { query: { [MARK]: MARK } },
    'variables that are a text': { query: '{ __typename }', variables: MARK },
    'extensions that are a text': { query: '{ __typename }', extensions: MARK },
    'a persisted query': { extensions: { persistedQuery: { version: 1, sha256Hash: MARK } } },
    'a batch of texts': [MARK, { [MARK]: MARK }],
    'a body that is no JSON': `{"query": ${MARK}`,
  };

  for (const [name, body] of Object.entries(quoting)) {
    it(`does not repeat ${name}`, async () => {
      const { text } = await post(body);
      expect(JSON.parse(text)).to.satisfy((result: object) => Array.isArray(result) || 'errors' in result);
      expect(text).to.not.include(MARK).and.not.include('lovelace').and.not.include('\\q');
    });
  }

  it('repeats none of that in a stream of events either, nor what a subscription was given', async () => {
    const following = 'subscription Q($n: Int!) { ticks(count: $n) }';
    const bodies: Readonly<Record<string, unknown>> = {
      ...quoting,
      'a variable': { query: following, variables: { n: MARK } },
      'a member of a variable': { query: following, variables: { n: { [MARK]: MARK } } },
      'a literal': { query: `subscription { ticks(count: "${MARK}") }` },
      'a fragment': { query: `subscription { ...F } fragment F on Subscription { ticks(count: "${MARK}") }` },
      'an operation': { query: 'subscription A { ticks } subscription B { ticks }', operationName: MARK },
    };
    for (const [name, body] of Object.entries(bodies)) {
      const { text } = await post(body, { accept: 'text/event-stream' }, '/graphql/stream');
      expect(text, name).to.include('"errors":[');
      expect(text, name).to.not.include(MARK).and.not.include('lovelace').and.not.include('\\q');
    }
    expect(toys.logged()).to.not.include(MARK);
  });

  it('still says what is wrong, by names of the schema and of the document', async () => {
    const said = async (query: string, variables?: unknown) => (await post({ query, variables })).text;
    expect(await said('{ person(id: "1") { nam } }')).to.include('Cannot query field \\"nam\\" on type \\"Person\\"');
    expect(await said(`{ people(first: "${MARK}") { id } }`)).to.include('Expected a value of type \\"Int\\"');
    expect(await said('{ contact(contact: {}) }')).to.include('\\"Contact.email\\" of required type \\"String!\\"');
    expect(await said(contact, { c: { email: 'x', age: MARK } })).to.include('\\"$c\\" of type \\"Contact!\\"');
    expect(await said(contact, { c: { email: 'x', age: MARK } })).to.include('at \\"c.age\\"');
    expect(await said(contact)).to.include('\\"$c\\"');
    expect(await said('{ person(id "1") }')).to.include('Expected');
  });

  it('repeats no value of any kind, wherever a variable has it', async () => {
    const anything = fc.oneof(
      fc.constant(MARK),
      fc.record({ email: fc.constant(MARK), age: fc.constant(MARK) }),
      fc.array(fc.constant(MARK), { minLength: 1 }),
      fc.string().map((text) => `${text}${MARK}"; at "c`),
      fc.dictionary(fc.string(), fc.constant(MARK), { minKeys: 1 }),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const { text } = await post({ query: contact, variables: { c: { email: 'x', age: value } } });
        // A member called "__proto__" is refused before anybody looks at it.
        expect(text)
          .to.match(/BAD_(INPUT|REQUEST)/)
          .and.not.include('ada.')
          .and.not.include('lovelace');
      }),
      { numRuns: 50 },
    );
  });

  it('writes nothing that a client sent into the server’s log', async () => {
    const headers = { 'user-agent': MARK, 'x-request-id': MARK, referer: `https://x/${MARK}`, cookie: MARK };
    const url = `${toys.url}/graphql?query=${encodeURIComponent(`{ person(id: "${MARK}") { id } }`)}`;
    await post(
      { query: `query ${NAME}($id: ID!) { ${NAME}: person(id: $id) { id } }`, variables: { id: MARK } },
      headers,
    );
    await post({ query: `query ${NAME} { ${NAME}: fails(how: "unique") }`, operationName: NAME }, headers);
    await post({
      query: `{ ...${NAME} } fragment ${NAME} on Query { ${NAME}: contact(contact: { email: "${MARK}" }) }`,
    });
    await post({ query: `{ ${NAME} }` });
    for (const body of Object.values(quoting)) await post(body, headers);
    await fetch(url, { headers: { ...headers, authorization: `Bearer ${token}`, 'apollo-require-preflight': MARK } });
    await fetch(`${toys.url}/${MARK}`, { headers });
    await fetch(`${toys.url}/graphql`, { headers: { ...headers, authorization: `Bearer ${MARK}` } });
    await fetch(`${toys.url}/graphql`, { method: 'DELETE', headers });

    const log = toys.logged();
    expect(log.split('\n').length).to.be.above(30);
    for (const sent of [MARK, 'lovelace', NAME, token, provider.audience, '"ada"']) expect(log).to.not.include(sent);
  });

  it('writes one line for each request, with our words', async () => {
    const before = toys.logged().length;
    const response = await fetch(`${toys.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'query Mine { a: person(id: "1") { id } ...F } fragment F on Query { people { id } }',
      }),
    });
    await response.text();
    const lines = toys.logged().slice(before).trimEnd().split('\n');
    expect(lines).to.have.length(1);
    const line = JSON.parse(lines[0] as string) as Record<string, unknown>;
    expect(line).to.deep.include({
      level: 'info',
      message: 'request',
      request: response.headers.get('x-request-id'),
      route: '/graphql',
      method: 'POST',
      status: 200,
      fields: ['person', 'people'],
    });
    expect(line.ms).to.be.a('number');
    expect(Object.keys(line)).to.have.members([
      'at',
      'level',
      'message',
      'request',
      'route',
      'method',
      'status',
      'ms',
      'fields',
    ]);
  });

  it('has no path, token or caller among the metrics’ labels', async () => {
    const operator = await provider.sign({ sub: 'olga', access_ledger_roles: ['operator'] });
    const response = await fetch(`${toys.url}/metrics`, { headers: { authorization: `Bearer ${operator}` } });
    const text = await response.text();
    expect(text).to.include('access_ledger_errors_total{code="BAD_INPUT"}');
    expect(text).to.include('route="none"');
    for (const sent of [MARK, 'lovelace', NAME, '"ada"', 'olga']) expect(text).to.not.include(sent);
  });
});
