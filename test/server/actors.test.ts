import { expect } from 'chai';
import type { Entry } from '../../src/log/entry.js';
import { Refusal, refused } from '../../src/policy/refusal.js';
import { createActors } from '../../src/server/actors.js';
import type { ActingRole, Caller } from '../../src/server/authentication.js';
import { type TestGate, testGate } from '../support/gate.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys } from './toy.js';

const caller = (role: ActingRole, subject: string): Caller => ({
  issuer: 'https://issuer.example.com',
  subject,
  roles: [role],
  expires: 2 ** 40,
});
const REQUEST = '00000000-0000-4000-8000-00000000abcd';

describe('actors', () => {
  let gate: TestGate;
  before(async () => {
    gate = await testGate();
  });
  after(() => gate.close());

  it('are found for an operation, which gets the entries of it: a pseudonym, or a refusal', async () => {
    const find = createActors(gate.core);
    const [linked, again, refusal]: Entry[][] = [[], [], []];
    const sam = caller('support-agent', 'sam');
    await find(sam, REQUEST, linked);
    await find({ ...sam }, REQUEST, again);
    const error = await find(caller('user', 'nobody'), REQUEST, refusal).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Refusal);
    expect((error as Refusal).entry).to.deep.equal(refusal![0]);
    expect([linked!.length, again!.length, refusal!.length]).to.deep.equal([1, 0, 1]);
    const entries = await gate.entries();
    expect(entries[linked![0]!.index]!.body).to.include({ event: 'identity.linked', outcome: 'permitted' });
    expect(entries[refusal![0]!.index]!.body).to.include({ event: 'identity.linked', outcome: 'refused' });
  });

  it('are one, with one entry, of who comes many times at once', async () => {
    const entries: Entry[] = [];
    const find = createActors(gate.core);
    const found = await Promise.all(
      Array.from({ length: 5 }, () => find(caller('support-agent', 'kim'), REQUEST, entries)),
    );
    expect(new Set(found.map(({ id }) => id)).size).to.equal(1);
    expect(entries).to.have.length(1);
  });
});

describe('what the search for an actor entered', () => {
  let provider: OpenIdProvider;
  before(async () => {
    provider = await startProvider({ clients: [{ id: 'ada', roles: ['user'] }] });
  });
  after(() => provider.stop());

  it('is shown with the operation, and paid for, also where nobody was found', async () => {
    const toys = await startToys(provider, {
      limits: { rate: { operations: 5, seconds: 60 } },
      contextFor: async (_, { entries }) => {
        for (let index = 0; index < 31; index++) entries.push({ index, link: `link ${index}` } as object as Entry);
        throw new Refusal(refused('ACTOR_UNKNOWN'), entries[0]!);
      },
    });
    const post = async () =>
      fetch(`${toys.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await provider.token('ada')}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ __typename }' }),
      });
    try {
      const first = await post();
      expect(first.status).to.equal(403);
      const { errors, extensions } = (await first.json()) as {
        errors: { extensions: object }[];
        extensions: { ledger: { entries: object[] } };
      };
      expect(errors[0]!.extensions).to.deep.include({ code: 'ACTOR_UNKNOWN', entry: { index: 0, link: 'link 0' } });
      expect(extensions.ledger.entries).to.have.length(31);
      expect((await post()).status).to.equal(403);
      expect((await post()).status).to.equal(429);
    } finally {
      await toys.stop();
    }
  });
});
