import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { grantNeedToKnow } from '../../src/domain/staff/grants.js';
import type { Actor, Category, Pseudonym } from '../../src/log/entry.js';
import { SYSTEM } from '../../src/policy/system.js';
import { EMAIL, NAME, type TestGate, testGate } from '../support/gate.js';

const TOMORROW = () => new Date(Date.now() + 24 * 3_600_000);

/** Whatever a document looks like, a value comes with the entry that names its record, and nothing else is opened. */
describe('reading', () => {
  let gate: TestGate;
  let support: Actor;
  let ana: Pseudonym;
  let ben: Pseudonym;
  before(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    await grantNeedToKnow(gate.contextFor(SYSTEM), {
      staff: support.id,
      purpose: 'convenience',
      categories: null,
      from: null,
      until: TOMORROW(),
    });
    ana = await gate.person();
    ben = await gate.person([
      { ...NAME, value: 'Ben Okri' },
      { ...EMAIL, value: 'ben@example.com' },
    ]);
  });
  after(() => gate.close());

  /** Reads, and answers the data with the bodies of the entries that the reading caused. */
  async function reading(source: string, variables: object = {}, actor = support) {
    const from = await gate.size();
    const { data, errors, context } = await gate.execute(actor, source, { ana, ben, ...variables });
    const entries = await gate.entries(from);
    expect(context.entries.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(
      entries.map(({ index }) => index),
    );
    return { data, errors, entries, bodies: entries.map(({ body }) => body) };
  }

  const card = `personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"])`;

  it('CustomerCard of the README gives the values, and one entry that names both records', async () => {
    const { data, errors, bodies } = await reading(
      `query CustomerCard($ana: ID!) { user(id: $ana) { id ${card} { category version channel value withheld { code clause missing } } } }`,
    );
    expect(errors).to.deep.equal([]);
    expect(data.user.personalData).to.deep.equal([
      { category: 'user.contact.email', version: 1, channel: 'REGISTRATION', value: 'ana@example.com', withheld: null },
      { category: 'user.name', version: 1, channel: 'REGISTRATION', value: 'Ana Ruiz', withheld: null },
    ]);
    expect(bodies).to.have.length(1);
    expect(bodies[0]).to.deep.include({
      event: 'record.read',
      outcome: 'permitted',
      subject: ana,
      purpose: 'convenience',
      basis: 'contract',
      clause: '5.2',
      operation: 'user',
      asked: ['user.contact.email', 'user.name'],
    });
    expect(bodies[0]!.records!.map(({ category, version }) => [category, version])).to.have.deep.members([
      ['user.contact.email', 1],
      ['user.name', 1],
    ]);
  });

  it('opens nothing, but makes an entry, where no value is selected', async () => {
    const { data, bodies } = await reading(`query ($ana: ID!) { user(id: $ana) { ${card} { category version } } }`);
    expect(data.user.personalData).to.have.length(2);
    expect(bodies.map(({ event, records }) => [event, records])).to.deep.equal([['record.listed', undefined]]);
  });

  it('enters a look-up, hit or miss, where no personal data is asked for, and names whom it found', async () => {
    const source = 'query ($id: ID!) { user(id: $id) { id } }';
    const hit = await reading(source, { id: ana });
    expect(hit.data.user).to.deep.equal({ id: ana });
    expect(hit.bodies).to.have.length(1);
    expect(hit.bodies[0]).to.deep.include({ event: 'user.listed', subject: ana, details: { count: 1 } });
    const id = randomUUID();
    const miss = await reading(source, { id });
    expect(miss.data.user).to.equal(null);
    expect(miss.bodies.map(({ event, details }) => [event, details])).to.deep.equal([['user.listed', { count: 0 }]]);
    expect(JSON.stringify(miss.bodies)).to.not.include(id);
    const own = await reading(source, { id: ana }, { id: ana, kind: 'user' });
    expect([own.data.user, own.bodies]).to.deep.equal([{ id: ana }, []]);
  });

  it('answers null for somebody unknown, and enters that somebody was asked about', async () => {
    const source = `query ($id: ID!, $other: ID!) { user(id: $id) { ${card} { value } } other: user(id: $other) { ${card} { value } } }`;
    const [id, other] = [randomUUID(), randomUUID()];
    const { data, errors, bodies } = await reading(source, { id, other });
    expect([data, errors]).to.deep.equal([{ user: null, other: null }, []]);
    expect(bodies).to.have.length(1);
    expect(bodies[0]).to.deep.include({
      event: 'record.listed',
      outcome: 'permitted',
      purpose: 'convenience',
      asked: ['user.contact.email', 'user.name'],
    });
    expect(bodies[0]).to.not.have.any.keys('subject', 'records');
    expect(JSON.stringify(bodies)).to.not.match(new RegExp(`${id}|${other}`));
  });

  it('answers null, without an entry, for what is nobody’s id', async () => {
    for (const id of ['x', ana.toUpperCase(), '']) {
      const { data, errors, bodies } = await reading(`query ($id: ID!) { user(id: $id) { ${card} { value } } }`, {
        id,
      });
      expect([data, errors, bodies]).to.deep.equal([{ user: null }, [], []]);
    }
  });

  it('shows whoever is refused the same of known and unknown people, and enters it alike', async () => {
    const actors = {
      'a processor': { id: randomUUID() as string as Pseudonym, kind: 'processor' } as Actor,
      'another user': { id: ben, kind: 'user' } as Actor,
      'a reviewer': await gate.signIn('security-reviewer'),
      'staff without grant': await gate.signIn('support-agent'),
    };
    const looks = {
      'look-up': 'user(id: $id) { __typename }',
      categories: `user(id: $id) { ${card} { category withheld { code clause missing } } }`,
      values: `user(id: $id) { ${card} { id version value withheld { code } } }`,
      'a purpose that is not declared': 'user(id: $id) { personalData(purpose: "x") { value } }',
      'several of them': `user(id: $id) { a: ${card} { value } b: personalData(purpose: "service-quality") { category } }`,
    };
    const entryless = (errors: readonly { extensions: { entry: object | null } }[]) =>
      errors.map((error) => ({
        ...error,
        extensions: { ...error.extensions, entry: error.extensions.entry && 'one' },
      }));
    for (const [who, actor] of Object.entries(actors)) {
      for (const [what, look] of Object.entries(looks)) {
        if (who === 'staff without grant' && what === 'look-up') continue; // they may list people, and each look is entered
        const [known, unknown] = [
          await reading(`query ($id: ID!) { ${look} }`, { id: ana }, actor),
          await reading(`query ($id: ID!) { ${look} }`, { id: randomUUID() }, actor),
        ];
        const said = ({ data, errors, bodies }: typeof known) => ({
          data,
          errors: entryless(errors),
          bodies: bodies.map(({ event, outcome, asked, ...rest }) => [
            event,
            outcome,
            asked,
            'refusal' in rest && rest.refusal,
          ]),
        });
        expect(said(unknown), `${who}: ${what}`).to.deep.equal(said(known));
        expect(known.bodies.length, `${who}: ${what}`).to.be.above(0);
        expect(known.bodies.every(({ outcome }) => outcome === 'refused')).to.equal(true);
        expect(unknown.bodies.every((body) => body.subject === undefined)).to.equal(true);
      }
    }
  });

  for (const [shape, source, names] of [
    [
      'aliases of the root field',
      `query ($ana: ID!, $ben: ID!) { a: user(id: $ana) { ${card} { value } } b: user(id: $ben) { ${card} { value } } }`,
      4,
    ],
    ['aliases of value', `query ($ana: ID!) { user(id: $ana) { ${card} { value x: value y: value } } }`, 2],
    ['only an alias of value', `query ($ana: ID!) { user(id: $ana) { ${card} { harmless: value } } }`, 2],
    [
      'a fragment',
      `query ($ana: ID!) { user(id: $ana) { ...F } } fragment F on User { ${card} { ...G } } fragment G on PersonalDataRecord { value }`,
      2,
    ],
    [
      'an inline fragment',
      `query ($ana: ID!) { user(id: $ana) { ... on User { ${card} { ... on PersonalDataRecord { value } } } } }`,
      2,
    ],
    [
      'include',
      `query ($ana: ID!, $yes: Boolean = true) { user(id: $ana) { ${card} { category value @include(if: $yes) } } }`,
      2,
    ],
    [
      'skip',
      `query ($ana: ID!, $yes: Boolean = true) { user(id: $ana) { ${card} { category value @skip(if: $yes) } } }`,
      0,
    ],
    [
      'merged fields',
      `query ($ana: ID!) { user(id: $ana) { ${card} { category } } user(id: $ana) { ${card} { value } } }`,
      2,
    ],
    [
      'two aliases of personalData, one with values',
      `query ($ana: ID!) { user(id: $ana) { a: ${card} { version } b: personalData(purpose: "convenience", categories: ["user.name"]) { value } } }`,
      1,
    ],
    ['a list', `{ users { edges { node { id ${card} { value } } } } }`, 4],
    [
      'a list below aliases and fragments',
      `{ users { edges { node { ...F } } } } fragment F on User { p: ${card} { q: value } }`,
      4,
    ],
  ] as const) {
    it(`names exactly the records that are opened, through ${shape}`, async () => {
      const { data, errors, bodies } = await reading(source);
      expect(errors).to.deep.equal([]);
      const values = [...JSON.stringify(data).matchAll(/ana@example\.com|ben@example\.com|Ana Ruiz|Ben Okri/g)].map(
        ([value]) => value,
      );
      const named = bodies.flatMap(({ records = [] }) => records.map(({ id }) => id));
      expect(new Set(named).size).to.equal(named.length);
      expect(named).to.have.length(names);
      expect(new Set(values).size).to.equal(names);
      expect(
        bodies.filter(({ event }) => event === 'record.read').every(({ records }) => records!.length > 0),
      ).to.equal(true);
    });
  }

  it('puts what one operation asks about one person and purpose into one entry', async () => {
    const { bodies } = await reading(
      `query ($ana: ID!) { user(id: $ana) { a: personalData(purpose: "convenience", categories: ["user.name"]) { value } b: personalData(purpose: "convenience", categories: ["user.contact.email"]) { value } } }`,
    );
    expect(bodies).to.have.length(1);
    expect(bodies[0]!.records).to.have.length(2);
  });

  it('withholds what is refused, beside what is permitted, each with its entry', async () => {
    const { data, bodies } = await reading(
      `query ($ana: ID!) { user(id: $ana) { personalData(purpose: "convenience", categories: ["user.name", "user.device.ip_address"]) { id category version channel value withheld { code clause missing } } } }`,
    );
    const withheld = data.user.personalData.find((one: { value: null }) => one.value === null);
    expect(withheld).to.deep.equal({
      id: null,
      category: 'user.device.ip_address',
      version: null,
      channel: null,
      value: null,
      withheld: {
        code: 'PURPOSE_DOES_NOT_COVER_CATEGORY',
        clause: '3.1',
        missing: ['a purpose that covers the category'],
      },
    });
    expect(bodies.map(({ outcome }) => outcome).sort()).to.deep.equal(['permitted', 'refused']);
  });

  it('answers a bad argument as an error with its entry, and never repeats it', async () => {
    for (const [argument, code] of [
      ['purpose: "to-know-thy-neighbour"', 'PURPOSE_NOT_DECLARED'],
      ['purpose: "convenience", categories: ["user.thy-neighbour"]', 'CATEGORY_NOT_DECLARED'],
      ['purpose: "\\u0000", categories: ["\\u0000"]', 'PURPOSE_NOT_DECLARED'],
      ['purpose: "convenience", categories: ["user.name\\u0000", "💧"]', 'CATEGORY_NOT_DECLARED'],
    ] as const) {
      const { data, errors, entries } = await reading(
        `query ($ana: ID!) { user(id: $ana) { id personalData(${argument}) { value } } }`,
      );
      expect(data.user).to.deep.equal({ id: ana, personalData: null });
      expect(errors).to.have.length(1);
      expect(errors[0]!.extensions).to.have.property('code', code);
      expect(errors[0]!.extensions).to.have.nested.property('entry.index', entries[0]!.index);
      expect(JSON.stringify([errors, entries])).to.not.match(/neighbour|💧/);
    }
  });

  it('refuses staff without grant, reviewers and processors, and shows nobody whether there is a record', async () => {
    const actors = [await gate.signIn('support-agent'), await gate.signIn('security-reviewer')];
    const nobody = await gate.person([NAME]);
    for (const actor of actors) {
      const shown = [];
      for (const id of [ana, nobody]) {
        const source = `query ($id: ID!) { user(id: $id) { ${card} { id category version channel value withheld { code } } } }`;
        shown.push(await reading(source, { id }, actor));
      }
      const [one, other] = shown.map(({ data }) => data.user.personalData);
      expect(one).to.deep.equal(other);
      expect(
        one.every((record: { value: null; withheld: object }) => record.value === null && record.withheld),
      ).to.equal(true);
    }
  });

  it('lets a user read their own data and nobody else’s', async () => {
    const own = await reading(
      `query ($ana: ID!) { user(id: $ana) { ${card} { value } } }`,
      {},
      { id: ana, kind: 'user' },
    );
    expect(own.data.user.personalData).to.have.length(2);
    expect(own.bodies[0]).to.include({ outcome: 'permitted', clause: '6.4' });
    const others = await reading(
      `query ($ben: ID!) { user(id: $ben) { ${card} { value withheld { code } } } }`,
      {},
      { id: ana, kind: 'user' },
    );
    expect(others.data.user.personalData.map((one: { withheld: { code: string } }) => one.withheld.code)).to.deep.equal(
      ['NOT_YOUR_DATA', 'NOT_YOUR_DATA'],
    );
  });

  it('splits an entry that would name too many records, and opens them all', async () => {
    const many = Array.from({ length: 4 }, (_, batch) =>
      Array.from({ length: 100 }, (_, nth) =>
        batch + nth === 0 ? NAME : { ...EMAIL, value: `many.${batch}.${nth}@example.com` },
      ),
    );
    const one = await gate.person(many[0]);
    for (const records of many.slice(1)) {
      await gate.execute(
        SYSTEM,
        `mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }`,
        {
          input: { user: one, purpose: 'convenience', records },
        },
      );
    }
    await gate.execute(
      SYSTEM,
      `mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }`,
      {
        input: { user: one, purpose: 'convenience', records: [EMAIL, NAME] },
      },
    );
    const { data, bodies } = await reading(
      `query ($one: ID!) { user(id: $one) { personalData(purpose: "convenience") { value } } }`,
      { one },
    );
    expect(data.user.personalData).to.have.length(402);
    expect(
      data.user.personalData.every(({ value }: { value: string }) => value.includes('Ana') || value.includes('@')),
    ).to.equal(true);
    expect(bodies.map(({ records }) => records!.length)).to.deep.equal([400, 2]);
  });

  it('asks the gate through the executor exactly what it looked ahead for', async () => {
    // The same selection, reached where nothing is looked ahead: the entries must be the same.
    const ahead = await reading(`query ($ben: ID!) { user(id: $ben) { ${card} { value } } }`);
    const { data, bodies } = await reading(
      `{ findUser(category: "user.contact.email", value: " BEN@example.com ", purpose: "convenience") { ${card} { value } } }`,
    );
    expect(data.findUser).to.deep.equal(ahead.data.user);
    expect(bodies.map(({ event }) => event)).to.deep.equal(['user.found', 'record.read']);
    const [a, b] = [ahead.bodies[0], bodies[1]].map((body) => ({ asked: body!.asked, records: body!.records }));
    expect(a).to.deep.equal(b);
  });

  it('brings each person once, however often an operation asks', async () => {
    const big = await gate.person([NAME, EMAIL]);
    const text = 'é'.repeat(9_000);
    const records = Array.from({ length: 100 }, () => ({ ...NAME, value: text }));
    const collect = 'mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }';
    const more = () => gate.execute(SYSTEM, collect, { input: { user: big, purpose: 'convenience', records } });
    await more();
    const aliases = Array.from({ length: 30 }, (_, nth) => `a${nth}: personalData(purpose: "convenience") { value }`);
    const { errors, data, entries } = await reading(`query ($big: ID!) { user(id: $big) { ${aliases.join(' ')} } }`, {
      big,
    });
    expect(errors).to.deep.equal([]);
    expect(data.user.a29).to.have.length(102);
    expect(entries).to.have.length(1);

    // Beyond what one statement may bring, nothing is opened, but that so much is held is told, and entered; parts still open.
    for (let batch = 0; batch < 4; batch++) await more();
    const whole = await reading(
      'query ($big: ID!) { user(id: $big) { personalData(purpose: "convenience") { value } } }',
      { big },
    );
    expect(whole.errors[0]!.extensions.code).to.equal('QUERY_TOO_COMPLEX');
    expect(whole.bodies.map(({ event, subject }) => [event, subject])).to.deep.equal([['record.listed', big]]);
    const stranger = await reading(
      'query ($big: ID!) { user(id: $big) { personalData(purpose: "convenience") { value withheld { code } } } }',
      { big },
      { id: ben, kind: 'user' },
    );
    expect(stranger.errors, 'who is refused is not told how much there is').to.deep.equal([]);
    expect(stranger.data.user.personalData[0].withheld.code).to.equal('NOT_YOUR_DATA');
    expect(stranger.bodies.map(({ outcome }) => outcome)).to.deep.equal(['refused']);
    const part = await reading(
      `query ($big: ID!) { user(id: $big) { personalData(purpose: "convenience", categories: ["user.contact.email"]) { value } } }`,
      { big },
    );
    expect(part.data.user.personalData).to.deep.equal([{ value: EMAIL.value }]);
    const unselected = await reading(
      'query ($big: ID!) { user(id: $big) { personalData(purpose: "convenience") { version } } }',
      { big },
    );
    expect(unselected.data.user.personalData).to.have.length(502);
  });

  it('fails for one person alone where a seal is broken', async () => {
    const broken = await gate.person();
    const client = new pg.Client({ connectionString: gate.database.superuserUrl });
    await client.connect();
    await client.query('ALTER TABLE registry.subject_key DISABLE TRIGGER ALL');
    await client.query(
      "UPDATE registry.subject_key SET wrapped = decode(repeat('00', octet_length(wrapped)), 'hex') WHERE subject = $1",
      [broken],
    );
    await client.end();
    const { data, errors } = await reading(
      `query ($ana: ID!, $broken: ID!) { a: user(id: $ana) { ${card} { value } } b: user(id: $broken) { ${card} { value } } }`,
      { broken },
    );
    expect(data.a.personalData).to.have.length(2);
    expect(data.b).to.deep.equal({ personalData: null });
    expect(errors.map(({ extensions }) => extensions.code)).to.deep.equal(['INTERNAL']);
  });

  it('tells processors, reviewers and other users of nobody', async () => {
    for (const actor of [await gate.signIn('security-reviewer'), { id: ben, kind: 'user' } as const]) {
      const { data, errors } = await reading('query ($ana: ID!) { user(id: $ana) { id } }', {}, actor);
      expect([data.user, errors[0]!.extensions.code]).to.deep.equal([null, 'ROLE_NOT_PERMITTED']);
    }
  });

  it('keeps categories apart from what PostgreSQL makes of them', async () => {
    const { errors } = await reading(
      `query ($ana: ID!) { user(id: $ana) { personalData(purpose: "convenience", categories: ["user.%"]) { value } } }`,
    );
    expect(errors[0]!.extensions.code).to.equal('CATEGORY_NOT_DECLARED');
    expect('user.name' as Category).to.equal('user.name');
  });
});
