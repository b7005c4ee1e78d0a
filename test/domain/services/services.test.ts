import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { acceptCategories, declineCategories, declinedCategories } from '../../../src/domain/services/choices.js';
import { enrolService, setEssentialCategories } from '../../../src/domain/services/services.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { EMAIL, NAME, refusalOf, type TestGate, testGate } from '../../support/gate.js';
import { ask } from '../../support/postgres.js';

const ENROL = `mutation ($input: EnrolServiceInput!) {
  enrolService(input: $input) { key title policyVersion essentialCategories }
}`;
const AMEND = `mutation ($service: String!, $categories: [String!]!) {
  setEssentialCategories(service: $service, categories: $categories) { key essentialCategories }
}`;
const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
const COLLECT = 'mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }';
const DECLINE = 'mutation ($categories: [String!]!) { declineCategories(categories: $categories) }';
const ACCEPT = 'mutation ($categories: [String!]!) { acceptCategories(categories: $categories) }';

const PHONE = { category: 'user.contact.phone_number', channel: 'MESSAGE', value: '+44 1632 960000' } as const;

describe('services', () => {
  let gate: TestGate;
  let officer: Actor;
  let ana: Pseudonym;
  let user: Actor;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
  });
  beforeEach(async () => {
    ana = await gate.person();
    user = { id: ana, kind: 'user' };
  });
  after(() => gate.close());

  let made = 0;
  const newKey = () => `service-${'abcdefghijklmnopqrstuvwxyz'[made++]}`;
  const enrol = (changes: object = {}, actor = officer) =>
    gate.execute(actor, ENROL, { input: { key: newKey(), title: 'Notes', essentialCategories: [], ...changes } });
  const register = (service: string, records: object[], actor: Actor = SYSTEM) =>
    gate.execute(actor, REGISTER, { input: { service, purpose: 'convenience', records } });
  const collect = (records: object[] = [PHONE], actor: Actor = SYSTEM, of = ana) =>
    gate.execute(actor, COLLECT, { input: { user: of, purpose: 'convenience', records } });
  const decline = (categories: string[], actor = user) => gate.execute(actor, DECLINE, { categories });
  const lastBody = async () => (await gate.entries()).at(-1)!.body;

  it('8.2-02 are enrolled by a privacy officer under the policy in force, with an entry that says what is essential', async () => {
    const { data, errors } = await enrol({ essentialCategories: ['user.name', 'user.contact.email'] });
    expect(errors).to.deep.equal([]);
    const { key, ...shown } = data.enrolService;
    const essential = ['user.contact.email', 'user.name'];
    expect(shown).to.deep.equal({ title: 'Notes', policyVersion: '2012-01-16', essentialCategories: essential });
    expect(await lastBody()).to.deep.include({
      event: 'service.enrolled',
      clause: '8.2',
      policy: '2012-01-16',
      asked: essential,
      details: { service: key },
    });
    const listed = await gate.execute(user, '{ services { edges { node { key essentialCategories } } } }');
    const nodes = listed.data.services.edges.map(({ node }: { node: object }) => node);
    expect(nodes).to.deep.include.members([{ key, essentialCategories: essential }]);
    expect(nodes).to.deep.include.members([{ key: 'diagrams', essentialCategories: ['user.name'] }]);
    expect(listed.context.entries).to.deep.equal([]);
    expect((await register(key, [NAME, EMAIL])).errors).to.deep.equal([]);
  });

  it('8.2-03 are not enrolled by anybody else, twice, or with what is not declared', async () => {
    for (const role of ['support-agent', 'security-reviewer'] as const) {
      const { errors } = await enrol({}, await gate.signIn(role));
      expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    expect((await enrol({}, user)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    expect((await enrol({ key: 'diagrams' })).errors[0]!.extensions.code).to.equal('ALREADY_REGISTERED');
    const undeclared = await enrol({ essentialCategories: ['user.gossip'] });
    expect(undeclared.errors[0]!.extensions).to.include({ code: 'CATEGORY_NOT_DECLARED', clause: '2.1' });
    expect(JSON.stringify(await lastBody())).to.not.include('gossip');
    for (const wrong of [{ key: 'No Key' }, { key: '' }, { title: ' ' }, { title: 'x\u0000' }]) {
      expect((await enrol(wrong)).errors[0]!.extensions.code).to.equal('BAD_INPUT');
    }
  });

  it('8.2-04 collect nothing about their people once the policy that they are enrolled under is in force no longer', async () => {
    const { key } = (await enrol()).data.enrolService;
    const ben = (await register(key, [NAME])).data.registerUser.id;
    await ask(gate.database.superuserUrl, `UPDATE registry.service SET policy = '2011-01-01' WHERE key = '${key}'`);
    const collected = await collect([PHONE], SYSTEM, ben);
    expect(collected.errors[0]!.extensions).to.deep.include({ code: 'SERVICE_NOT_COVERED', clause: '8.2' });
    expect(await lastBody()).to.deep.include({ event: 'record.created', outcome: 'refused', subject: ben });
    const registered = await register(key, [NAME]);
    expect(registered.errors[0]!.extensions.code).to.equal('SERVICE_NOT_COVERED');
  });

  it('4.1-04 register with only what is essential, and with whatever else people tell', async () => {
    expect((await register('diagrams', [NAME])).errors).to.deep.equal([]);
    expect((await register('diagrams', [NAME, EMAIL, PHONE])).errors).to.deep.equal([]);
  });

  it('4.1-05 register nobody without what is essential, and say what is missing, in the log too', async () => {
    const { errors } = await register('diagrams', [EMAIL]);
    const { entry: _, ...refusal } = errors[0]!.extensions;
    expect(refusal).to.deep.equal({
      code: 'ESSENTIAL_CATEGORY_REQUIRED',
      clause: '4.1',
      missing: ['an essential category'],
    });
    expect(await lastBody()).to.deep.include({
      event: 'user.registered',
      outcome: 'refused',
      refusal: { code: 'ESSENTIAL_CATEGORY_REQUIRED', missing: ['an essential category'] },
    });
    const none = await register('unheard-of', [EMAIL]);
    expect(none.errors[0]!.extensions.missing).to.deep.equal(['an enrolled service']);
  });

  it('4.1-06 have their essential categories changed by an entry, for the very next registration, and keep what was', async () => {
    const { key } = (await enrol({ essentialCategories: ['user.name'] })).data.enrolService;
    const other = await gate.another();
    const { data, errors } = await gate.execute(officer, AMEND, { service: key, categories: ['user.contact.email'] });
    expect(errors).to.deep.equal([]);
    expect(data.setEssentialCategories).to.deep.equal({ key, essentialCategories: ['user.contact.email'] });
    expect(await lastBody()).to.deep.include({
      event: 'service.amended',
      clause: '4.1',
      asked: ['user.contact.email'],
      details: { service: key },
    });
    expect((await register(key, [NAME])).errors[0]!.extensions.code).to.equal('ESSENTIAL_CATEGORY_REQUIRED');
    expect((await register(key, [EMAIL])).errors).to.deep.equal([]);
    // A server that starts declares what it knows, and takes nothing back.
    const system = other.contextFor({ actor: SYSTEM, request: randomUUID() });
    await enrolService(system, { key, title: 'Notes', essential: ['user.name'] });
    const query = 'query ($service: String!) { essentialCategories(service: $service) { edges { node { key } } } }';
    const now = await gate.execute(user, query, { service: key });
    expect(now.data.essentialCategories.edges).to.deep.equal([{ node: { key: 'user.contact.email' } }]);
    expect((await gate.execute(user, query, { service: 'unheard-of' })).data.essentialCategories).to.equal(null);
    expect(
      await ask(
        gate.database.superuserUrl,
        `SELECT array_to_json(array_agg(categories ORDER BY version))::text AS it
         FROM (SELECT version, array_to_json(categories) AS categories FROM registry.essential_categories WHERE service = '${key}') v`,
      ),
    ).to.equal('[["user.name"],["user.contact.email"]]');
    const refused = await gate.execute(user, AMEND, { service: key, categories: [] });
    expect(refused.errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    const unknown = await gate.execute(officer, AMEND, { service: 'unheard-of', categories: [] });
    expect(unknown.errors[0]!.extensions.code).to.equal('SERVICE_NOT_COVERED');
  });

  it('4.1-07 have every one of several changes at once, each a version of its own', async () => {
    const { key } = (await enrol()).data.enrolService;
    const wanted = ['user.name', 'user.contact.email', 'user.contact.phone_number'];
    await Promise.all(
      wanted.map((category) =>
        setEssentialCategories(gate.contextFor(officer), { service: key, categories: [category] }),
      ),
    );
    const versions = `SELECT count(*)::int AS it FROM registry.essential_categories WHERE service = '${key}'`;
    expect(await ask(gate.database.superuserUrl, versions)).to.equal(4);
  });

  it('4.1-08 collect nothing of a category that the person declined, also through another server, until it is accepted', async () => {
    const declined = await decline(['user.contact.phone_number', 'user.contact.phone_number']);
    expect(declined.data.declineCategories).to.deep.equal(['user.contact.phone_number']);
    expect(await lastBody()).to.deep.include({
      event: 'category.declined',
      clause: '4.1',
      subject: ana,
      asked: ['user.contact.phone_number'],
    });
    const { errors } = await collect([NAME, PHONE]);
    const { entry: _, ...refusal } = errors[0]!.extensions;
    expect(refusal).to.deep.equal({
      code: 'CATEGORY_DECLINED',
      clause: '4.1',
      missing: ['a category that was not declined'],
    });
    expect(await lastBody()).to.deep.include({ event: 'record.created', outcome: 'refused', subject: ana });
    expect((await collect([{ ...EMAIL, value: 'other@example.com' }])).errors).to.deep.equal([]);
    expect((await collect([PHONE], SYSTEM, await gate.person())).errors, 'of somebody else').to.deep.equal([]);

    const own = await gate.execute(user, '{ declinedCategories { edges { node { key } } } }');
    expect(own.data.declinedCategories.edges).to.deep.equal([{ node: { key: 'user.contact.phone_number' } }]);
    expect(own.context.entries).to.deep.equal([]);
    const accepted = await gate.execute(user, ACCEPT, { categories: ['user.contact.phone_number'] });
    expect(accepted.data.acceptCategories).to.deep.equal([]);
    expect(await lastBody()).to.deep.include({ event: 'category.accepted', subject: ana });
    expect((await collect([PHONE])).errors).to.deep.equal([]);
  });

  it('4.1-09 let nobody decline what is essential, and collect it although it was declined before it was', async () => {
    const { errors } = await decline(['user.name', 'user.contact.email']);
    expect(errors[0]!.extensions).to.deep.include({
      code: 'ESSENTIAL_CATEGORY_REQUIRED',
      clause: '4.1',
      missing: ['a category that is not essential'],
    });
    expect(await declinedCategories(gate.contextFor(user))).to.deep.equal([]);

    const { key } = (await enrol()).data.enrolService;
    const ben = (await register(key, [NAME])).data.registerUser.id;
    expect((await decline(['user.contact.phone_number'], { id: ben, kind: 'user' })).errors).to.deep.equal([]);
    expect((await collect([PHONE], SYSTEM, ben)).errors[0]!.extensions.code).to.equal('CATEGORY_DECLINED');
    await setEssentialCategories(gate.contextFor(officer), {
      service: key,
      categories: ['user.contact.phone_number'],
    });
    expect((await collect([PHONE], SYSTEM, ben)).errors).to.deep.equal([]);
  });

  it('4.1-10 are declined categories by the person alone, and only ones that are declared', async () => {
    for (const actor of [officer, SYSTEM]) {
      expect((await decline(['user.content.private'], actor)).errors[0]!.extensions.code).to.equal(
        'ROLE_NOT_PERMITTED',
      );
    }
    const { errors } = await decline(['user.gossip']);
    expect(errors[0]!.extensions.code).to.equal('CATEGORY_NOT_DECLARED');
    expect(JSON.stringify(await lastBody())).to.not.include('gossip');
    expect((await decline([])).errors[0]!.extensions.code).to.equal('BAD_INPUT');
  });

  it('4.1-11 no collection stands after a decline, as the log alone shows, however they race', async () => {
    const servers = [gate.core, await gate.another()];
    for (let round = 0; round < 5; round++) {
      const subject = await gate.person();
      const from = await gate.size();
      const input = { input: { user: subject, purpose: 'convenience', records: [PHONE] } };
      const collecting = Array.from({ length: 6 }, async (_, nth) => {
        await new Promise((resolve) => setTimeout(resolve, nth * 4));
        return gate.execute(SYSTEM, COLLECT, input);
      });
      const context = servers[round % 2]!.contextFor({ actor: { id: subject, kind: 'user' }, request: randomUUID() });
      await declineCategories(context, [PHONE.category]);
      await Promise.all(collecting);
      const about = (await gate.entries(from)).filter(({ body }) => body.subject === subject);
      const declined = about.findIndex(({ body }) => body.event === 'category.declined');
      expect(declined).to.be.greaterThan(-1);
      const after = about.slice(declined + 1).filter(({ body }) => body.event === 'record.created');
      expect(after.every(({ body }) => body.outcome === 'refused')).to.equal(true);
    }
  });

  it('4.1-12 choices that race end as the last of them, and the database takes none twice in a row', async () => {
    const categories = ['user.contact.phone_number'];
    const contexts = Array.from({ length: 3 }, () => gate.contextFor(user));
    const outcomes = contexts.map((context, nth) =>
      refusalOf((nth % 2 === 0 ? declineCategories : acceptCategories)(context, categories)),
    );
    for (const outcome of await Promise.all(outcomes)) expect(outcome).to.equal(null);
    const choices = (await gate.entries()).filter(
      ({ body }) => body.subject === ana && /^category\.(accepted|declined)$/.test(body.event),
    );
    expect(choices).to.have.length(3);
    const last = choices.at(-1)!.body.event === 'category.declined' ? categories : [];
    expect(await declinedCategories(gate.contextFor(user))).to.deep.equal(last);

    const stands = `SELECT bool_and(choice <> before) AS it FROM (SELECT choice, coalesce(lag(choice) OVER (ORDER BY version),
      'ACCEPTED') AS before FROM registry.category_choice WHERE subject = '${ana}') c`;
    expect(await ask(gate.database.superuserUrl, stands)).to.equal(true);
    for (const [version, choice] of [
      [1, 'ACCEPTED'],
      [2, 'DECLINED'],
    ] as const) {
      const subject = await gate.person();
      const change = gate
        .contextFor({ id: subject, kind: 'user' })
        .gate.change(
          { event: 'category.declined', operation: 'declineCategories', data: null },
          async ({ rows }, permit) => {
            const event = choice === 'DECLINED' ? 'category.declined' : 'category.accepted';
            const body = permit.body(event, { subject, asked: ['user.content.private' as never] });
            await rows.query(
              `INSERT INTO registry.category_choice (log, subject, category, version, choice, entry)
             VALUES (1, $1, 'user.content.private', $2, $3, $4)`,
              [subject, version, choice, body.id],
            );
            return { bodies: [body], value: null };
          },
        );
      expect(await change.catch((error: { sqlState?: string }) => error.sqlState)).to.equal('AL006');
    }
  });
});
