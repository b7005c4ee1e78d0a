import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { base64url, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { type Authenticate, createAuthenticator, ROLES_CLAIM } from '../../src/server/authentication.js';
import { issuerKeys, KEY_TIMES } from '../../src/server/issuer-keys.js';
import { Unauthenticated } from '../../src/server/unauthenticated.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';

const seconds = () => Math.floor(Date.now() / 1000);
const SUPPORT = { [ROLES_CLAIM]: ['support-agent'] };

describe('authentication', () => {
  let provider: OpenIdProvider;
  let now: number;
  let authenticate: Authenticate;

  const fresh = () => {
    const { issuer, audience } = provider;
    const keys = issuerKeys(issuer, { ...KEY_TIMES, cooldown: 0 });
    return createAuthenticator({ issuer, audience, keys, now: () => now });
  };
  const codeFor = async (authorization: string | undefined, by = authenticate): Promise<string> => {
    try {
      await by(authorization);
    } catch (error) {
      if (error instanceof Unauthenticated) return error.code;
      throw error;
    }
    return 'accepted';
  };
  const codeForToken = (token: string, by = authenticate) => codeFor(`Bearer ${token}`, by);

  before(async () => {
    provider = await startProvider({
      clients: [
        { id: 'ada', roles: ['support-agent'] },
        { id: 'grace', roles: ['security-reviewer', 'operator', 'a role of another service'] },
        { id: 'nobody', roles: [] },
      ],
    });
  });
  after(() => provider.stop());
  beforeEach(() => {
    now = Date.now();
    authenticate = fresh();
  });

  it('takes an access token of the issuer, and says who calls', async () => {
    const caller = await authenticate(`Bearer ${await provider.token('ada')}`);
    expect(caller).to.deep.include({ issuer: provider.issuer, subject: 'ada', roles: ['support-agent'] });
    expect(caller.expires).to.be.within(seconds() + 500, seconds() + 601);
  });

  it('keeps operator beside an acting role, and ignores roles that are not ours', async () => {
    const caller = await authenticate(`Bearer ${await provider.token('grace')}`);
    expect(caller.roles).to.deep.equal(['security-reviewer', 'operator']);
  });

  it('refuses a token of the issuer without a role', async () => {
    expect(await codeForToken(await provider.token('nobody'))).to.equal('TOKEN_ROLE_MISSING');
  });

  for (const [authorization, code] of Object.entries({
    '': 'TOKEN_MALFORMED',
    Bearer: 'TOKEN_MALFORMED',
    'Bearer ': 'TOKEN_MALFORMED',
    'Basic YWRhOmFkYQ==': 'TOKEN_MALFORMED',
    'Bearer not-a-jwt': 'TOKEN_MALFORMED',
    'Bearer a.b.c': 'TOKEN_MALFORMED',
    'Bearer a.b.c.d.e': 'TOKEN_MALFORMED',
    'Bearer a b': 'TOKEN_MALFORMED',
    [`Bearer ${'a'.repeat(9_000)}`]: 'TOKEN_MALFORMED',
  })) {
    it(`refuses the header "${authorization.slice(0, 30)}"`, async () => {
      expect(await codeFor(authorization)).to.equal(code);
    });
  }

  it('refuses a request without a header', async () => {
    expect(await codeFor(undefined)).to.equal('TOKEN_MISSING');
  });

  for (const [fault, { claims, code }] of Object.entries({
    'an expired token': { claims: { exp: seconds() - 10 }, code: 'TOKEN_EXPIRED' },
    'a token without exp': { claims: { exp: undefined }, code: 'TOKEN_MALFORMED' },
    'a token that is not valid yet': { claims: { nbf: seconds() + 3_600 }, code: 'TOKEN_NOT_YET_VALID' },
    'a token of another issuer': { claims: { iss: 'https://evil.example.com' }, code: 'TOKEN_WRONG_ISSUER' },
    'a token without issuer': { claims: { iss: undefined }, code: 'TOKEN_WRONG_ISSUER' },
    'a token for another audience': { claims: { aud: 'https://shop.example.com' }, code: 'TOKEN_WRONG_AUDIENCE' },
    'a token without audience': { claims: { aud: undefined }, code: 'TOKEN_WRONG_AUDIENCE' },
    'a token without subject': { claims: { sub: undefined }, code: 'TOKEN_SUBJECT_MISSING' },
    'a token with an empty subject': { claims: { sub: '' }, code: 'TOKEN_SUBJECT_MISSING' },
    'a token without the roles claim': { claims: { [ROLES_CLAIM]: undefined }, code: 'TOKEN_ROLE_MISSING' },
    'a token whose roles are a string': { claims: { [ROLES_CLAIM]: 'user' }, code: 'TOKEN_ROLE_MISSING' },
    'a token with two acting roles': {
      claims: { [ROLES_CLAIM]: ['support-agent', 'user'] },
      code: 'TOKEN_ROLES_AMBIGUOUS',
    },
  })) {
    it(`refuses ${fault}`, async () => {
      expect(await codeForToken(await provider.sign({ ...SUPPORT, ...claims }))).to.equal(code);
    });
  }

  it('gives clocks a leeway of five seconds, and no more', async () => {
    expect(await codeForToken(await provider.sign({ ...SUPPORT, exp: seconds() - 3 }))).to.equal('accepted');
    expect(await codeForToken(await provider.sign({ ...SUPPORT, nbf: seconds() + 3 }))).to.equal('accepted');
  });

  it('takes a token for several audiences that is also for us', async () => {
    const aud = ['https://shop.example.com', provider.audience];
    expect(await codeForToken(await provider.sign({ ...SUPPORT, aud }))).to.equal('accepted');
  });

  it('refuses alg none, in any spelling', async () => {
    const [, payload] = (await provider.sign(SUPPORT)).split('.');
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${base64url.encode(JSON.stringify({ alg }))}.${payload}.`;
      expect(await codeForToken(token)).to.equal('TOKEN_ALGORITHM_REFUSED');
    }
  });

  it('refuses a token whose HMAC secret is the published key', async () => {
    const jwk = provider.publicKey();
    const pem = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as CryptoKey);
    const [, payload] = (await provider.sign(SUPPORT)).split('.');
    for (const secret of [pem, JSON.stringify(jwk), jwk.x as string]) {
      const signed = `${base64url.encode(JSON.stringify({ alg: 'HS256', kid: jwk.kid }))}.${payload}`;
      const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      expect(await codeForToken(token)).to.equal('TOKEN_ALGORITHM_REFUSED');
    }
  });

  it('refuses a key that the issuer does not publish', async () => {
    const token = await provider.sign(SUPPORT, { kid: 'unheard-of' });
    expect(await codeForToken(token)).to.equal('TOKEN_KEY_UNKNOWN');
  });

  it('refuses a key that the token brings along', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const claims = { iss: provider.issuer, aud: provider.audience, sub: 'ada', exp: seconds() + 60, ...SUPPORT };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: provider.publicKey().kid as string, jwk })
      .sign(privateKey);
    expect(await codeForToken(token)).to.equal('TOKEN_SIGNATURE_INVALID');
  });

  it('refuses every changed character of the payload and the signature', async () => {
    const token = await provider.sign(SUPPORT);
    const start = token.indexOf('.') + 1;
    for (let at = start; at < token.length - 1; at += 7) {
      if (token[at] === '.') continue;
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect(await codeForToken(changed), `character ${at}`).to.match(/^TOKEN_/);
    }
  });

  it('refuses a header that says it must be understood, and is not', async () => {
    const token = await provider.sign(SUPPORT, { crit: ['b64'], b64: true });
    expect(await codeForToken(`${token}x`)).to.match(/^TOKEN_/);
  });

  it('picks up rotated keys, and lets the old ones go', async () => {
    const old = await provider.token('ada');
    expect(await codeForToken(old)).to.equal('accepted');
    await provider.rotateKeys();
    expect(await codeForToken(await provider.token('ada'))).to.equal('accepted');
    expect(await codeForToken(await provider.sign({ ...SUPPORT, sub: 'new' }))).to.equal('accepted');
    now += 300_001;
    expect(await codeForToken(old), 'trusted for five minutes, then checked again').to.equal('TOKEN_KEY_UNKNOWN');
  });

  it('asks the issuer once, and verifies a token once', async () => {
    const token = await provider.token('ada');
    const before = provider.fetches();
    const callers = await Promise.all(Array.from({ length: 20 }, () => authenticate(`Bearer ${token}`)));
    expect(provider.fetches() - before).to.equal(1);
    expect(await authenticate(`bearer ${token}`)).to.equal(await authenticate(`Bearer ${token}`));
    expect(new Set(callers.map(({ subject }) => subject))).to.deep.equal(new Set(['ada']));
  });

  it('asks no issuer for the keys of a token that claims another', async () => {
    const before = provider.fetches();
    await codeForToken(await provider.sign({ ...SUPPORT, iss: 'https://evil.example.com' }));
    expect(provider.fetches()).to.equal(before);
  });

  it('trusts a token no longer than it says', async () => {
    const token = await provider.sign({ ...SUPPORT, exp: seconds() + 60 });
    expect(await codeForToken(token)).to.equal('accepted');
    now += 66_000;
    expect(await codeForToken(token)).to.equal('TOKEN_EXPIRED');
  });

  it('says that the issuer cannot be reached, and recovers', async () => {
    const { issuer, audience } = provider;
    const away = createAuthenticator({ issuer: 'http://127.0.0.1:9', audience, now: () => now });
    const token = await provider.sign({ ...SUPPORT, iss: 'http://127.0.0.1:9' });
    expect(await codeForToken(token, away)).to.equal('ISSUER_UNREACHABLE');
    expect(await codeForToken(await provider.token('ada'), fresh())).to.equal('accepted');
    const slash = createAuthenticator({ issuer: `${issuer}/`, audience, now: () => now });
    const named = await provider.sign({ ...SUPPORT, iss: `${issuer}/` });
    expect(await codeForToken(named, slash), 'a discovery document of another name').to.equal('ISSUER_UNREACHABLE');
  });

  it('challenges as RFC 6750 says', () => {
    const header = (code: ConstructorParameters<typeof Unauthenticated>[0]) =>
      new Unauthenticated(code).headers['www-authenticate'];
    expect(header('TOKEN_MISSING')).to.equal('Bearer realm="access-ledger"');
    expect(header('TOKEN_EXPIRED')).to.include('error="invalid_token"');
    expect(header('TOKEN_ROLE_MISSING')).to.include('error="insufficient_scope"');
    expect(header('ISSUER_UNREACHABLE')).to.equal(undefined);
  });
});
