import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { grantNeedToKnow, grantsOf } from '../../../src/domain/staff/grants.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { EMAIL, NAME, refusalOf, type TestGate, testGate } from '../../support/gate.js';

const GRANT = `mutation ($input: GrantNeedToKnowInput!) {
  grantNeedToKnow(input: $input) { id staff purpose categories approvedBy from until revokedAt inForce }
}`;
const REVOKE = 'mutation ($id: ID!) { revokeNeedToKnow(id: $id) { id revokedAt inForce } }';
const GRANTS = `query ($staff: ID, $first: Int, $after: String) {
  needToKnowGrants(staff: $staff, first: $first, after: $after) {
    edges { node { id staff } } pageInfo { hasNextPage endCursor }
  }
}`;

/** The document of the issue, as it stands. */
const CUSTOMER_CARD = `query CustomerCard($user: ID!) {
  user(id: $user) {
    id
    personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) {
      category
      version
      channel
      value
      withheld { code clause missing }
    }
  }
}`;

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000).toISOString();

describe('need-to-know grants', () => {
  let gate: TestGate;
  let officer: Actor;
  let support: Actor;
  let person: Pseudonym;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
    person = await gate.person();
  });
  beforeEach(async () => {
    support = await gate.signIn('support-agent');
  });
  after(() => gate.close());

  const grant = (changes: object = {}, actor = officer) =>
    gate.execute(actor, GRANT, {
      input: { staff: support.id, purpose: 'convenience', until: inDays(30), ...changes },
    });
  const card = async () => {
    const { data, errors, context } = await gate.execute(support, CUSTOMER_CARD, { user: person });
    expect(errors).to.deep.equal([]);
    return { card: data.user, context };
  };
  const bodyOf = async (index: number) => (await gate.entries(index))[0]!.body;

  it('open the customer card of the issue, as it stands', async () => {
    const { errors } = await grant();
    expect(errors).to.deep.equal([]);
    const { card: shown, context } = await card();
    expect(shown).to.deep.equal({
      id: person,
      personalData: [EMAIL, NAME].map(({ category, channel, value }) => ({
        category,
        version: 1,
        channel,
        value,
        withheld: null,
      })),
    });
    expect(context.entries).to.have.length(1);
    const body = await bodyOf(context.entries[0]!.index);
    expect(body).to.include({ event: 'record.read', subject: person, purpose: 'convenience', basis: 'contract' });
    expect(body.records?.map(({ category }) => category)).to.deep.equal(['user.contact.email', 'user.name']);
  });

  it('are what the customer card lacks without', async () => {
    const { card: shown, context } = await card();
    const withheld = { code: 'NO_NEED_TO_KNOW', clause: '5.2', missing: ['a need-to-know grant'] };
    expect(shown.personalData).to.deep.equal(
      ['user.name', 'user.contact.email'].map((category) => ({
        category,
        version: null,
        channel: null,
        value: null,
        withheld,
      })),
    );
    expect(await bodyOf(context.entries[0]!.index)).to.deep.include({
      outcome: 'refused',
      refusal: { code: 'NO_NEED_TO_KNOW', missing: ['a need-to-know grant'] },
    });
  });

  it('open their categories only', async () => {
    await grant({ categories: ['user.name', 'user.name'] });
    const { card: shown } = await card();
    expect(
      Object.fromEntries(
        shown.personalData.map((one: { category: string; value: string }) => [one.category, one.value]),
      ),
    ).to.deep.equal({ 'user.name': NAME.value, 'user.contact.email': null });
  });

  it('open nothing before they begin', async () => {
    const { data } = await grant({ from: inDays(1) });
    expect(data.grantNeedToKnow.inForce).to.equal(false);
    const { card: shown } = await card();
    expect(shown.personalData[0].withheld.code).to.equal('NO_NEED_TO_KNOW');
  });

  it('are approved under an entry of ids and deadlines', async () => {
    const until = inDays(30);
    const { data, context } = await grant({ until, categories: ['user.name'] });
    const { id, from, ...shown } = data.grantNeedToKnow;
    expect(shown).to.deep.equal({
      staff: support.id,
      purpose: 'convenience',
      categories: ['user.name'],
      approvedBy: officer.id,
      until,
      revokedAt: null,
      inForce: true,
    });
    const body = await bodyOf(context.entries[0]!.index);
    expect(body).to.deep.include({
      event: 'grant.approved',
      purpose: 'convenience',
      asked: ['user.name'],
      details: { grant: id, staff: support.id, from, until },
    });
    expect(body).to.not.have.property('subject');
  });

  describe('are refused', () => {
    const refusals: Record<string, [changes: object, code: string]> = {
      'for a purpose that is not declared': [{ purpose: 'gossip' }, 'PURPOSE_NOT_DECLARED'],
      'for a purpose that is no key at all': [{ purpose: 'a\u0000b' }, 'PURPOSE_NOT_DECLARED'],
      'for a category that is not declared': [{ categories: ['user.name', 'user.gossip'] }, 'CATEGORY_NOT_DECLARED'],
      'for a category that is no key at all': [{ categories: ['a\u0000b'] }, 'CATEGORY_NOT_DECLARED'],
      'for a category that the purpose does not cover': [
        { categories: ['user.name', 'user.device.ip_address'] },
        'PURPOSE_DOES_NOT_COVER_CATEGORY',
      ],
    };
    for (const [name, [changes, code]] of Object.entries(refusals)) {
      it(`${name}, by an entry that quotes nothing`, async () => {
        const { data, errors, context } = await grant(changes);
        expect([data, errors[0]!.extensions.code]).to.deep.equal([null, code]);
        const body = await bodyOf(context.entries[0]!.index);
        expect(body).to.deep.include({ event: 'grant.approved', outcome: 'refused' });
        expect(JSON.stringify(body)).to.not.match(/gossip|u0000/);
      });
    }

    it('to oneself', async () => {
      const { errors, context } = await grant({ staff: officer.id });
      expect(errors[0]!.extensions).to.include({ code: 'OWN_GRANT', clause: '5.2' });
      expect(await bodyOf(context.entries[0]!.index)).to.include({ outcome: 'refused' });
      expect(await grantsOf(gate.contextFor(officer), officer.id)).to.deep.equal([]);
    });

    it('by anybody but a privacy officer', async () => {
      for (const role of ['support-agent', 'security-reviewer'] as const) {
        const { errors, context } = await grant({}, await gate.signIn(role));
        expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
        expect(context.entries).to.have.length(1);
      }
    });
  });

  for (const [fault, [changes, code]] of Object.entries({
    'to what is no id': [{ staff: 'ana' }, 'NO_SUCH_ID'],
    'from the past': [{ from: inDays(-1) }, 'BAD_INPUT'],
    'until the past': [{ until: inDays(-1) }, 'BAD_INPUT'],
    'for over 366 days': [{ until: inDays(367) }, 'BAD_INPUT'],
    'for no categories': [{ categories: [] }, 'BAD_INPUT'],
  } as Record<string, [object, string]>)) {
    it(`are not given ${fault}`, async () => {
      const before = await gate.size();
      const { errors } = await grant(changes);
      expect(errors[0]!.extensions.code).to.equal(code);
      expect(await gate.size()).to.equal(before);
    });
  }

  it('are not given to a user, or to nobody; that there is no such member is told under an entry', async () => {
    const until = new Date(inDays(1));
    for (const staff of [person, randomUUID() as string as Pseudonym]) {
      const context = gate.contextFor(officer);
      const wanted = { staff, purpose: 'convenience', categories: null, from: null, until };
      expect(await refusalOf(grantNeedToKnow(context, wanted))).to.equal('NO_SUCH_ID');
      const [entry] = await gate.entries(context.entries[0]!.index);
      expect(entry!.body).to.deep.include({ event: 'grant.listed', details: { count: 0 } });
    }
  });

  it('end with their revocation, for the very next read', async () => {
    const { data } = await grant();
    const { id } = data.grantNeedToKnow;
    expect((await card()).card.personalData[0].withheld).to.equal(null);
    const revoked = await gate.execute(officer, REVOKE, { id });
    expect(revoked.data.revokeNeedToKnow).to.include({ id, inForce: false });
    const { card: shown } = await card();
    expect(shown.personalData[0].withheld.code).to.equal('NO_NEED_TO_KNOW');
    const body = await bodyOf(revoked.context.entries[0]!.index);
    expect(body).to.deep.include({ event: 'grant.revoked', details: { grant: id, staff: support.id } });
    expect(revoked.data.revokeNeedToKnow.revokedAt).to.equal(body.at);
  });

  it('are revoked once', async () => {
    const { id } = (await grant()).data.grantNeedToKnow;
    const answers = await Promise.all([1, 2, 3].map(() => gate.execute(officer, REVOKE, { id })));
    const [one, ...same] = new Set(answers.map(({ data }) => data.revokeNeedToKnow.revokedAt));
    expect([typeof one, same]).to.deep.equal(['string', []]);
    const entries = await Promise.all(
      answers.map(async ({ context }) => (await gate.entries(context.entries[0]!.index))[0]!.body),
    );
    const events = entries.map(({ event }) => event).sort();
    expect(events, 'the others were shown what stands').to.deep.equal([
      'grant.listed',
      'grant.listed',
      'grant.revoked',
    ]);
    expect(entries.find(({ event }) => event === 'grant.listed')!.details).to.deep.equal({
      count: 1,
      staff: support.id,
    });
  });

  it('are revoked by a privacy officer only, and only if they are', async () => {
    const { id } = (await grant()).data.grantNeedToKnow;
    const other = await gate.execute(support, REVOKE, { id });
    expect(other.errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    expect((await card()).card.personalData[0].withheld).to.equal(null);
    for (const unknown of [randomUUID(), 'x']) {
      const { errors, context } = await gate.execute(officer, REVOKE, { id: unknown });
      expect(errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
      expect(context.entries).to.have.length(unknown === 'x' ? 0 : 1);
    }
  });

  it('are listed to officers, a page under one entry, each grant once', async () => {
    for (let nth = 0; nth < 5; nth++) await grant();
    const listed: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data, context } = await gate.execute(officer, GRANTS, { staff: support.id, first: 2, after });
      const { edges, pageInfo } = data.needToKnowGrants;
      listed.push(...edges.map(({ node }: { node: { id: string } }) => node.id));
      expect((await bodyOf(context.entries[0]!.index)).details).to.deep.equal({
        count: edges.length,
        staff: support.id,
      });
      after = pageInfo.endCursor;
      more = pageInfo.hasNextPage;
    }
    const standing = await grantsOf(gate.contextFor(officer), support.id);
    expect(listed).to.deep.equal(standing.map(({ id }) => id).sort());
    const all = await gate.execute(officer, GRANTS, {});
    expect(all.data.needToKnowGrants.edges.length).to.be.greaterThan(5);
  });

  it('are listed of nobody as none, and whom a client named does not get into the log', async () => {
    for (const staff of [randomUUID(), 'ana']) {
      const { data, context } = await gate.execute(officer, GRANTS, { staff });
      expect(data.needToKnowGrants.edges).to.deep.equal([]);
      expect((await bodyOf(context.entries[0]!.index)).details).to.deep.equal({ count: 0 });
    }
  });

  it('are shown to the staff who have them, and to nobody else but officers', async () => {
    const { id } = (await grant()).data.grantNeedToKnow;
    const mine = '{ myGrants { edges { node { id inForce } } } }';
    const own = await gate.execute(support, mine);
    expect(own.data.myGrants.edges).to.deep.equal([{ node: { id, inForce: true } }]);
    expect(own.context.entries).to.deep.equal([]);
    const other = await gate.signIn('support-agent');
    expect((await gate.execute(other, mine)).data.myGrants.edges).to.deep.equal([]);
    const { errors, context } = await gate.execute(other, GRANTS, {});
    expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    expect(await bodyOf(context.entries[0]!.index)).to.include({ event: 'grant.listed', outcome: 'refused' });
  });
});
