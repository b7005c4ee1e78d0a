import { expect } from 'chai';
import {
  type GraphQLArgument,
  type GraphQLInputField,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
} from 'graphql';
import { MOST_EVIDENCE } from '../../src/domain/log/held-evidence.js';
import { distinctKeys, MOST_KEYS } from '../../src/graphql/keys.js';
import { signCheckpoint } from '../../src/log/checkpoint.js';
import type { Actor, Pseudonym } from '../../src/log/entry.js';
import type { Hash } from '../../src/log/tree.js';
import { apiSchema, NAME, type TestGate, testGate } from '../support/gate.js';
import { ORIGIN } from '../support/ledger.js';
import { LOG_KEY } from '../support/publishing.js';

/** Whatever list a client sends has an end, before anything is decided or entered. */
describe('a list that a client sends', () => {
  let gate: TestGate;
  let support: Actor;
  let officer: Actor;
  let reviewer: Actor;
  let ana: Pseudonym;
  before(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    officer = await gate.signIn('privacy-officer');
    reviewer = await gate.signIn('security-reviewer');
    ana = await gate.person();
  });
  after(() => gate.close());

  const keys = (count: number) => Array.from({ length: count }, () => 'user.name');
  const records = (count: number) => Array.from({ length: count }, () => NAME);
  const until = () => new Date(Date.now() + 3_600_000).toISOString();
  const purpose = 'convenience';
  const USERS = `query ($list: [String!]) { users(first: 5) { edges { node {
    personalData(purpose: "convenience", categories: $list) { value } } } } }`;
  const USER = `query ($list: [String!], $ana: ID!) { user(id: $ana) {
    a: personalData(purpose: "convenience", categories: $list) { value } } }`;
  const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
  const COLLECT = 'mutation ($input: CollectPersonalDataInput!) { collectPersonalData(input: $input) { id } }';
  const GRANT = 'mutation ($input: GrantNeedToKnowInput!) { grantNeedToKnow(input: $input) { id } }';
  const VERIFY = `mutation ($held: [HeldEntryInput!], $checkpoints: [String!]) {
    verifyLog(held: $held, checkpoints: $checkpoints) { id } }`;
  const held = (count: number) => Array.from({ length: count }, (_, index) => ({ index, link: '0'.repeat(64) }));
  const checkpoints = (count: number) =>
    Array.from({ length: count }, () =>
      signCheckpoint({ origin: ORIGIN, size: 1, root: new Uint8Array(32) as Hash }, LOG_KEY),
    );

  const ASK = 'mutation ($input: RequestNeedToKnowInput!) { requestNeedToKnow(input: $input) { id } }';
  const ACCESS = 'query ($list: [String!]) { myAccess(purpose: "convenience", categories: $list) { missing } }';
  const REQUEST = 'mutation ($input: RequestConsentInput!) { requestConsent(input: $input) { id } }';
  const GIVE = 'mutation ($input: GiveConsentInput!) { giveConsent(input: $input) { id } }';
  const GIVING = { service: 'diagrams', channel: 'EMAIL', words: 'May we?', language: 'en' };
  const ENROL = 'mutation ($input: EnrolServiceInput!) { enrolService(input: $input) { key } }';
  const ESSENTIAL =
    'mutation ($list: [String!]!) { setEssentialCategories(service: "diagrams", categories: $list) { key } }';
  const choosing = (verb: string) => (count: number) =>
    gate.execute({ id: ana, kind: 'user' }, `mutation ($list: [String!]!) { ${verb}(categories: $list) }`, {
      list: keys(count),
    });

  /** Every list of the schema, and how it is sent. */
  const SENT: Record<string, (count: number) => Promise<{ errors: readonly { extensions: { code: string } }[] }>> = {
    'User.personalData.categories': (count) => gate.execute(support, USER, { list: keys(count), ana }),
    'RegisterUserInput.records': (count) =>
      gate.execute(support, REGISTER, { input: { purpose, service: 'diagrams', records: records(count) } }),
    'CollectPersonalDataInput.records': (count) =>
      gate.execute(support, COLLECT, { input: { purpose, user: ana, records: records(count) } }),
    'EnrolServiceInput.essentialCategories': (count) =>
      gate.execute(officer, ENROL, { input: { key: 'notes', title: 'Notes', essentialCategories: keys(count) } }),
    'Mutation.setEssentialCategories.categories': (count) => gate.execute(officer, ESSENTIAL, { list: keys(count) }),
    'Mutation.declineCategories.categories': choosing('declineCategories'),
    'Mutation.acceptCategories.categories': choosing('acceptCategories'),
    'RequestNeedToKnowInput.categories': (count) =>
      gate.execute(support, ASK, { input: { purpose, categories: keys(count), until: until() } }),
    'Query.myAccess.categories': (count) => gate.execute(support, ACCESS, { list: keys(count) }),
    'RequestConsentInput.categories': (count) =>
      gate.execute(support, REQUEST, { input: { purpose, user: ana, categories: keys(count) } }),
    'GiveConsentInput.categories': (count) =>
      gate.execute({ id: ana, kind: 'user' }, GIVE, {
        input: { purpose: 'new-services', categories: keys(count), giving: GIVING },
      }),
    'GrantNeedToKnowInput.categories': (count) =>
      gate.execute(officer, GRANT, { input: { purpose, staff: support.id, categories: keys(count), until: until() } }),
    'Mutation.verifyLog.held': (count) => gate.execute(reviewer, VERIFY, { held: held(count) }),
    'Mutation.verifyLog.checkpoints': (count) => gate.execute(reviewer, VERIFY, { checkpoints: checkpoints(count) }),
  };
  const mostOf = (name: string) => (name.startsWith('Mutation.verifyLog') ? MOST_EVIDENCE : MOST_KEYS);

  it('is one of those tested here', async () => {
    const schema = await apiSchema();
    const lists = (owner: string, all: readonly (GraphQLArgument | GraphQLInputField)[]) =>
      all.filter(({ type }) => isListType(getNullableType(type))).map(({ name }) => `${owner}.${name}`);
    const found = Object.values(schema.getTypeMap()).flatMap((type) => {
      if (type.name.startsWith('__')) return [];
      if (isInputObjectType(type)) return lists(type.name, Object.values(type.getFields()));
      if (!isObjectType(type)) return [];
      return Object.values(type.getFields()).flatMap(({ name, args }) => lists(`${type.name}.${name}`, args));
    });
    expect(found).to.have.members(Object.keys(SENT));
  });

  for (const [name, send] of Object.entries(SENT)) {
    const most = mostOf(name);
    it(`${name} has at most ${most} members; beyond them it is BAD_INPUT, and nothing is entered`, async () => {
      const size = await gate.size();
      const codes = (await send(most + 1)).errors.map(({ extensions }) => extensions.code);
      expect(codes).to.deep.equal(['BAD_INPUT']);
      expect(await gate.size()).to.equal(size);
      expect((await send(most)).errors.map(({ extensions }) => extensions.code)).to.not.include('BAD_INPUT');
    });
  }

  it('is refused below a list of people too, without having been gone through for each', async () => {
    for (let nth = 0; nth < 4; nth++) await gate.person();
    const began = performance.now();
    const { errors } = await gate.execute(support, USERS, { list: keys(20_000) });
    expect(performance.now() - began).to.be.below(1_000);
    expect(errors.map(({ extensions }) => extensions.code)).to.deep.equal(Array(5).fill('BAD_INPUT'));
  });

  it('names each key once, however often it was sent', () => {
    expect(distinctKeys('categories', ['b', 'a', 'b'])).to.deep.equal(['b', 'a']);
  });
});
