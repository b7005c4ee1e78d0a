import { expect } from 'chai';
import type { Server } from '../../../src/server/server.js';
import { type Answer, GIVE_ALL_FOUR, openSite, type Site, serveSite, stopServer } from '../../support/server.js';

const BEGIN = 'mutation ($staff: ID!) { beginEngagement(input: { staff: $staff, kind: AGENT }) { id state } }';
const END = 'mutation ($id: ID!) { endEngagement(id: $id) { state } }';
const REGISTER = `mutation { registerUser(input: { service: "diagrams", purpose: "convenience",
  records: [{ category: "user.name", channel: REGISTRATION, value: "Uma Example" }] }) { id } }`;
const READ = `query ($user: ID!) { user(id: $user) {
  personalData(purpose: "convenience") { value withheld { code clause missing } } } }`;
const ACCESS = '{ myAccess(purpose: "convenience", categories: ["user.name"]) { permitted missing } }';
const STAFF = '{ staff { edges { node { id engagements { id } } } } }';

/** Two servers of one log, over HTTP, with real tokens. */
describe('an engagement that is ended', function () {
  this.timeout(60_000);
  let site: Site;
  let servers: Server[];
  let staff: string;
  let user: string;
  before(async () => {
    site = await openSite([
      { id: 'sam', roles: ['support-agent'] },
      { id: 'olga', roles: ['privacy-officer'] },
      { id: 'oscar', roles: ['privacy-officer'] },
      { id: 'rita', roles: ['security-reviewer'] },
    ]);
    servers = [await serveSite(site), await serveSite(site)];
    staff = (await as('sam', '{ me { id } }')).data.me.id;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await as('olga', GIVE_ALL_FOUR, { staff, until })).errors).to.equal(undefined);
    user = (await as('sam', REGISTER)).data.registerUser.id;
  });
  after(async () => {
    for (const server of servers) await stopServer(server);
    await site.close();
  });

  const as = (client: string, query: string, variables: object = {}, at = 0): Promise<Answer> =>
    site.post(servers[at]!.url, client, { query, variables });
  const readAt = async (at: number) => {
    const { data, errors } = await as('sam', READ, { user }, at);
    expect(errors).to.equal(undefined);
    return data.user.personalData[0];
  };

  it('5.2-19 cuts off the very next read, whichever server answers it', async () => {
    const { data } = await as('olga', STAFF);
    type Member = { node: { id: string; engagements: { id: string }[] } };
    const { engagements } = (data.staff.edges as Member[]).find(({ node }) => node.id === staff)!.node;
    let id = engagements[0]!.id;
    for (const [ending, reading] of [
      [0, 1],
      [1, 0],
      [0, 0],
    ] as const) {
      expect((await readAt(reading)).value).to.equal('Uma Example');
      expect((await as('olga', END, { id }, ending)).data.endEngagement.state).to.equal('ENDED');
      const withheld = { code: 'ENGAGEMENT_ENDED', clause: '5.2', missing: ['an engagement in force'] };
      for (const at of [reading, ending]) expect(await readAt(at)).to.deep.equal({ value: null, withheld });
      const { data } = await as('sam', ACCESS, {}, reading);
      expect(data.myAccess).to.deep.equal({ permitted: [], missing: withheld.missing });
      ({ id } = (await as('olga', BEGIN, { staff }, ending)).data.beginEngagement);
    }
    expect((await readAt(1)).value).to.equal('Uma Example');
  });

  it('5.2-20 lets no read through after it, of many at once', async () => {
    const { id } = (await as('olga', BEGIN, { staff })).data.beginEngagement;
    const { data } = await as('olga', STAFF);
    const all: string[] = data.staff.edges.flatMap(({ node }: { node: { engagements: { id: string }[] } }) =>
      node.engagements.map((one) => one.id),
    );
    expect(all).to.include(id);
    let isEnded = false;
    const late: (string | null)[] = [];
    let early = 0;
    const reader = async (at: number): Promise<void> => {
      for (let after = 0; after < 2; ) {
        const began = isEnded;
        const { value } = await readAt(at);
        if (began) {
          after++;
          late.push(value);
        } else if (value !== null) early++;
      }
    };
    const readers = [0, 1, 0, 1].map(reader);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ends = all.map((_, nth) => `e${nth}: endEngagement(id: "${all[nth]}") { id }`);
    expect((await as('olga', `mutation { ${ends.join(' ')} }`)).errors).to.equal(undefined);
    isEnded = true;
    await Promise.all(readers);
    expect(early).to.be.greaterThan(0);
    expect(late).to.deep.equal(Array(8).fill(null));
  });

  it('5.2-31 ends what a role opens too, for officers and reviewers, who are let by it while nobody engaged them', async () => {
    const engaged = async (member: string): Promise<string> => {
      const id = (await as(member, '{ me { id } }')).data.me.id;
      return (await as('olga', BEGIN, { staff: id })).data.beginEngagement.id;
    };
    const deeds = { oscar: STAFF, rita: '{ auditEntries(first: 1) { edges { node { index } } } }' };
    for (const [member, deed] of Object.entries(deeds)) {
      expect((await as(member, deed)).errors, 'never engaged').to.equal(undefined);
      const id = await engaged(member);
      expect((await as(member, deed, {}, 1)).errors, 'engaged').to.equal(undefined);
      expect((await as('olga', END, { id })).errors).to.equal(undefined);
      for (const at of [1, 0]) {
        const { errors } = await as(member, deed, {}, at);
        expect(errors?.[0]?.extensions).to.deep.include({
          ...{ code: 'ENGAGEMENT_ENDED', clause: '5.2', missing: ['an engagement in force'] },
        });
      }
      const begun = await as(member, BEGIN, { staff }, 1);
      expect(begun.errors?.[0]?.extensions).to.have.deep.property('missing').that.includes('an engagement in force');
      await engaged(member);
      expect((await as(member, deed, {}, 1)).errors, 'engaged again').to.equal(undefined);
    }
  });
});
