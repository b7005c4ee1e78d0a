import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { STANDING_KINDS } from '../../../src/domain/staff/standing.rules.js';
import { endStanding, recordStanding, standingOf } from '../../../src/domain/staff/standings.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { refusalOf, type TestGate, testGate } from '../../support/gate.js';

const SHOWN = 'id staff recordedBy from until endedAt state';
/** Of each: the mutations, what a refusal misses, and the events. */
const KINDS = {
  engagement: {
    begin: `mutation ($input: BeginEngagementInput!) { done: beginEngagement(input: $input) { ${SHOWN} kind } }`,
    end: `mutation ($id: ID!) { done: endEngagement(id: $id) { ${SHOWN} kind } }`,
    input: { kind: 'CONTRACTOR' },
    code: 'ENGAGEMENT_ENDED',
    missing: 'an engagement in force',
    events: ['engagement.begun', 'engagement.ended'],
    table: 'engagement',
  },
  agreement: {
    begin: `mutation ($input: RecordAgreementInput!) { done: recordConfidentialityAgreement(input: $input) { ${SHOWN} } }`,
    end: `mutation ($id: ID!) { done: withdrawConfidentialityAgreement(id: $id) { ${SHOWN} } }`,
    input: {},
    code: 'CONFIDENTIALITY_NOT_IN_FORCE',
    missing: 'a confidentiality agreement in force',
    events: ['agreement.signed', 'agreement.withdrawn'],
    table: 'confidentiality_agreement',
  },
  training: {
    begin: `mutation ($input: RecordTrainingInput!) { done: recordTraining(input: $input) { ${SHOWN} } }`,
    end: `mutation ($id: ID!) { done: withdrawTraining(id: $id) { ${SHOWN} } }`,
    input: {},
    code: 'TRAINING_EXPIRED',
    missing: 'a current training',
    events: ['training.completed', 'training.withdrawn'],
    table: 'training_record',
  },
} as const;
const GRANT = `mutation ($staff: ID!, $until: DateTimeISO!) {
  grantNeedToKnow(input: { staff: $staff, purpose: "convenience", until: $until }) { id }
}`;
const READ = `query ($user: ID!) { user(id: $user) {
  personalData(purpose: "convenience", categories: ["user.name"]) { value withheld { code clause missing } } } }`;
const STAFF = `query ($first: Int, $after: String) { staff(first: $first, after: $after) {
  edges { node { id engagements { id kind state } confidentialityAgreements { id } trainingRecords { id } } }
  pageInfo { hasNextPage endCursor } } }`;

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000).toISOString();

describe('what clause 5.2 asks of staff', () => {
  let gate: TestGate;
  let officer: Actor;
  let member: Actor;
  let person: Pseudonym;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
    person = await gate.person();
  });
  beforeEach(async () => {
    member = await gate.signInOnly('support-agent');
  });
  after(() => gate.close());

  const input = (kind: keyof typeof KINDS, changes: object = {}) => ({
    staff: member.id,
    ...KINDS[kind].input,
    until: inDays(30),
    ...changes,
  });
  const begin = (kind: keyof typeof KINDS, changes: object = {}, actor = officer) =>
    gate.execute(actor, KINDS[kind].begin, { input: input(kind, changes) });
  const grant = () => gate.execute(officer, GRANT, { staff: member.id, until: inDays(30) });
  const read = async () => {
    const { data, errors, context } = await gate.execute(member, READ, { user: person });
    expect(errors).to.deep.equal([]);
    const [record] = data.user.personalData;
    const { body } = (await gate.entries(context.entries[0]!.index))[0]!;
    return { ...record, body } as {
      value: string | null;
      withheld: { code: string; missing: string[] } | null;
      body: typeof body;
    };
  };
  const lastBody = async () => (await gate.entries((await gate.size()) - 1))[0]!.body;

  it('5.2-11 a read needs all four, and a refusal lists what is missing until nothing is', async () => {
    const missing = [...STANDING_KINDS.map((kind) => KINDS[kind].missing as string), 'a need-to-know grant'];
    for (const has of [...STANDING_KINDS, 'grant'] as const) {
      const { withheld, value, body } = await read();
      expect([value, withheld!.missing]).to.deep.equal([null, missing]);
      expect(body).to.deep.include({ outcome: 'refused', refusal: { code: withheld!.code, missing } });
      missing.shift();
      expect((await (has === 'grant' ? grant() : begin(has))).errors).to.deep.equal([]);
    }
    const { value, body } = await read();
    expect([value, body.outcome]).to.deep.equal(['Ana Ruiz', 'permitted']);
  });

  for (const kind of STANDING_KINDS) {
    const { code, missing, events, end, table } = KINDS[kind];

    describe(kind, () => {
      beforeEach(async () => {
        for (const other of STANDING_KINDS) if (other !== kind) await begin(other);
        await grant();
      });

      it('5.2-12 is needed to read, find, list and change', async () => {
        expect((await read()).withheld).to.deep.equal({ code, clause: '5.2', missing: [missing] });
        const records = [{ category: 'user.name', channel: 'MESSAGE', value: 'Ana' }];
        for (const [source, variables] of [
          ['{ findUser(category: "user.contact.email", value: "a@b.c", purpose: "convenience") { id } }', {}],
          ['{ users { edges { node { id } } } }', {}],
          [
            'mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }',
            { input: { user: person, purpose: 'convenience', records } },
          ],
        ] as const) {
          const { errors, context } = await gate.execute(member, source, variables);
          expect(errors[0]!.extensions, source).to.deep.include({ code, missing: [missing] });
          expect((await gate.entries(context.entries[0]!.index))[0]!.body).to.include({ outcome: 'refused' });
        }
      });

      it('5.2-13 is recorded and ended under entries of ids and deadlines, and ended once', async () => {
        const until = inDays(20);
        const { data, errors } = await begin(kind, { until });
        expect(errors).to.deep.equal([]);
        const { id, from, ...shown } = data.done;
        const said = { staff: member.id, recordedBy: officer.id, until, endedAt: null };
        expect(shown).to.deep.equal({ ...said, state: 'IN_FORCE', ...KINDS[kind].input });
        expect(await lastBody()).to.deep.include({
          event: events[0],
          clause: '5.2',
          details: { [kind]: id, staff: member.id, from, until, ...KINDS[kind].input },
        });
        expect((await read()).value).to.equal('Ana Ruiz');

        const answers = await Promise.all([1, 2, 3].map(() => gate.execute(officer, end, { id })));
        const times = new Set(answers.map(({ data }) => data.done.endedAt));
        expect([times.size, answers[0]!.data.done.state]).to.deep.equal([1, 'ENDED']);
        const bodies = await Promise.all(
          answers.map(async ({ context }) => (await gate.entries(context.entries[0]!.index))[0]!.body),
        );
        expect(bodies.map(({ event }) => event).sort()).to.deep.equal(
          [events[1], 'staff.listed', 'staff.listed'].sort(),
        );
        expect(bodies.find(({ event }) => event === events[1])!.details).to.deep.equal({
          [kind]: id,
          staff: member.id,
        });
        expect((await read()).withheld).to.deep.equal({ code, clause: '5.2', missing: [missing] });
      });

      it('5.2-14 has no effect once it has run out', async () => {
        await begin(kind, { until: new Date(Date.now() + 400).toISOString() });
        expect((await read()).value).to.equal('Ana Ruiz');
        await new Promise((resolve) => setTimeout(resolve, 450));
        expect((await read()).withheld).to.include({ code });
      });

      it('5.2-15 is recorded by another person, a privacy officer', async () => {
        const own = await begin(kind, { staff: officer.id });
        expect(own.errors[0]!.extensions).to.include({ code: 'OWN_STANDING', clause: '5.2' });
        expect(await lastBody()).to.deep.include({ event: events[0], outcome: 'refused' });
        for (const actor of [member, await gate.signIn('security-reviewer')]) {
          const { errors } = await begin(kind, {}, actor);
          expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
        }
        const { id } = (await begin(kind)).data.done;
        expect((await gate.execute(member, end, { id })).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
        expect((await read()).value).to.equal('Ana Ruiz');
      });

      it('5.2-16 is recorded of staff only, and whom a client named is not for the log', async () => {
        for (const staff of [person, randomUUID() as string as Pseudonym]) {
          const ask = { staff, from: null, until: new Date(inDays(1)), ...KINDS[kind].input };
          expect(await refusalOf(recordStanding(gate.contextFor(officer), kind, ask))).to.equal('NO_SUCH_ID');
          expect(await lastBody()).to.deep.include({ event: 'staff.listed', details: { count: 0 } });
        }
        expect(await refusalOf(endStanding(gate.contextFor(officer), kind, randomUUID()))).to.equal('NO_SUCH_ID');
        const size = await gate.size();
        for (const { errors } of [await begin(kind, { staff: 'ana' }), await gate.execute(officer, end, { id: 'x' })]) {
          expect(errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
        }
        const { errors } = await begin(kind, { until: inDays(-1) });
        expect(errors[0]!.extensions.code).to.equal('BAD_INPUT');
        expect(await gate.size()).to.equal(size);
      });

      it('5.2-17 stands under an entry that says the same, or the database refuses it', async () => {
        const { id } = (await begin(kind)).data.done;
        const columns = `id, staff, recorded_by, valid_from, valid_until, entry${kind === 'engagement' ? ', kind' : ''}`;
        const own = kind === 'engagement' ? ", 'AGENT'" : '';
        const row = (change: Record<string, string>, entry: string) => {
          const said = { id: `'${randomUUID()}'`, staff: `'${member.id}'`, by: `'${officer.id}'`, ...change };
          return `INSERT INTO registry.${table} (${columns})
            SELECT ${said.id}, ${said.staff}, ${said.by}, now(), now() + interval '1 day', '${entry}'${own}`;
        };
        const update = (set: string) => `UPDATE registry.${table} SET ${set} WHERE id = '${id}'`;
        const attempts = [
          (entry: string) => row({}, entry),
          (entry: string) => row({ by: `'${member.id}'` }, entry),
          (entry: string) => update(`ended_at = now(), ending = '${entry}'`),
          () => update(`valid_until = now() + interval '10 years'`),
          () => `DELETE FROM registry.${table} WHERE id = '${id}'`,
        ];
        for (const attempt of attempts) {
          const asked = { event: 'grant.revoked', operation: 'x', data: null } as const;
          const fault = await gate
            .contextFor(officer)
            .gate.change(asked, async ({ rows }, permit) => {
              const body = permit.body('grant.revoked');
              await rows.query(attempt(body.id));
              return { bodies: [body], value: null };
            })
            .catch((error: unknown) => error);
          expect(fault, attempt('x')).to.be.instanceOf(Error);
        }
        expect((await read()).value).to.equal('Ana Ruiz');
      });
    });
  }

  it('5.2-18 is shown to officers, a page under one entry, and to each member their own', async () => {
    for (const kind of STANDING_KINDS) await begin(kind);
    const listed: { id: string; engagements: object[] }[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data, context } = await gate.execute(officer, STAFF, { first: 5, after });
      const { edges, pageInfo } = data.staff;
      listed.push(...edges.map(({ node }: { node: (typeof listed)[number] }) => node));
      expect(context.entries).to.have.length(1);
      expect(await lastBody()).to.deep.include({ event: 'staff.listed', details: { count: edges.length } });
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(new Set(listed.map(({ id }) => id)).size).to.equal(listed.length);
    const shown = listed.find(({ id }) => id === member.id)!;
    const { engagements } = await standingOf(gate.contextFor(officer), member.id);
    expect(shown.engagements).to.deep.equal([{ id: engagements[0]!.id, kind: 'CONTRACTOR', state: 'IN_FORCE' }]);

    const mine = '{ myStanding { id engagements { kind } trainingRecords { id } } }';
    const own = await gate.execute(member, mine);
    expect(own.data.myStanding).to.deep.nested.include({ id: member.id, 'engagements[0].kind': 'CONTRACTOR' });
    expect(own.context.entries).to.deep.equal([]);
    expect((await gate.execute({ id: person, kind: 'user' }, mine)).data.myStanding).to.equal(null);
    const { errors } = await gate.execute(member, STAFF, {});
    expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
  });
});
