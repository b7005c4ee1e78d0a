import { hash, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { declarePurpose } from '../../../src/domain/purposes/purposes.js';
import { collectPersonalData, updatePersonalData } from '../../../src/domain/records/records.js';
import { grantNeedToKnow } from '../../../src/domain/staff/grants.js';
import type { Actor, Pseudonym, RecordId } from '../../../src/log/entry.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { EMAIL, NAME, refusalOf, type TestGate, testGate } from '../../support/gate.js';

const SHOWN = `id user purpose categories state inForce
  history { version act at channel service words language until }`;
const GIVE = `mutation ($input: GiveConsentInput!) { giveConsent(input: $input) { ${SHOWN} } }`;
const REQUEST = `mutation ($input: RequestConsentInput!) { requestConsent(input: $input) { ${SHOWN} } }`;
const RENEW = `mutation ($id: ID!, $giving: ConsentGivingInput!) { renewConsent(id: $id, giving: $giving) { ${SHOWN} } }`;
const BECOME = (verb: string) => `mutation ($id: ID!) { ${verb}(id: $id) { ${SHOWN} } }`;
const CONSENTS = `query ($user: ID, $purpose: String, $first: Int, $after: String) {
  consents(user: $user, purpose: $purpose, first: $first, after: $after) {
    edges { node { ${SHOWN} } } pageInfo { hasNextPage endCursor } } }`;
const CARD = `query ($user: ID!) { user(id: $user) {
  personalData(purpose: "new-services") { category value withheld { code clause missing } } } }`;
const FIND = `query ($value: String!) { findUser(category: "user.contact.email", value: $value, purpose: "new-services") { id } }`;

const WORDS = 'May we tell you of new services by e-mail?';
const GIVING = { service: 'diagrams', channel: 'REGISTRATION', words: WORDS, language: 'en-GB' };
const BOTH = ['user.contact.email', 'user.name'];
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

describe('consents', () => {
  let gate: TestGate;
  let support: Actor;
  let officer: Actor;
  let person: Pseudonym;
  let user: Actor;
  before(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    officer = await gate.signIn('privacy-officer');
    const until = new Date(Date.now() + HOUR);
    for (const purpose of ['new-services', 'convenience']) {
      const grant = { staff: support.id, purpose, categories: null, from: null, until };
      await grantNeedToKnow(gate.contextFor(SYSTEM), grant);
    }
  });
  beforeEach(async () => {
    person = await gate.person([NAME, { ...EMAIL, value: `${randomUUID()}@example.com` }]);
    user = { id: person, kind: 'user' };
  });
  after(() => gate.close());

  const give = (changes: object = {}, giving: object = {}, actor = user) =>
    gate.execute(actor, GIVE, {
      input: { purpose: 'new-services', categories: BOTH, giving: { ...GIVING, ...giving }, ...changes },
    });
  const given = async (...changes: Parameters<typeof give>): Promise<string> => {
    const { data, errors } = await give(...changes);
    expect(errors).to.deep.equal([]);
    return data.giveConsent.id;
  };
  const request = (changes: object = {}, actor = support) =>
    gate.execute(actor, REQUEST, { input: { user: person, purpose: 'new-services', categories: BOTH, ...changes } });
  const become = (verb: string, id: string, actor = user) => gate.execute(actor, BECOME(verb), { id });
  const card = async (actor = support): Promise<Record<string, string>> => {
    const { data, errors } = await gate.execute(actor, CARD, { user: person });
    expect(errors).to.deep.equal([]);
    const records: { category: string; value: string; withheld: { code: string } | null }[] = data.user.personalData;
    return Object.fromEntries(records.map(({ category, withheld }) => [category, withheld?.code ?? 'shown']));
  };
  const all = (what: string) => Object.fromEntries(BOTH.map((category) => [category, what]));
  const bodyOf = async (index: number) => (await gate.entries(index))[0]!.body;

  it('3.1-20 are given with how, where and the digest of the exact words, under an entry that says the same', async () => {
    const until = inMs(HOUR);
    const { data, errors, context } = await give({ categories: [...BOTH, ...BOTH].reverse() }, { until });
    expect(errors).to.deep.equal([]);
    const { id, history, ...shown } = data.giveConsent;
    const words = hash('sha256', WORDS, 'hex');
    expect(shown).to.deep.equal({
      user: person,
      purpose: 'new-services',
      categories: BOTH,
      state: 'GIVEN',
      inForce: true,
    });
    const how = { channel: 'REGISTRATION', service: 'diagrams', language: 'en-GB', words, until };
    const body = await bodyOf(context.entries[0]!.index);
    expect(history).to.deep.equal([{ version: 1, act: 'GIVEN', at: body.at, ...how }]);
    expect(body).to.deep.include({
      event: 'consent.given',
      actor: { id: person, kind: 'user' },
      subject: person,
      purpose: 'new-services',
      asked: BOTH,
      clause: '3.1',
      details: { consent: id, version: 1, ...how },
    });
    expect(JSON.stringify(body)).to.not.include('May we');
  });

  it('3.1-21 keep their whole history: requested, given, renewed, withdrawn', async () => {
    const { data } = await request();
    const { id } = data.requestConsent;
    expect(data.requestConsent).to.include({ state: 'REQUESTED', inForce: false });
    expect(await given(), 'the one that was requested').to.equal(id);
    await gate.execute(user, RENEW, { id, giving: GIVING });
    await gate.execute(user, RENEW, { id, giving: { ...GIVING, language: 'de' } });
    await become('withdrawConsent', id);
    const own = await gate.execute(user, CONSENTS);
    const [{ node }] = own.data.consents.edges;
    expect(node).to.include({ id, state: 'WITHDRAWN', inForce: false });
    expect(node.history.map(({ act, language }: { act: string; language: string }) => [act, language])).to.deep.equal([
      ['REQUESTED', null],
      ['GIVEN', 'en-GB'],
      ['RENEWED', 'en-GB'],
      ['RENEWED', 'de'],
      ['WITHDRAWN', null],
    ]);
    expect(own.context.entries, 'one’s own are no disclosure').to.deep.equal([]);
  });

  it('3.1-22 are refused once requested, and then are none', async () => {
    const { id } = (await request()).data.requestConsent;
    const { data } = await become('refuseConsent', id);
    expect(data.refuseConsent).to.include({ state: 'REFUSED', inForce: false });
    expect(await card()).to.deep.equal(all('CONSENT_MISSING'));
    expect(await given(), 'another').to.not.equal(id);
  });

  it('3.1-23 open what they cover, and nothing else; a list refuses by category', async () => {
    expect(await card()).to.deep.equal(all('CONSENT_MISSING'));
    await given({ categories: ['user.name'] });
    expect(await card()).to.deep.equal({ 'user.name': 'shown', 'user.contact.email': 'CONSENT_MISSING' });
    await given({ categories: ['user.contact.email'] });
    expect(await card()).to.deep.equal(all('shown'));
  });

  it('3.1-24 end with their withdrawal, for the very next read, also of another server', async () => {
    const id = await given();
    const other = await gate.another();
    const read = async () => {
      const context = other.contextFor({ actor: support, request: randomUUID() });
      const ask = { subject: person, purpose: 'new-services', categories: null, values: true, operation: 'user' };
      const records = await context.gate.records(ask);
      return records!.map(({ withheld }) => withheld?.code ?? 'shown');
    };
    expect(await read()).to.deep.equal(['shown', 'shown']);
    await become('withdrawConsent', id);
    expect(await read()).to.deep.equal(['CONSENT_WITHDRAWN', 'CONSENT_WITHDRAWN']);
    const { data, context } = await gate.execute(support, CARD, { user: person });
    const withheld = { code: 'CONSENT_WITHDRAWN', clause: '3.1', missing: ['a consent in force'] };
    expect(data.user.personalData[0]).to.deep.equal({ category: 'user.contact.email', value: null, withheld });
    expect(await bodyOf(context.entries[0]!.index)).to.deep.include({
      event: 'record.read',
      outcome: 'refused',
      clause: '3.1',
      refusal: { code: 'CONSENT_WITHDRAWN', missing: ['a consent in force'] },
    });
    await given();
    expect(await read(), 'given again').to.deep.equal(['shown', 'shown']);
  });

  it('3.1-25 expire by the clock alone, and then are not renewed but given anew', async () => {
    const id = await given({}, { until: inMs(400) });
    expect(await card()).to.deep.equal(all('shown'));
    const size = await gate.size();
    await new Promise((resolve) => setTimeout(resolve, 450));
    const [{ node }] = (await gate.execute(user, CONSENTS)).data.consents.edges;
    expect([node.state, node.inForce, await gate.size()]).to.deep.equal(['EXPIRED', false, size]);
    expect(await card()).to.deep.equal(all('CONSENT_MISSING'));
    const { errors } = await gate.execute(user, RENEW, { id, giving: GIVING });
    expect(errors[0]!.extensions.code).to.equal('BAD_INPUT');
    await given();
    expect(await card()).to.deep.equal(all('shown'));
  });

  it('3.1-26 are invalidated by privacy officers, and by nobody else', async () => {
    const id = await given();
    for (const actor of [user, support]) {
      const { errors } = await become('invalidateConsent', id, actor);
      expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    expect((await become('invalidateConsent', id, officer)).data.invalidateConsent.state).to.equal('INVALIDATED');
    expect(await card()).to.deep.equal(all('CONSENT_MISSING'));
  });

  it('3.1-27 are asked of what is collected, changed and found for the purpose', async () => {
    const collect = (actor: Actor) =>
      refusalOf(
        collectPersonalData(gate.contextFor(actor), { user: person, purpose: 'new-services', records: [NAME] }),
      );
    const email = `${randomUUID()}@example.com`;
    person = await gate.person([NAME, { ...EMAIL, value: email }]);
    user = { id: person, kind: 'user' };
    const find = async () => {
      const { data, errors } = await gate.execute(support, FIND, { value: email });
      return data.findUser?.id ?? errors[0]?.extensions.code;
    };
    const register = `mutation { registerUser(input: { service: "diagrams", purpose: "new-services",
      records: [{ category: "user.name", channel: REGISTRATION, value: "Bo" }] }) { id } }`;

    for (const actor of [support, user, SYSTEM]) expect(await collect(actor)).to.equal('CONSENT_MISSING');
    expect((await gate.execute(support, register)).errors[0]!.extensions.code).to.equal('CONSENT_MISSING');
    expect(await find()).to.equal('CONSENT_MISSING');
    const id = await given();
    for (const actor of [support, user, SYSTEM]) expect(await collect(actor)).to.equal(null);
    expect(await find()).to.equal(person);
    await become('withdrawConsent', id);
    expect(await collect(support)).to.equal('CONSENT_WITHDRAWN');
    expect(await find(), 'alike to nobody').to.equal('CONSENT_MISSING');
    const nobody = await gate.execute(support, FIND, { value: 'nobody@example.com' });
    expect(nobody.errors[0]!.extensions.code).to.equal('CONSENT_MISSING');
  });

  it('3.1-28 are asked of no other purpose, and hinder nobody who sees or corrects their own data', async () => {
    const CONVENIENT = CARD.replace('new-services', 'convenience');
    const other = await gate.execute(support, CONVENIENT, { user: person });
    expect(other.data.user.personalData.map((one: { withheld: object }) => one.withheld)).to.deep.equal([null, null]);
    const size = await gate.size();
    expect(await card(user)).to.deep.equal(all('shown'));
    expect((await gate.entries(size))[0]!.body, 'on no consent that there is not').to.not.have.property('basis');
    const [{ id }] = await gate.core.rows.query(
      `SELECT r.id FROM registry.record r WHERE r.subject = $1 AND r.category = 'user.name'`,
      [person],
    );
    const change = {
      record: id as RecordId,
      purpose: 'new-services',
      expectedVersion: 1,
      channel: 'EMAIL',
      value: 'Bo',
    };
    expect(await refusalOf(updatePersonalData(gate.contextFor(support), change))).to.equal('CONSENT_MISSING');
    expect(await refusalOf(updatePersonalData(gate.contextFor(user), change))).to.equal(null);
  });

  it('3.1-29 are told of to nobody who might not read even so', async () => {
    const stranger = await gate.signIn('support-agent');
    const of = async (actor: Actor) => {
      const { data } = await gate.execute(actor, CARD, { user: person });
      return JSON.stringify(data.user.personalData);
    };
    const before = await of(stranger);
    await given();
    expect(await of(stranger)).to.equal(before);
    expect(before).to.include('NO_NEED_TO_KNOW').and.not.include('CONSENT');
  });

  describe('are not given', () => {
    for (const [name, [changes, giving, code]] of Object.entries({
      'for a purpose that is not declared': [{ purpose: 'gossip' }, {}, 'PURPOSE_NOT_DECLARED'],
      'for a purpose that rests on something else': [{ purpose: 'convenience' }, {}, 'BAD_INPUT'],
      'for a category that is not declared': [{ categories: ['user.gossip'] }, {}, 'CATEGORY_NOT_DECLARED'],
      'for a category that the purpose does not cover': [
        { categories: ['user.device.ip_address'] },
        {},
        'PURPOSE_DOES_NOT_COVER_CATEGORY',
      ],
      'for no category': [{ categories: [] }, {}, 'BAD_INPUT'],
      'at a service that is not enrolled': [{}, { service: 'gossip' }, 'SERVICE_NOT_COVERED'],
      'without words': [{}, { words: ' ' }, 'BAD_INPUT'],
      'in no language': [{}, { language: 'gossip' }, 'BAD_INPUT'],
      'with an end in the past': [{}, { until: inMs(-1) }, 'BAD_INPUT'],
    } as Record<string, [object, object, string]>)) {
      it(`${name}; and no entry quotes what was sent`, async () => {
        const size = await gate.size();
        const { errors } = await give(changes, giving);
        expect(errors[0]!.extensions.code).to.equal(code);
        expect(JSON.stringify(await gate.entries(size))).to.not.include('gossip');
        expect(await card()).to.deep.equal(all('CONSENT_MISSING'));
      });
    }

    it('3.1-30 by anybody but the person', async () => {
      for (const actor of [support, officer, SYSTEM]) {
        expect((await give({}, {}, actor)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
      }
    });

    it('3.1-43 at a service whose policy is in force no longer', async () => {
      const superuser = new pg.Client({ connectionString: gate.database.superuserUrl });
      await superuser.connect();
      const under = (policy: string) =>
        superuser.query(`UPDATE registry.service SET policy = $1 WHERE key = 'diagrams'`, [policy]);
      const { rows } = await superuser.query(`SELECT policy FROM registry.service WHERE key = 'diagrams'`);
      await under('2011-01-01');
      try {
        expect((await give()).errors[0]!.extensions).to.include({ code: 'SERVICE_NOT_COVERED', clause: '8.2' });
      } finally {
        await under(rows[0].policy);
        await superuser.end();
      }
      await given();
    });

    it('3.1-31 over one that stands', async () => {
      await given({ categories: ['user.name'] });
      expect((await give()).errors[0]!.extensions.code).to.equal('BAD_INPUT');
      expect((await request()).errors[0]!.extensions.code).to.equal('BAD_INPUT');
    });
  });

  it('3.1-32 are requested by staff who need to know, of people who are', async () => {
    expect((await request({}, await gate.signIn('support-agent'))).errors[0]!.extensions.code).to.equal(
      'NO_NEED_TO_KNOW',
    );
    expect((await request({}, user)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    expect((await request({ user: randomUUID() })).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
    const { context } = await request();
    expect(await bodyOf(context.entries[0]!.index)).to.include({ event: 'consent.requested', subject: person });
    expect((await request()).errors[0]!.extensions.code, 'again').to.equal('BAD_INPUT');
  });

  it('3.1-33 are another’s alike to none', async () => {
    const id = await given();
    const stranger: Actor = { id: await gate.person(), kind: 'user' };
    for (const verb of ['withdrawConsent', 'refuseConsent']) {
      for (const which of [id, randomUUID()]) {
        const { errors, context } = await become(verb, which, stranger);
        expect(errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
        const body = await bodyOf(context.entries[0]!.index);
        expect(body).to.deep.include({ event: 'consent.listed', details: { count: 0 } });
        expect(body).to.not.have.property('subject');
      }
      expect((await become(verb, id, support)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    expect((await become('withdrawConsent', 'x')).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
    expect(await card()).to.deep.equal(all('shown'));
  });

  it('3.1-34 are withdrawn once, and given once, of many at a time', async () => {
    const gave = await Promise.all([1, 2, 3].map(() => give()));
    expect(gave.filter(({ errors }) => errors.length === 0)).to.have.length(1);
    const { id } = gave.find(({ errors }) => errors.length === 0)!.data.giveConsent;
    const answers = await Promise.all([1, 2, 3].map(() => become('withdrawConsent', id)));
    const versions = answers.map(({ data }) => data.withdrawConsent.history.length);
    expect(versions).to.deep.equal([2, 2, 2]);
    expect(new Set(answers.map(({ data }) => data.withdrawConsent.history[1].at)).size).to.equal(1);
  });

  it('3.1-35 are listed to staff who need to know all of it, a page under one entry', async () => {
    await given({ categories: ['user.name'] });
    await given({ categories: ['user.contact.email'] });
    const wanted = { user: person, purpose: 'new-services' };
    const { data, context } = await gate.execute(support, CONSENTS, { ...wanted, first: 1 });
    expect(data.consents.edges).to.have.length(1);
    expect(await bodyOf(context.entries[0]!.index)).to.deep.include({
      event: 'consent.listed',
      subject: person,
      details: { count: 1 },
    });
    const { endCursor } = data.consents.pageInfo;
    const rest = await gate.execute(support, CONSENTS, { ...wanted, after: endCursor });
    expect(rest.data.consents.edges).to.have.length(1);
    const reviewer = await gate.signIn('security-reviewer');
    const stranger = await gate.signIn('support-agent');
    const refusals = await Promise.all(
      [reviewer, stranger, { id: randomUUID() as string as Pseudonym, kind: 'user' as const }].map((actor) =>
        gate.execute(actor, CONSENTS, wanted),
      ),
    );
    expect(refusals.map(({ errors }) => errors[0]!.extensions.code)).to.deep.equal([
      'ROLE_NOT_PERMITTED',
      'NO_NEED_TO_KNOW',
      'ROLE_NOT_PERMITTED',
    ]);
    expect((await gate.execute(support, CONSENTS, { user: person })).errors[0]!.extensions.code).to.equal('BAD_INPUT');
  });

  describe('in the database', () => {
    let superuser: pg.Client;
    before(async () => {
      superuser = new pg.Client({ connectionString: gate.database.superuserUrl });
      await superuser.connect();
    });
    after(() => superuser.end());
    const fails = (text: string, values: unknown[] = []): Promise<string> =>
      superuser.query(text, values).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );

    it('3.1-36 are neither updated nor deleted, by whomever', async () => {
      await given();
      for (const table of ['consent', 'consent_version']) {
        expect(await fails(`UPDATE registry.${table} SET log = log`)).to.equal('AL006');
        expect(await fails(`DELETE FROM registry.${table}`)).to.equal('AL006');
      }
    });

    it('3.1-37 are held to entries of the same transaction', async () => {
      const id = await given();
      const copy = `INSERT INTO registry.consent_version
        SELECT log, consent, 2, 'WITHDRAWN', at, NULL, NULL, NULL, NULL, NULL, entry
        FROM registry.consent_version WHERE consent = $1`;
      expect(await fails(copy, [id])).to.equal('AL006');
      expect(await card()).to.deep.equal(all('shown'));
    });

    it('3.1-38 take no step that the lifecycle has not, whatever an entry says', async () => {
      const id = await given();
      expect(await withdraw(id, 3), 'past a version').to.equal('AL006');
      expect(await withdraw(id, 2, officer), 'by another').to.equal('AL006');
      expect(await withdraw(id, 2)).to.equal('done');
      expect(await withdraw(id, 3), 'twice').to.equal('AL006');
    });

    /** Past our verb, with an entry that says so. */
    function withdraw(id: string, version: number, actor = user): Promise<string> {
      const context = gate.contextFor(actor);
      const event = actor === user ? 'consent.withdrawn' : 'consent.invalidated';
      const ask = { event, operation: 'withdrawConsent', data: null } as const;
      const done = context.gate.change(ask, async ({ rows }, permit) => {
        const said = { subject: person, purpose: 'new-services', asked: BOTH, details: { consent: id, version } };
        const body = permit.body('consent.withdrawn', said as object);
        await rows.query(
          `INSERT INTO registry.consent_version (log, consent, version, act, at, entry)
           VALUES ($1, $2, $3, 'WITHDRAWN', $4, $5)`,
          [context.log, id, version, body.at, body.id],
        );
        return { bodies: [body], value: 'done' };
      });
      return done.catch((error: { sqlState: string }) => error.sqlState);
    }
  });
});

/** What a purpose covers, and on what it rests, is declared for good, so no consent can lose its purpose. */
describe('a purpose that rests on consent', () => {
  it('3.1-39 is not declared otherwise later', async () => {
    const gate = await testGate();
    const other = declarePurpose(gate.contextFor(SYSTEM), {
      key: 'new-services',
      title: 'to offer new services',
      description: '',
      clause: '3.1',
      basis: 'contract',
      categories: BOTH,
    });
    expect(await other.catch((error: { code: string }) => error.code)).to.equal('DECLARED_DIFFERENTLY');
    await gate.close();
  });
});
