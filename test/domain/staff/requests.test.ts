import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { grantsOf } from '../../../src/domain/staff/grants.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { type TestGate, testGate } from '../../support/gate.js';

const REQUEST = `mutation ($input: RequestNeedToKnowInput!) {
  requestNeedToKnow(input: $input) { id staff purpose categories requestedAt until state }
}`;
const APPROVE =
  'mutation ($id: ID!) { approveNeedToKnow(id: $id) { id staff purpose categories approvedBy until state } }';
const REVOKE = 'mutation ($id: ID!) { revokeNeedToKnow(id: $id) { state } }';
const OPEN = `query ($after: String) { needToKnowRequests(first: 2, after: $after) {
  edges { node { id state } } pageInfo { hasNextPage endCursor } } }`;
const MINE = '{ myNeedToKnowRequests { edges { node { id state } } } }';
const READ = `query ($user: ID!) { user(id: $user) {
  personalData(purpose: "convenience") { category value withheld { code } } } }`;

describe('requests of need to know', () => {
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

  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const input = () => ({ purpose: 'convenience', categories: ['user.name'], until: inHours(2) });
  const request = (changes: object = {}, actor = support) =>
    gate.execute(actor, REQUEST, { input: { ...input(), ...changes } });
  const approve = (id: string, actor = officer) => gate.execute(actor, APPROVE, { id });
  const lastBody = async () => (await gate.entries((await gate.size()) - 1))[0]!.body;
  const values = async () => {
    const { data } = await gate.execute(support, READ, { user: person });
    type Shown = { value: string | null };
    return (data.user.personalData as Shown[]).map(({ value }) => value).filter((value) => value !== null);
  };

  it('5.2-24 open nothing until they are approved, and what they asked for afterwards', async () => {
    const { data, errors } = await request();
    expect(errors).to.deep.equal([]);
    const { id, requestedAt, until, ...shown } = data.requestNeedToKnow;
    const scope = { staff: support.id, purpose: 'convenience', categories: ['user.name'] };
    expect(shown).to.deep.equal({ ...scope, state: 'REQUESTED' });
    expect(await lastBody()).to.deep.include({
      event: 'grant.requested',
      actor: { id: support.id, kind: 'staff', role: 'support-agent' },
      at: requestedAt,
      purpose: 'convenience',
      asked: ['user.name'],
      details: { grant: id, until },
    });
    expect(await values()).to.deep.equal([]);

    const approved = await approve(id);
    expect(approved.errors).to.deep.equal([]);
    expect(approved.data.approveNeedToKnow).to.deep.equal({
      id,
      ...scope,
      approvedBy: officer.id,
      until,
      state: 'APPROVED',
    });
    expect(await lastBody()).to.deep.include({ event: 'grant.approved', purpose: 'convenience', asked: ['user.name'] });
    expect(await values()).to.deep.equal(['Ana Ruiz']);

    expect((await gate.execute(officer, REVOKE, { id })).data.revokeNeedToKnow.state).to.equal('REVOKED');
    expect(await values()).to.deep.equal([]);
    expect((await approve(id)).data.approveNeedToKnow.state, 'it stays so').to.equal('REVOKED');
    expect(await values()).to.deep.equal([]);
  });

  it('5.2-25 are approved by another person, a privacy officer', async () => {
    const own = (await request({}, officer)).data.requestNeedToKnow.id;
    expect((await approve(own)).errors[0]!.extensions).to.include({ code: 'OWN_GRANT', clause: '5.2' });
    expect(await lastBody()).to.include({ event: 'grant.approved', outcome: 'refused' });
    const other = await gate.signIn('privacy-officer');
    expect((await approve(own, other)).data.approveNeedToKnow.approvedBy).to.equal(other.id);

    const { id } = (await request()).data.requestNeedToKnow;
    for (const actor of [support, await gate.signIn('support-agent'), await gate.signIn('security-reviewer')]) {
      expect((await approve(id, actor)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    expect(await values()).to.deep.equal([]);
  });

  it('5.2-26 are approved once, also by several at once', async () => {
    const { id } = (await request()).data.requestNeedToKnow;
    const officers = [officer, await gate.signIn('privacy-officer'), await gate.signIn('privacy-officer')];
    const from = await gate.size();
    const answers = await Promise.all(officers.map((one) => approve(id, one)));
    const approvers = new Set(answers.map(({ data }) => data.approveNeedToKnow.approvedBy));
    expect(approvers.size).to.equal(1);
    const events = (await gate.entries(from)).map(({ body }) => body.event).sort();
    expect(events).to.deep.equal(['grant.approved', 'grant.listed', 'grant.listed']);
    expect(await grantsOf(gate.contextFor(officer), support.id)).to.have.length(1);
  });

  it('5.2-27 that ran out are approved no more', async () => {
    const { id } = (await request({ until: new Date(Date.now() + 300).toISOString() })).data.requestNeedToKnow;
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect((await approve(id)).errors[0]!.extensions.code).to.equal('BAD_INPUT');
    expect(await lastBody()).to.deep.include({ event: 'grant.listed', details: { count: 1, staff: support.id } });
    expect(await grantsOf(gate.contextFor(officer), support.id)).to.deep.equal([]);
    expect((await gate.execute(support, MINE)).data.myNeedToKnowRequests.edges).to.deep.equal([
      { node: { id, state: 'EXPIRED' } },
    ]);
  });

  it('5.2-28 are made by staff who may read, within what the purpose covers', async () => {
    for (const [changes, code] of [
      [{ purpose: 'gossip' }, 'PURPOSE_NOT_DECLARED'],
      [{ categories: ['user.gossip'] }, 'CATEGORY_NOT_DECLARED'],
      [{ categories: ['user.device.ip_address'] }, 'PURPOSE_DOES_NOT_COVER_CATEGORY'],
    ] as const) {
      expect((await request(changes)).errors[0]!.extensions.code).to.equal(code);
      expect(await lastBody()).to.include({ event: 'grant.requested', outcome: 'refused' });
      expect(JSON.stringify(await lastBody())).to.not.include('gossip');
    }
    const size = await gate.size();
    for (const changes of [{ categories: [] }, { until: inHours(-1) }, { until: inHours(24 * 367) }]) {
      expect((await request(changes)).errors[0]!.extensions.code).to.equal('BAD_INPUT');
    }
    expect(await gate.size()).to.equal(size);
    for (const actor of [await gate.signIn('security-reviewer'), { id: person, kind: 'user' } as const]) {
      expect((await request({}, actor)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    for (const id of [randomUUID(), 'x']) expect((await approve(id)).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
  });

  it('5.2-29 that wait are shown to officers, a page under one entry, and to each member their own', async () => {
    const ids: string[] = [];
    for (let nth = 0; nth < 4; nth++) ids.push((await request()).data.requestNeedToKnow.id);
    await approve(ids[0]!);
    const open: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data, context } = await gate.execute(officer, OPEN, { after });
      const { edges, pageInfo } = data.needToKnowRequests;
      expect(context.entries).to.have.length(1);
      expect(await lastBody()).to.deep.include({ event: 'grant.listed', details: { count: edges.length } });
      open.push(...edges.map(({ node }: { node: { id: string } }) => node.id));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(open).to.include.members(ids.slice(1)).and.not.include(ids[0]);
    const mine = await gate.execute(support, MINE);
    type Shown = { node: { id: string; state: string } };
    expect(
      Object.fromEntries((mine.data.myNeedToKnowRequests.edges as Shown[]).map(({ node }) => [node.id, node.state])),
    ).to.deep.equal(Object.fromEntries(ids.map((id, nth) => [id, nth === 0 ? 'APPROVED' : 'REQUESTED'])));
    expect(mine.context.entries).to.deep.equal([]);
    expect((await gate.execute(support, OPEN, {})).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
  });

  it('5.2-30 and their grants stand under entries that say the same, or the database refuses them', async () => {
    const { id } = (await request()).data.requestNeedToKnow;
    const later = `now() + interval '1 day'`;
    const attempts = [
      (entry: string) => `INSERT INTO registry.need_to_know_request
        SELECT '${randomUUID()}', '${support.id}', 'convenience', NULL, now(), ${later}, '${entry}'`,
      () => `UPDATE registry.need_to_know_request SET valid_until = ${later} WHERE id = '${id}'`,
      () => `DELETE FROM registry.need_to_know_request WHERE id = '${id}'`,
    ];
    const asked = { event: 'grant.approved', operation: 'x', data: null } as const;
    const attempt = (sql: (entry: string) => string, said: object) =>
      gate
        .contextFor(officer)
        .gate.change(asked, async ({ rows }, permit) => {
          const body = permit.body('grant.approved', said);
          await rows.query(sql(body.id));
          return { bodies: [body], value: null };
        })
        .then(
          () => 'done',
          (error: Error) => error.name,
        );
    for (const sql of attempts) expect(await attempt(sql, {}), sql('x')).to.not.equal('done');

    // A grant that its entry does say, of the request's id: only as it was requested.
    const from = new Date();
    const until = (await gate.core.rows.query(
      'SELECT valid_until AS until FROM registry.need_to_know_request WHERE id = $1',
      [id],
    )) as { until: Date }[];
    const grant = (to: Date, purpose: string) => {
      const sql = (entry: string) => `INSERT INTO registry.need_to_know_grant
        (id, staff, purpose, categories, approved_by, valid_from, valid_until, entry)
        VALUES ('${id}', '${support.id}', '${purpose}', ARRAY['user.name'], '${officer.id}',
          '${from.toISOString()}', '${to.toISOString()}', '${entry}')`;
      const details = { grant: id, staff: support.id, from: from.toISOString(), until: to.toISOString() };
      return attempt(sql, { purpose, asked: ['user.name'], details });
    };
    expect(await grant(new Date(inHours(9)), 'convenience')).to.not.equal('done');
    expect(await grant(until[0]!.until, 'property-security')).to.not.equal('done');
    expect(await grant(until[0]!.until, 'convenience')).to.equal('done');
  });
});
