import { expect } from 'chai';
import { Fault } from '../../src/graphql/fault.js';
import { createDoor } from '../../src/server/door.js';
import { Unauthenticated } from '../../src/server/unauthenticated.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys } from './toy.js';

describe('door', () => {
  const LIMITS = { failures: 2, seconds: 60, addresses: 3 };
  const error = new Unauthenticated('TOKEN_EXPIRED');
  let now: number;
  let fail: (address: string, error?: unknown) => string;
  beforeEach(() => {
    now = 5_000;
    const door = createDoor(LIMITS, () => now);
    fail = (address, given = error) => {
      const answered = door.failed(address, given);
      if (!(answered instanceof Fault)) return String(answered);
      return [answered.code, answered.headers['retry-after']].filter(Boolean).join(' ');
    };
  });

  it('answers what failed as it is, and beyond the budget of its address with 429', () => {
    expect([1, 2, 3].map(() => fail('192.0.2.1'))).to.deep.equal(['TOKEN_EXPIRED', 'TOKEN_EXPIRED', 'RATE_LIMITED 60']);
    expect(fail('192.0.2.2')).to.equal('TOKEN_EXPIRED');
    now += 59_500;
    expect(fail('192.0.2.1')).to.equal('RATE_LIMITED 1');
    now += 500;
    expect(fail('192.0.2.1')).to.equal('TOKEN_EXPIRED');
  });

  it('counts an IPv6 network of 64 bits as one, however it is written', () => {
    const same = ['2001:db8:0:7::1', '2001:0db8::7:ffff:0:0:2', '2001:db8:0:7:1:2:3:4'];
    expect(same.map((address) => fail(address)).at(-1)).to.equal('RATE_LIMITED 60');
    expect(fail('2001:db8:0:8::1')).to.equal('TOKEN_EXPIRED');
    expect([1, 2, 3].map(() => fail('::ffff:192.0.2.1')).at(-1)).to.equal('RATE_LIMITED 60');
    expect(fail('::ffff:192.0.2.2')).to.equal('TOKEN_EXPIRED');
  });

  it('remembers so many addresses and no more', () => {
    for (let times = 0; times < 3; times++) fail('192.0.2.1');
    for (const last of [2, 3]) fail(`192.0.2.${last}`);
    expect(fail('192.0.2.1')).to.equal('RATE_LIMITED 60');
    fail('192.0.2.4');
    expect(fail('192.0.2.1')).to.equal('TOKEN_EXPIRED');
  });

  it('counts nothing that is not the caller’s', () => {
    for (let times = 0; times < 5; times++) fail('192.0.2.1', new Unauthenticated('ISSUER_UNREACHABLE'));
    for (let times = 0; times < 5; times++) fail('192.0.2.1', new Error('a bug'));
    expect(fail('192.0.2.1')).to.equal('TOKEN_EXPIRED');
  });

  describe('over HTTP', () => {
    let provider: OpenIdProvider;
    before(async () => {
      provider = await startProvider({ clients: [{ id: 'ada', roles: ['user'] }] });
    });
    after(() => provider.stop());

    it('answers 429 to tokens that fail again and again, and lets in the one that holds', async () => {
      const toys = await startToys(provider, { limits: { door: { failures: 3, seconds: 60, addresses: 10 } } });
      try {
        const status = async (path: string, authorization: string) =>
          (await fetch(`${toys.url}${path}`, { headers: { authorization, 'apollo-require-preflight': '1' } })).status;
        const query = '/graphql?query={__typename}';
        const failing = ['Bearer x', 'Basic x', 'Bearer a.b.c', 'Bearer x'];
        const statuses: number[] = [];
        for (const authorization of failing) statuses.push(await status(query, authorization));
        expect(statuses).to.deep.equal([401, 401, 401, 429]);
        expect(await status('/metrics', 'Bearer x')).to.equal(429);
        expect(await status(query, `Bearer ${await provider.token('ada')}`)).to.equal(200);
        expect(await status('/health/live', 'Bearer x')).to.equal(200);
      } finally {
        await toys.stop();
      }
    });
  });
});
