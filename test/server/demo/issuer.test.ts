import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthenticator } from '../../../src/server/authentication.js';
import { DEMO_ROLES, type DemoIssuer, openDemoIssuer } from '../../../src/server/demo/issuer.js';
import { Unauthenticated } from '../../../src/server/unauthenticated.js';

describe('the demo issuer', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'demo-issuer-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const authenticatorOf = ({ issuer, audience, keys }: DemoIssuer, now = Date.now) =>
    createAuthenticator({ issuer, audience, keys, now });
  const codeOf = (error: unknown) => (error instanceof Unauthenticated ? error.code : String(error));

  it('vouches for each identity of the demo, without HTTP', async () => {
    const demo = await openDemoIssuer(dataDir, Date.now);
    for (const [subject, role] of Object.entries(DEMO_ROLES)) {
      const token = await demo.issueDemoToken({ subject, role, expiresIn: 60 });
      const caller = await authenticatorOf(demo)(`Bearer ${token}`);
      expect(caller).to.deep.include({ issuer: 'https://demo.access-ledger.invalid', subject, roles: [role] });
    }
  });

  it('keeps its key, for its owner only', async () => {
    const token = await (await openDemoIssuer(dataDir, Date.now)).issueDemoToken({
      subject: 'support',
      role: 'support-agent',
      expiresIn: 60,
    });
    const again = await openDemoIssuer(dataDir, Date.now);
    expect((await authenticatorOf(again)(`Bearer ${token}`)).subject).to.equal('support');
    expect((await stat(join(dataDir, 'demo-issuer.json'))).mode & 0o777).to.equal(0o600);
  });

  it('is one, however many processes begin at once', async () => {
    const folder = join(dataDir, 'not', 'yet');
    const all = await Promise.all(Array.from({ length: 8 }, () => openDemoIssuer(folder, Date.now)));
    const token = await all[0]!.issueDemoToken({ subject: 'user', role: 'user', expiresIn: 60 });
    for (const demo of all) expect((await authenticatorOf(demo)(`Bearer ${token}`)).subject).to.equal('user');
    expect(await readdir(folder)).to.deep.equal(['demo-issuer.json']);
  });

  it('is another on another machine', async () => {
    const here = await openDemoIssuer(join(dataDir, 'here'), Date.now);
    const there = await openDemoIssuer(join(dataDir, 'there'), Date.now);
    const token = await there.issueDemoToken({ subject: 'user', role: 'user', expiresIn: 60 });
    expect(await authenticatorOf(here)(`Bearer ${token}`).catch(codeOf)).to.equal('TOKEN_KEY_UNKNOWN');
  });

  it('signs by the clock that it is given', async () => {
    let now = Date.now();
    const demo = await openDemoIssuer(dataDir, () => now);
    const token = await demo.issueDemoToken({ subject: 'user', role: 'user', expiresIn: 60 });
    const authenticate = authenticatorOf(demo, () => now);
    expect((await authenticate(`Bearer ${token}`)).expires).to.equal(Math.floor(now / 1000) + 60);
    now += 66_000;
    expect(await authenticate(`Bearer ${token}`).catch(codeOf)).to.equal('TOKEN_EXPIRED');
  });

  it('publishes no secret half', async () => {
    const demo = await openDemoIssuer(dataDir, Date.now);
    const { d } = JSON.parse(await readFile(join(dataDir, 'demo-issuer.json'), 'utf8')) as { d: string };
    expect(d).to.have.length(43);
    expect(JSON.stringify((demo.keys as unknown as { jwks(): unknown }).jwks())).to.not.include(d);
  });
});
