import { expect } from 'chai';
import { grantNeedToKnow } from '../../../src/domain/staff/grants.js';
import { STANDING_KINDS } from '../../../src/domain/staff/standing.rules.js';
import { recordStanding } from '../../../src/domain/staff/standings.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { type TestGate, testGate } from '../../support/gate.js';

const ACCESS = `query ($purpose: String!, $categories: [String!]) { myAccess(purpose: $purpose, categories: $categories) {
  permitted missing withheld { categories code clause missing } } }`;
const READ = `query ($user: ID!, $categories: [String!]) { user(id: $user) {
  personalData(purpose: "convenience", categories: $categories) { category withheld { code clause missing } } } }`;

const CATEGORIES = ['user.name', 'user.contact.email', 'user.device.ip_address'];

describe('myAccess', () => {
  let gate: TestGate;
  let person: Pseudonym;
  before(async () => {
    gate = await testGate();
    person = await gate.person();
  });
  after(() => gate.close());

  const access = async (actor: Actor, categories: string[] | null = CATEGORIES, purpose = 'convenience') => {
    const size = await gate.size();
    const { data, errors } = await gate.execute(actor, ACCESS, { purpose, categories });
    expect(errors).to.deep.equal([]);
    expect(await gate.size(), 'it makes no entry').to.equal(size);
    return data.myAccess;
  };
  const until = () => new Date(Date.now() + 3_600_000);

  it('5.2-21 says before a read what the read will say, whatever there is of the four', async () => {
    const system = gate.contextFor(SYSTEM);
    for (let has = 0; has < 16; has++) {
      const member = await gate.signInOnly('support-agent');
      const ask = { staff: member.id, from: null, until: until() };
      for (const [nth, kind] of STANDING_KINDS.entries()) {
        if (has & (1 << nth)) await recordStanding(system, kind, { ...ask, ...(nth === 0 && { kind: 'AGENT' }) });
      }
      if (has & 8) await grantNeedToKnow(system, { ...ask, purpose: 'convenience', categories: ['user.name'] });
      const { permitted, withheld } = await access(member);
      const { data } = await gate.execute(member, READ, { user: person, categories: CATEGORIES });
      type Shown = { category: string; withheld: object | null };
      const shown = data.user.personalData as Shown[];
      const said = new Map<string, object | null>(permitted.map((category: string) => [category, null]));
      for (const { categories, ...why } of withheld) for (const category of categories) said.set(category, why);
      for (const { category, withheld: why } of shown)
        expect(said.get(category), `${has} ${category}`).to.deep.equal(why);
      expect([...said.keys()].sort()).to.deep.equal([...CATEGORIES].sort());
      expect(permitted, String(has)).to.deep.equal(has === 15 ? ['user.name'] : []);
    }
  });

  it('3.1-42 says what one lacks oneself, and not whether people have consented', async () => {
    const member = await gate.signIn('support-agent');
    const ask = { staff: member.id, from: null, until: until(), purpose: 'new-services', categories: null };
    await grantNeedToKnow(gate.contextFor(SYSTEM), ask);
    expect(await access(member, ['user.name'], 'new-services')).to.deep.equal({
      permitted: ['user.name'],
      missing: [],
      withheld: [],
    });
  });

  it('5.2-22 lists all that is missing, and nothing once there is all', async () => {
    const member = await gate.signInOnly('support-agent');
    expect((await access(member, null)).missing).to.have.members([
      'an engagement in force',
      'a confidentiality agreement in force',
      'a current training',
      'a need-to-know grant',
    ]);
    const able = await gate.signIn('support-agent');
    expect((await access(able, ['user.name'])).missing).to.deep.equal(['a need-to-know grant']);
    const ask = { staff: able.id, purpose: 'convenience', categories: null, from: null, until: until() };
    await grantNeedToKnow(gate.contextFor(SYSTEM), ask);
    const { permitted, withheld, missing } = await access(able, null);
    expect([withheld, missing]).to.deep.equal([[], []]);
    expect(permitted).to.include('user.name');
    // Whether people consented is another matter, and theirs.
    await grantNeedToKnow(gate.contextFor(SYSTEM), { ...ask, purpose: 'new-services' });
    expect((await access(able, null, 'new-services')).missing).to.deep.equal([]);
  });

  it('5.2-23 answers anybody of themselves, and repeats nothing that is not declared', async () => {
    const reviewer = await gate.signIn('security-reviewer');
    expect((await access(reviewer)).missing).to.include('a role that may');
    expect((await access({ id: person, kind: 'user' }, ['user.name'])).missing).to.deep.equal([]);
    const undeclared = await access(reviewer, ['user.shoe_size', 'user.name']);
    expect(undeclared).to.deep.equal({
      permitted: [],
      missing: ['a declared category'],
      withheld: [
        { categories: ['user.name'], code: 'CATEGORY_NOT_DECLARED', clause: '2.1', missing: ['a declared category'] },
      ],
    });
    expect((await access(reviewer, null, 'a\u0000b')).missing).to.deep.equal(['a declared purpose']);
  });
});
