import { expect } from 'chai';
import type { Server } from '../../../src/server/server.js';
import { GIVE_ALL_FOUR, openSite, type Site, serveSite, stopServer } from '../../support/server.js';

const GRANT = `mutation ($staff: ID!, $until: DateTimeISO!) {
  grantNeedToKnow(input: { staff: $staff, purpose: "new-services", until: $until }) { id }
}`;
const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
const GIVE = `mutation { giveConsent(input: { purpose: "new-services", categories: ["user.name"],
  giving: { service: "diagrams", channel: EMAIL, words: "May we?", language: "en" } }) { id state inForce } }`;
const WITHDRAW = 'mutation ($id: ID!) { withdrawConsent(id: $id) { state } }';
const OWN = '{ consents { edges { node { state history { act } } } } }';
const READ = `query ($user: ID!) { user(id: $user) {
  personalData(purpose: "new-services", categories: ["user.name"]) { value withheld { code } } } }`;

/** Two servers of one log, and people with tokens of a real issuer. */
describe('consents, over HTTP', () => {
  let site: Site;
  let servers: Server[];
  before(async () => {
    site = await openSite([
      { id: 'olga', roles: ['privacy-officer'] },
      { id: 'sam', roles: ['support-agent'] },
      { id: 'uma', roles: ['user'] },
    ]);
    servers = [await serveSite(site), await serveSite(site)];
  });
  after(async () => {
    for (const server of servers ?? []) await stopServer(server);
    await site.close();
  });

  const ask = async (client: string, query: string, variables: object = {}, server = 0) => {
    const { data, errors } = await site.post(servers[server]!.url, client, { query, variables });
    expect(errors).to.equal(undefined);
    return data;
  };

  it('3.1-41 are given and withdrawn by a person with a token of theirs, and hold for the next read of every server', async () => {
    const staff = (await ask('sam', '{ me { id } }')).me.id;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    for (const mutation of [GIVE_ALL_FOUR, GRANT]) await ask('olga', mutation, { staff, until });
    const input = {
      service: 'diagrams',
      purpose: 'convenience',
      records: [{ category: 'user.name', channel: 'REGISTRATION', value: 'Uma Example' }],
      identity: { issuer: site.provider.issuer, subject: 'uma' },
    };
    const user = (await ask('sam', REGISTER, { input })).registerUser.id;
    const shown = async () => {
      const answers = await Promise.all(servers.map((_, nth) => ask('sam', READ, { user }, nth)));
      return answers.map((data) => data.user.personalData[0]).map(({ value, withheld }) => value ?? withheld.code);
    };

    expect(await shown()).to.deep.equal(['CONSENT_MISSING', 'CONSENT_MISSING']);
    const { id, ...given } = (await ask('uma', GIVE, {}, 1)).giveConsent;
    expect(given).to.deep.equal({ state: 'GIVEN', inForce: true });
    expect(await shown()).to.deep.equal(['Uma Example', 'Uma Example']);
    expect((await ask('uma', WITHDRAW, { id }, 0)).withdrawConsent.state).to.equal('WITHDRAWN');
    expect(await shown()).to.deep.equal(['CONSENT_WITHDRAWN', 'CONSENT_WITHDRAWN']);
    expect((await ask('uma', OWN, {}, 1)).consents.edges).to.deep.equal([
      { node: { state: 'WITHDRAWN', history: [{ act: 'GIVEN' }, { act: 'WITHDRAWN' }] } },
    ]);
    const { data } = await site.post(servers[0]!.url, 'uma', {
      query: 'query ($c: String!) { whoAccessedMyData(challenge: $c, first: 20) { edges { node { text } } } }',
      variables: { c: 'ab'.repeat(32) },
    });
    const texts = JSON.stringify(data);
    expect(texts).to.include('you withdrew the consent to the use of your name');
    expect(texts).to.include('you had withdrawn your consent to it');
  });
});
