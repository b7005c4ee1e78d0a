import { expect } from 'chai';
import { GIVE_ALL_FOUR, type RunningServer, runServer } from '../../support/server.js';

/** What people and officers see of clauses 4.1, 4.2 and 8.2 over HTTP, with tokens of a real issuer. */
describe('services and cookies, served', () => {
  let server: RunningServer;
  before(async () => {
    server = await runServer([
      { id: 'olga', roles: ['privacy-officer'] },
      { id: 'sam', roles: ['support-agent'] },
      { id: 'uma', roles: ['user'] },
    ]);
    await post('olga', ENROL, { key: 'notes', title: 'Notes', essentialCategories: ['user.name'] });
    await post('olga', DECLARE, { service: 'notes', name: 'layout', category: 'PREFERENCES', degrades: 'the layout' });
  });
  after(() => server.stop());

  const ENROL = 'mutation ($input: EnrolServiceInput!) { enrolService(input: $input) { key policyVersion } }';
  const DECLARE = 'mutation ($input: DeclareCookieInput!) { declareCookie(input: $input) { name } }';
  const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
  const post = (client: string, query: string, input: object = {}) =>
    server.post(client, { query, variables: { input } });

  it('4.1-13 a person signs up with the essential alone, declines the rest, and is refused nobody’s service for it', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const sam = (await post('sam', '{ me { id } }')).data.me.id;
    const given = await server.post('olga', { query: GIVE_ALL_FOUR, variables: { staff: sam, until } });
    expect(given.errors).to.equal(undefined);
    const register = (category: string, value: string) =>
      post('sam', REGISTER, {
        service: 'notes',
        purpose: 'convenience',
        records: [{ category, channel: 'REGISTRATION', value }],
        identity: { issuer: server.provider.issuer, subject: 'uma' },
      });
    const without = await register('user.contact.email', 'uma@example.com');
    expect(without.errors![0]!.extensions).to.deep.include({
      code: 'ESSENTIAL_CATEGORY_REQUIRED',
      clause: '4.1',
      missing: ['an essential category'],
    });
    const registered = await register('user.name', 'Uma Example');
    expect(registered.errors).to.equal(undefined);
    const user = registered.data.registerUser.id;

    const decline = 'mutation { declineCategories(categories: ["user.contact.email"]) }';
    expect((await post('uma', decline)).data.declineCategories).to.deep.equal(['user.contact.email']);
    expect((await post('sam', decline)).errors![0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    const collected = await post(
      'sam',
      'mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }',
      {
        user,
        purpose: 'convenience',
        records: [{ category: 'user.contact.email', channel: 'EMAIL', value: 'uma@example.com' }],
      },
    );
    expect(collected.errors![0]!.extensions).to.deep.include({ code: 'CATEGORY_DECLINED', clause: '4.1' });
  });

  it('4.2-13 a person rejects cookies, and sees at once which are refused and what they go without', async () => {
    const check = '{ checkCookie(service: "notes", name: "layout") { answer refusal { code } } }';
    expect((await post('uma', check)).data.checkCookie).to.deep.equal({ answer: 'ASK', refusal: null });
    const set = 'mutation { setCookiePreference(service: "notes", preference: REJECT_ALL) { version } }';
    expect((await post('uma', set)).data.setCookiePreference).to.deep.equal({ version: 1 });
    expect((await post('uma', check)).data.checkCookie).to.deep.equal({
      answer: 'REFUSED',
      refusal: { code: 'COOKIE_REJECTED' },
    });
    const degraded = '{ degradedServices { edges { node { key functions { function } } } } }';
    expect((await post('uma', degraded)).data.degradedServices.edges).to.deep.include({
      node: { key: 'notes', functions: [{ function: 'the layout' }] },
    });
  });
});
