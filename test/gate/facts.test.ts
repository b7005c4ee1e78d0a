import { expect } from 'chai';
import { SERVICES } from '../../seeds/policy.js';
import { giveConsent } from '../../src/domain/consents/consents.js';
import { collectPersonalData } from '../../src/domain/records/records.js';
import { grantNeedToKnow } from '../../src/domain/staff/grants.js';
import { registerUsers } from '../../src/domain/users/registration.js';
import { TooMuchAtOnce } from '../../src/gate/holdings.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import { SYSTEM } from '../../src/policy/system.js';
import { EMAIL, NAME, type TestGate, testGate } from '../support/gate.js';

/** Operations that ask at one time share a statement: each is answered as if it had been alone. */
describe('facts', () => {
  const PERSON_TABLES = ['subject', 'subject_key', 'record', 'record_version', 'consent', 'consent_version'];
  const STAFF_TABLES = ['engagement', 'confidentiality_agreement', 'training_record', 'need_to_know_grant'];
  const NAMES = ['Ana', 'Ben', 'Cem', 'Dan'];
  let gate: TestGate;
  let granted: Actor;
  let stranger: Actor;
  let people: Pseudonym[];
  before(async () => {
    gate = await testGate();
    granted = await gate.signIn('support-agent');
    stranger = await gate.signIn('support-agent');
    const until = new Date(Date.now() + 24 * 3_600_000);
    for (const purpose of ['convenience', 'new-services']) {
      const grant = { staff: granted.id, purpose, categories: null, from: null, until };
      await grantNeedToKnow(gate.contextFor(SYSTEM), grant);
    }
    people = await Promise.all(NAMES.map((value) => gate.person([{ ...NAME, value }])));
  });
  after(() => gate.close());

  const ask = { purpose: 'convenience', categories: ['user.name'], operation: 'user' };
  const read = (subject: Pseudonym, actor = granted, values = true) =>
    gate.contextFor(actor).gate.records({ ...ask, subject, values });

  it('are each operation’s own, whoever asks for the same at the same time', async () => {
    const asked = Array.from({ length: 60 }, (_, nth) => ({
      actor: nth % 3 === 0 ? stranger : granted,
      person: nth % NAMES.length,
      values: nth % 2 === 0,
    }));
    const answers = await Promise.all(asked.map(({ actor, person, values }) => read(people[person]!, actor, values)));
    answers.forEach((records, nth) => {
      const { actor, person, values } = asked[nth]!;
      const shown = records!.map(({ value, withheld }) => [value, withheld?.code ?? null]);
      if (actor === stranger) expect(shown).to.deep.equal([[null, 'NO_NEED_TO_KNOW']]);
      else expect(shown).to.deep.equal([[values ? NAMES[person] : null, null]]);
    });
  });

  it('are each operation’s own where two ask different things of one person', async () => {
    const [all, none, unknown] = await Promise.all([
      gate.contextFor(granted).gate.records({ ...ask, subject: people[0]!, categories: null, values: true }),
      gate
        .contextFor(granted)
        .gate.records({ ...ask, subject: people[0]!, categories: ['user.content.private'], values: true }),
      read(granted.id),
    ]);
    expect(all!.map(({ value }) => value)).to.deep.equal(['Ana']);
    expect(none).to.deep.equal([]);
    expect(unknown).to.equal(null);
  });

  it('that are too much for one operation fail that one alone, and only if they are too much alone', async () => {
    const big = await gate.person([NAME]);
    const records = Array.from({ length: 100 }, () => ({ ...NAME, value: 'é'.repeat(9_000) }));
    const more = () => collectPersonalData(gate.contextFor(SYSTEM), { user: big, purpose: 'convenience', records });
    const crowd = () =>
      Promise.allSettled([read(big), ...Array.from({ length: 40 }, (_, nth) => read(people[nth % 4]!))]);

    await more();
    const [large, ...others] = await crowd();
    expect(large).to.have.nested.property('value.length', 101);
    expect(others.every(({ status }) => status === 'fulfilled')).to.equal(true);

    for (let batch = 0; batch < 4; batch++) await more();
    const [tooLarge, ...neighbours] = await crowd();
    expect(tooLarge).to.have.property('reason').that.is.instanceOf(TooMuchAtOnce);
    expect(neighbours.every(({ status }) => status === 'fulfilled')).to.equal(true);
  });

  // The statement was planned when nobody was registered, and that plan is kept until PostgreSQL looks at the tables again.
  it('of a person cost as much however many others there are, also by a plan made before they came', async () => {
    const one = { service: SERVICES[0].key, records: [NAME, EMAIL], identity: null };
    const crowd = await registerUsers(
      gate.contextFor(SYSTEM),
      'convenience',
      Array.from({ length: 400 }, () => one),
    );
    const before = await rowsRead();
    await read(crowd[0]!);
    const after = await rowsRead();
    expect(after - before).to.be.within(3, 20);

    const giving = { service: one.service, channel: 'EMAIL', words: 'Yes?', language: 'en', until: null };
    const scope = { purpose: 'new-services', categories: ['user.name'] };
    for (const id of crowd.slice(0, 120))
      await giveConsent(gate.contextFor({ id, kind: 'user' }), { ...scope, giving });
    const amid = await rowsRead();
    const [record] = (await gate
      .contextFor(granted)
      .gate.records({ ...ask, purpose: 'new-services', subject: crowd[0]!, values: true }))!;
    expect(record).to.include({ value: NAME.value });
    expect((await rowsRead()) - amid).to.be.within(5, 20);
  });

  it('of a member of the staff cost as much however many others there are, also by a plan made before they came', async () => {
    for (let nth = 0; nth < 40; nth++) await gate.signIn('support-agent');
    const before = await rowsRead(STAFF_TABLES);
    await read(people[0]!);
    expect((await rowsRead(STAFF_TABLES)) - before).to.be.within(4, 8);
  });

  /** By this very connection, as the pool takes the one that was last used. */
  async function rowsRead(tables = PERSON_TABLES): Promise<number> {
    const { pool } = gate.core.parts;
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ read: number }>(
      `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_user_tables
       WHERE relname = ANY ($1)`,
      [tables],
    );
    return rows[0]!.read;
  }
});
