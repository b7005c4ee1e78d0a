import { Writable } from 'node:stream';
import { expect } from 'chai';
import { Fault } from '../../src/graphql/fault.js';
import type { Caller } from '../../src/server/authentication.js';
import { createBudget } from '../../src/server/limits.js';
import { createLog } from '../../src/server/log.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys, type Toys } from './toy.js';

const caller = (subject: string, issuer = 'https://a.example.com'): Caller => ({
  issuer,
  subject,
  roles: ['user'],
  expires: 0,
});
const silent = createLog({ level: 'error', to: new Writable({ write: (_chunk, _encoding, done) => done() }) });

async function spent(spending: Promise<void>): Promise<string> {
  try {
    await spending;
    return 'spent';
  } catch (error) {
    return error instanceof Fault ? `${error.code} ${error.headers['retry-after']}` : String(error);
  }
}

describe('budget', () => {
  it('is each actor’s own, and says when to come again', async () => {
    const budget = createBudget({ operations: 2, seconds: 60 }, async () => {}, silent);
    expect(await spent(budget.spend(caller('ada'), 2))).to.equal('spent');
    expect(await spent(budget.spend(caller('ada'), 1))).to.equal('RATE_LIMITED 60');
    expect(await spent(budget.spend(caller('bob'), 1))).to.equal('spent');
    expect(await spent(budget.spend(caller('ada', 'https://b.example.com'), 1))).to.equal('spent');
    await budget.close();
  });

  it('pays for entries, ten to an operation, beyond the first, and refuses what comes after', async () => {
    const budget = createBudget({ operations: 10, seconds: 60 }, async () => {}, silent);
    const rest = async (entries: readonly number[]) => {
      const one = caller(`with ${entries}`);
      for (const count of entries) await budget.charge(one, count);
      for (let left = 0; ; left++) if ((await spent(budget.spend(one, 1))) !== 'spent') return left;
    };
    expect(await rest([0, 1, 1, 1])).to.equal(10);
    expect(await rest([2])).to.equal(9);
    expect(await rest([11, 11])).to.equal(8);
    expect(await rest([101])).to.equal(0);
    expect(await rest([801])).to.equal(0);
    await budget.close();
  });

  it('is full again after its window', async () => {
    const budget = createBudget({ operations: 1, seconds: 1 }, async () => {}, silent);
    expect(await spent(budget.spend(caller('ada'), 1))).to.equal('spent');
    expect(await spent(budget.spend(caller('ada'), 1))).to.equal('RATE_LIMITED 1');
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await spent(budget.spend(caller('ada'), 1))).to.equal('spent');
    await budget.close();
  });

  it('counts what is beyond it, and tells the sum of each actor once', async () => {
    const told: [string, number][] = [];
    const tell = async ({ subject }: Caller, count: number) => {
      told.push([subject, count]);
    };
    const budget = createBudget({ operations: 1, seconds: 60 }, tell, silent);
    for (const operations of [1, 1, 3]) await spent(budget.spend(caller('ada'), operations));
    await spent(budget.spend(caller('bob'), 1));
    await budget.flush();
    await budget.flush();
    expect(told).to.deep.equal([['ada', 4]]);
    await spent(budget.spend(caller('bob'), 2));
    await budget.close();
    expect(told).to.deep.equal([
      ['ada', 4],
      ['bob', 2],
    ]);
  });

  it('keeps a count that could not be told, and tells it with the next', async () => {
    const told: number[] = [];
    let up = false;
    const tell = async (_: Caller, count: number) => {
      if (!up) throw new Error('the database is away');
      told.push(count);
    };
    const budget = createBudget({ operations: 1, seconds: 60 }, tell, silent);
    for (const operations of [1, 2]) await spent(budget.spend(caller('ada'), operations));
    await budget.flush();
    await spent(budget.spend(caller('ada'), 5));
    up = true;
    await budget.close();
    expect(told).to.deep.equal([7]);
  });
});

describe('budget over HTTP', () => {
  let provider: OpenIdProvider;
  let toys: Toys;
  before(async () => {
    provider = await startProvider({
      clients: [
        { id: 'ada', roles: ['user'] },
        { id: 'bob', roles: ['user'] },
      ],
    });
  });
  beforeEach(async () => {
    toys = await startToys(provider, { limits: { rate: { operations: 5, seconds: 60 } } });
  });
  afterEach(() => toys.stop());
  after(() => provider.stop());

  it('counts the entries of what it let through, also of what failed', async () => {
    const post = async (client: string, query: string) => {
      const response = await fetch(`${toys.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await provider.token(client)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return response.status;
    };
    const indices = Array.from({ length: 41 }, (_, index) => index);
    expect(await post('ada', `{ enter(indices: [${[...indices, ...indices]}]) }`)).to.equal(200);
    expect(await post('ada', '{ __typename }')).to.equal(429);
    const query = `{ enter(indices: [${indices}]) fails(how: "unique") }`;
    expect(await post('bob', query)).to.equal(200);
    expect(await post('bob', '{ __typename }')).to.equal(429);
  });

  it('answers 429 beyond it, before anything is decided, and tells the count at the end', async () => {
    const post = async (client: string, body: unknown) =>
      fetch(`${toys.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await provider.token(client)}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const query = '{ __typename }';
    expect((await post('ada', Array(4).fill({ query }))).status).to.equal(200);
    expect((await post('ada', [{ query }, { query }])).status, 'a batch counts for what it holds').to.equal(429);
    const before = toys.contexts.length;
    const refused = await post('ada', { query });
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(await refused.json()).to.have.nested.property('errors[0].extensions.code', 'RATE_LIMITED');
    expect(toys.contexts.length).to.equal(before);
    expect((await post('bob', { query })).status).to.equal(200);
    await toys.stop();
    expect(toys.suppressed.map(({ caller: { subject }, count }) => [subject, count])).to.deep.equal([['ada', 2]]);
  });
});
