import { expect } from 'chai';
import { registerProcessor } from '../../../src/domain/processors/processors.js';
import type { Actor } from '../../../src/log/entry.js';
import { identityOf, refusalOf, type TestGate, testGate } from '../../support/gate.js';

const REGISTER = `mutation ($input: RegisterProcessorInput!) {
  registerProcessor(input: $input) { id name kind registeredAt }
}`;
const LIST = '{ processors { edges { node { id name kind } } } }';
const MINE = '{ myProcessor { id name kind } }';

describe('processors', () => {
  let gate: TestGate;
  let officer: Actor;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
  });
  after(() => gate.close());

  it('are registered by a privacy officer, under an entry that says which and of what kind', async () => {
    const input = { name: 'Harbour Mail', kind: 'SERVICE_PROVIDER', identity: null };
    const { data, errors, context } = await gate.execute(officer, REGISTER, { input });
    expect(errors).to.deep.equal([]);
    const [entry] = await gate.entries(context.entries[0]!.index);
    expect(entry!.body).to.include({ event: 'processor.registered', outcome: 'permitted', clause: '6.1' });
    expect(entry!.body.details).to.deep.equal({ processor: data.registerProcessor.id, kind: 'SERVICE_PROVIDER' });
    expect(data.registerProcessor.registeredAt).to.equal(entry!.body.at);
    expect(JSON.stringify(entry)).to.not.include('Harbour');
  });

  const events = async ({ entries }: { readonly entries: readonly { index: number }[] }) =>
    Promise.all(entries.map(async ({ index }) => (await gate.entries(index))[0]!.body.event));

  it('stay as they are when they are registered again, and are shown under an entry', async () => {
    const context = gate.contextFor(officer);
    const wanted = { name: 'Northwind', kind: 'ASSOCIATE', identity: identityOf('northwind') } as const;
    const first = await registerProcessor(context, wanted);
    expect(await registerProcessor(context, wanted)).to.deep.equal(first);
    expect(await registerProcessor(context, { ...wanted, identity: null })).to.deep.equal(first);
    expect(await events(context)).to.deep.equal(['processor.registered', 'processor.listed', 'processor.listed']);
  });

  it('are not registered over one another, and that another stands is told under an entry', async () => {
    const context = gate.contextFor(officer);
    const wanted = { name: 'Southwind', kind: 'ASSOCIATE', identity: identityOf('southwind') } as const;
    await registerProcessor(context, wanted);
    for (const other of [
      { ...wanted, kind: 'AGENT' },
      { ...wanted, identity: identityOf('eastwind') },
      { ...wanted, name: 'Eastwind' },
    ] as const) {
      expect(await refusalOf(registerProcessor(context, other))).to.equal('ALREADY_REGISTERED');
    }
    expect(await events(context)).to.deep.equal(['processor.registered', ...Array(3).fill('processor.listed')]);
  });

  for (const [fault, name] of Object.entries({
    'no name': '',
    'a blank one': '  ',
    'a long one': 'x'.repeat(201),
    'one with U+0000': 'a\u0000b',
  })) {
    it(`are not registered under ${fault}`, async () => {
      const context = gate.contextFor(officer);
      const attempt = registerProcessor(context, { name, kind: 'AGENT', identity: null });
      expect(await refusalOf(attempt)).to.equal('BAD_INPUT');
      expect(context.entries).to.deep.equal([]);
    });
  }

  it('are registered by nobody else, and the refusal is an entry', async () => {
    const input = { name: 'Westwind', kind: 'AGENT' };
    for (const role of ['support-agent', 'security-reviewer'] as const) {
      const { errors, context } = await gate.execute(await gate.signIn(role), REGISTER, { input });
      expect(errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
      const [entry] = await gate.entries(context.entries[0]!.index);
      expect(entry!.body).to.include({ event: 'processor.registered', outcome: 'refused' });
    }
  });

  it('are listed to staff, a page under one entry with its count', async () => {
    const { data, context } = await gate.execute(await gate.signIn('support-agent'), LIST);
    const count = data.processors.edges.length;
    expect(count).to.be.at.least(3);
    const [entry] = await gate.entries(context.entries[0]!.index);
    expect(entry!.body).to.deep.include({ event: 'processor.listed', details: { count } });
  });

  it('reach nothing but themselves', async () => {
    await registerProcessor(gate.contextFor(officer), {
      name: 'Itself',
      kind: 'AGENT',
      identity: identityOf('itself'),
    });
    const processor = await gate.signIn('processor', 'itself');
    const person = await gate.person();
    const mine = await gate.execute(processor, MINE);
    expect(mine.data.myProcessor).to.deep.include({ id: processor.id, name: 'Itself', kind: 'AGENT' });
    expect(mine.context.entries).to.deep.equal([]);

    const list = await gate.execute(processor, LIST);
    expect([list.data, list.errors[0]!.extensions.code]).to.deep.equal([null, 'ROLE_NOT_PERMITTED']);
    const [entry] = await gate.entries(list.context.entries[0]!.index);
    expect(entry!.body).to.deep.include({ event: 'processor.listed', outcome: 'refused', actor: processor });

    const users = await gate.execute(processor, '{ users { edges { node { id } } } }');
    expect(users.errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    const read = await gate.execute(
      processor,
      'query ($id: ID!) { user(id: $id) { personalData(purpose: "convenience") { value withheld { code } } } }',
      { id: person },
    );
    for (const { value, withheld } of read.data.user.personalData) {
      expect([value, withheld.code]).to.deep.equal([null, 'ROLE_NOT_PERMITTED']);
    }
    expect(read.context.entries).to.not.have.length(0);
  });

  it('are nobody’s profile but a processor’s', async () => {
    expect((await gate.execute(officer, MINE)).data).to.deep.equal({ myProcessor: null });
  });

  it('sign in only once registered', async () => {
    expect(await refusalOf(gate.signIn('processor', 'stranger'))).to.equal('ACTOR_UNKNOWN');
  });
});
