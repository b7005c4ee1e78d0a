import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { grantNeedToKnow } from '../../src/domain/staff/grants.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import { SYSTEM } from '../../src/policy/system.js';
import { EMAIL, NAME, refusalOf, type TestGate, testGate } from '../support/gate.js';

describe('changing', () => {
  let gate: TestGate;
  let support: Actor;
  let officer: Actor;
  let ana: Pseudonym;
  beforeEach(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    officer = await gate.signIn('privacy-officer');
    await grantNeedToKnow(gate.contextFor(officer), {
      staff: support.id,
      purpose: 'convenience',
      categories: null,
      from: null,
      until: new Date(Date.now() + 24 * 3_600_000),
    });
    ana = await gate.person();
  });
  afterEach(() => gate.close());

  const REGISTER = `mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id personalData(purpose: "convenience") { category value } } }`;
  const COLLECT = `mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id category version } }`;
  const UPDATE = `mutation ($input: UpdatePersonalDataInput!) { updatePersonalData(input: $input) { id category version } }`;
  const READ = `query ($id: ID!) { user(id: $id) { personalData(purpose: "convenience") { id category version value } } }`;

  const read = async (id: string) => (await gate.execute(support, READ, { id })).data.user?.personalData;
  const emailOf = async (id: string) =>
    (await read(id)).find(({ category }: { category: string }) => category === 'user.contact.email');
  const update = (record: string, changes: object = {}, actor = support) =>
    gate.execute(actor, UPDATE, {
      input: {
        record,
        purpose: 'convenience',
        expectedVersion: 1,
        channel: 'EMAIL',
        value: 'new@example.com',
        ...changes,
      },
    });

  it('registers a person with values, two entries, and a key of their own', async () => {
    const from = await gate.size();
    const input = { service: 'diagrams', purpose: 'convenience', records: [NAME, EMAIL] };
    const { data, errors } = await gate.execute(support, REGISTER, { input });
    expect(errors).to.deep.equal([]);
    expect(data.registerUser.personalData.map(({ value }: { value: string }) => value)).to.have.members([
      NAME.value,
      EMAIL.value,
    ]);
    const entries = await gate.entries(from);
    expect(entries.map(({ body, nth }) => [body.event, nth])).to.deep.equal([
      ['user.registered', 1],
      ['record.created', 2],
      ['record.read', 3],
    ]);
  });

  it('8.2-01 refuses a service that is not enrolled, with an entry, and keeps nothing', async () => {
    const before = await gate.core.parts.pool.query('SELECT FROM registry.subject');
    const input = { service: 'unheard-of', purpose: 'convenience', records: [NAME] };
    const { errors } = await gate.execute(support, REGISTER, { input });
    expect(errors[0]!.extensions).to.include({ code: 'SERVICE_NOT_COVERED', clause: '8.2' });
    const { body } = (await gate.entries()).at(-1)!;
    expect(body).to.deep.include({ outcome: 'refused', event: 'user.registered' });
    const after = await gate.core.parts.pool.query('SELECT FROM registry.subject');
    expect(after.rowCount).to.equal(before.rowCount);
  });

  it('2.2-02 keeps values only through channels that their category allows', async () => {
    const input = { user: ana, purpose: 'convenience', records: [{ ...NAME, channel: 'SERVER_LOG' }] };
    const { errors } = await gate.execute(support, COLLECT, { input });
    expect(errors[0]!.extensions).to.include({ code: 'CHANNEL_NOT_ALLOWED', clause: '2.2' });
    expect(errors[0]!.extensions.entry).to.be.an('object');
  });

  it('collects another value of the same category', async () => {
    const input = { user: ana, purpose: 'convenience', records: [{ ...EMAIL, value: 'second@example.com' }] };
    const { data } = await gate.execute(support, COLLECT, { input });
    expect(data.collectPersonalData).to.deep.include.members([
      { id: data.collectPersonalData[0].id, category: 'user.contact.email', version: 1 },
    ]);
    expect(await read(ana)).to.have.length(3);
  });

  it('6.4-01 gives a record a new version, keeps the old one, and finds the person by the new value only', async () => {
    const { id } = await emailOf(ana);
    const { data, errors } = await update(id);
    expect(errors).to.deep.equal([]);
    expect(data.updatePersonalData).to.deep.equal({ id, category: 'user.contact.email', version: 2 });
    expect(await emailOf(ana)).to.deep.include({ version: 2, value: 'new@example.com' });
    const { rows } = await gate.core.parts.pool.query('SELECT version FROM registry.record_version WHERE record = $1', [
      id,
    ]);
    expect(rows.map(({ version }) => version).sort()).to.deep.equal([1, 2]);
    const find = (value: string) =>
      gate.execute(
        support,
        `query ($value: String!) { findUser(category: "user.contact.email", value: $value, purpose: "convenience") { id } }`,
        { value },
      );
    expect((await find('new@example.com')).data.findUser).to.deep.equal({ id: ana });
    expect((await find('ana@example.com')).data.findUser).to.equal(null);
  });

  it('refuses a change that follows another version, and says which one stands', async () => {
    const { id } = await emailOf(ana);
    await update(id);
    const { errors } = await update(id, { value: 'late@example.com' });
    expect(errors[0]!.extensions).to.include({ code: 'VERSION_CONFLICT', clause: null });
    expect(errors[0]!.message).to.include('Version 2');
    expect((await gate.entries()).at(-1)!.body).to.include({ event: 'record.listed', subject: ana });
  });

  it('lets one of sixteen concurrent changes of one version win', async () => {
    const { id } = await emailOf(ana);
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, nth) => update(id, { value: `race.${nth}@example.com` })),
    );
    const won = answers.filter(({ errors }) => errors.length === 0);
    expect(won).to.have.length(1);
    for (const { errors } of answers) if (errors[0]) expect(errors[0].extensions.code).to.equal('VERSION_CONFLICT');
    const entries = (await gate.entries()).filter(({ body }) => body.event === 'record.updated');
    expect(entries).to.have.length(1);
  });

  it('refuses users another’s record, unknown or not, in the same words', async () => {
    const { id } = await emailOf(ana);
    const other: Actor = { id: await gate.person(), kind: 'user' };
    const refusals = await Promise.all([id, randomUUID()].map((record) => update(record, {}, other)));
    const [one, two] = refusals.map(({ errors }) => {
      const { entry: _, ...rest } = errors[0]!.extensions;
      return rest;
    });
    expect(one).to.deep.equal(two);
    expect(one).to.have.property('code', 'NOT_YOUR_DATA');
    const own = await update(id, {}, { id: ana, kind: 'user' });
    expect(own.errors).to.deep.equal([]);
  });

  it('takes no value that is no text, none that is too long, and repeats neither', async () => {
    const { id } = await emailOf(ana);
    for (const value of ['', '   ', '\ud800', 'x\u0000y', 'x'.repeat(10_001)]) {
      const { errors } = await update(id, { value });
      expect(errors[0]!.extensions.code, JSON.stringify(value.slice(0, 9))).to.equal('BAD_INPUT');
    }
    expect(await emailOf(ana)).to.include({ version: 1 });
  });

  it('6.3-01 erases values, indexes and the key under entries, and the person’s history stays', async () => {
    const find = () =>
      gate.contextFor(support).gate.find({
        operation: 'findUser',
        category: 'user.contact.email',
        value: EMAIL.value,
        purpose: 'convenience',
      });
    expect(await find()).to.deep.equal({ person: ana });
    const { id } = await emailOf(ana);
    await update(id);
    expect(await gate.contextFor(officer).gate.erase({ operation: 'erase', subject: ana })).to.equal(3);
    expect(await read(ana)).to.deep.equal([]);
    expect(await find()).to.equal('nobody');
    const { rows } = await gate.core.parts.pool.query('SELECT FROM registry.subject_key WHERE subject = $1', [ana]);
    expect(rows).to.have.length(0);
    const [erased, destroyed] = (await gate.entries()).filter(({ body }) => /erased|destroyed/.test(body.event));
    expect(erased!.body.records).to.have.length(3);
    expect(destroyed!.body).to.include({ event: 'key.destroyed', subject: ana });
    // Until when what is left elsewhere can be opened: as long as the KEK that wrapped the key is kept.
    const { kek, retires } = destroyed!.body.details as { kek: string; retires: string };
    expect([kek, retires]).to.deep.equal([gate.kek.id, gate.kek.retires]);
    const collect = gate.execute(support, COLLECT, { input: { user: ana, purpose: 'convenience', records: [NAME] } });
    expect((await collect).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
  });

  it('6.3-03 erases once: what was erased before is said to be, under an entry that changes nothing', async () => {
    const erase = (subject: Pseudonym) => {
      const context = gate.contextFor(officer);
      return context.gate.erase({ operation: 'erase', subject }).then((versions) => ({ versions, context }));
    };
    const [one, other] = await Promise.all([erase(ana), erase(ana)]);
    expect([one.versions, other.versions].sort()).to.deep.equal([0, 2]);
    const again = await erase(ana);
    expect(again.versions).to.equal(0);
    const [entry] = await gate.entries(again.context.entries[0]!.index);
    expect(entry!.body).to.deep.include({ event: 'record.listed', subject: ana, details: { found: 0 } });
    const events = (await gate.entries()).map(({ body }) => body.event);
    expect(events.filter((event) => event === 'key.destroyed')).to.have.length(1);
  });

  it('says of somebody unknown that there is nobody, under an entry that does not name whom a client named', async () => {
    const unknown = randomUUID() as string as Pseudonym;
    const from = await gate.size();
    expect(await gate.contextFor(officer).gate.erase({ operation: 'erase', subject: unknown })).to.equal(null);
    const collect = { input: { user: unknown, purpose: 'convenience', records: [NAME] } };
    expect((await gate.execute(support, COLLECT, collect)).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
    expect((await update(unknown)).errors[0]!.extensions.code).to.equal('NO_SUCH_ID');
    const entries = (await gate.entries(from)).map(({ body }) => body);
    expect(entries.map(({ event, outcome, details }) => [event, outcome, details])).to.deep.equal(
      Array(3).fill(['record.listed', 'permitted', { found: 0 }]),
    );
    expect(JSON.stringify(entries)).to.not.include(unknown).and.not.include('"subject"');
  });

  it('6.3-02 lets only a privacy officer erase', async () => {
    for (const actor of [support, SYSTEM, { id: ana, kind: 'user' } as const]) {
      expect(await refusalOf(gate.contextFor(actor).gate.erase({ operation: 'erase', subject: ana }))).to.equal(
        'ROLE_NOT_PERMITTED',
      );
    }
    expect(await read(ana)).to.have.length(2);
  });

  it('no value or key goes without the entry of its erasure, whatever our code does', async () => {
    const { ledger } = gate.core.parts;
    const context = gate.contextFor(officer);
    for (const tables of [['record_version'], ['blind_index', 'record_version', 'record', 'subject_key']]) {
      const fault = await context.gate
        .change({ event: 'grant.revoked', operation: 'x', data: null }, async ({ rows }, permit) => {
          for (const table of tables) await rows.query(`DELETE FROM registry.${table} WHERE subject = $1`, [ana]);
          return { bodies: [permit.body('grant.revoked')], value: null };
        })
        .catch((error: unknown) => error);
      expect(fault).to.have.property('code', 'BODY_REFUSED');
    }
    expect(ledger).to.be.an('object');
    expect(await read(ana)).to.have.length(2);
  });

  it('nothing that a client sent as text appears in any leaf', async () => {
    const marker = 'Xq7-marker';
    const sent = `${marker}@example.com`;
    const { data } = await gate.execute(support, REGISTER, {
      input: {
        service: 'diagrams',
        purpose: 'convenience',
        records: [NAME, { ...EMAIL, value: sent }],
        identity: { issuer: sent, subject: sent },
      },
    });
    const { id } = await emailOf(data.registerUser.id);
    await update(id, { value: `${marker}2@example.com` });
    await update(id, { purpose: marker });
    await update(marker);
    await gate.execute(
      support,
      `query ${marker.replace('-', '')} { a${marker.replace('-', '')}: users(first: 1) { edges { node { id } } } }`,
    );
    for (const variables of [
      { category: 'user.contact.email', value: sent, purpose: 'convenience' },
      { category: marker, value: marker, purpose: 'convenience' },
      { category: 'user.contact.email', value: marker, purpose: marker },
    ]) {
      await gate.execute(
        support,
        `query ($category: String!, $value: String!, $purpose: String!) { findUser(category: $category, value: $value, purpose: $purpose) { id } }`,
        variables,
      );
    }
    await gate.execute(support, COLLECT, {
      input: { user: marker, purpose: marker, records: [{ ...EMAIL, category: marker }] },
    });
    await gate.execute(support, REGISTER, { input: { service: marker, purpose: 'convenience', records: [NAME] } });
    const { rows } = await gate.core.parts.pool.query<{ leaf: string }>('SELECT leaf FROM ledger.entry');
    expect(rows.length).to.be.greaterThan(10);
    expect(rows.filter(({ leaf }) => /Xq7|example\.com|Ana Ruiz/i.test(leaf))).to.deep.equal([]);
  });
});
