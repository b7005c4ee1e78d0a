import { expect } from 'chai';
import { serverAudits } from 'graphql-http';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys, type Toys } from './toy.js';

interface Result {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: Record<string, unknown> }[];
  extensions?: { ledger?: { entries: { index: number; link: string }[] } };
}

describe('http', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  let token: string;

  before(async () => {
    provider = await startProvider({
      clients: [
        { id: 'ada', roles: ['support-agent'] },
        { id: 'olga', roles: ['operator'] },
      ],
    });
    toys = await startToys(provider, { limits: { operationMs: 300, rate: { operations: 10_000, seconds: 60 } } });
    token = await provider.token('ada');
  });
  after(async () => {
    await toys.stop();
    await provider.stop();
  });

  const fetchToys = (path: string, init: RequestInit = {}) =>
    fetch(`${toys.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetchToys('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const ask = async (query: string, variables?: unknown): Promise<Result> =>
    (await (await post({ query, variables })).json()) as Result;
  it('answers a query', async () => {
    expect(await ask('{ person(id: "1") { name } }')).to.deep.equal({ data: { person: { name: 'person 1' } } });
  });

  it('passes the audits of GraphQL over HTTP, but for three notices about CSRF', async function () {
    this.timeout(20_000);
    const audits = serverAudits({ url: `${toys.url}/graphql`, fetchFn: withToken });
    const results = await Promise.all(audits.map(({ fn }) => fn()));
    const failed = results.filter(({ status }) => status !== 'ok');
    expect(failed.map(({ id, status }) => `${id} ${status}`)).to.deep.equal([
      '5A70 notice',
      'D6D5 notice',
      '6A70 notice',
    ]);
    expect(results).to.have.length(61);
  });
  const withToken = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
});
