import { expect } from 'chai';
import { CATEGORIES, LEGAL_BASES, PURPOSES } from '../../../seeds/policy.js';
import { DeclaredDifferently } from '../../../src/domain/purposes/declared-once.js';
import { declareCategory, declareLegalBasis, declarePurpose } from '../../../src/domain/purposes/purposes.js';
import { enrolService } from '../../../src/domain/services/services.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { declareDemo, refusalOf, type TestGate, testGate } from '../../support/gate.js';

const PURPOSE = PURPOSES[1];
const CATEGORY = CATEGORIES[1];

async function membersOf(attempt: Promise<unknown>): Promise<readonly string[]> {
  const error = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DeclaredDifferently) return error.members;
  throw error ?? new Error('it was declared');
}

describe('declaring', () => {
  let gate: TestGate;
  before(async () => {
    gate = await testGate();
  });
  after(() => gate.close());

  it('writes one entry for each thing, about nobody', async () => {
    const entries = await gate.entries();
    expect(entries.map(({ body }) => body.event)).to.deep.equal([
      ...LEGAL_BASES.map(() => 'legal-basis.declared'),
      ...CATEGORIES.map(() => 'category.declared'),
      ...PURPOSES.map(() => 'purpose.declared'),
      'service.enrolled',
    ]);
    expect(entries.filter(({ nth }) => nth !== null)).to.deep.equal([]);
    expect(entries.map(({ body }) => body.actor)).to.deep.equal(entries.map(() => SYSTEM));
  });

  it('says in the entry what is declared by its keys, and nothing that somebody wrote', async () => {
    const entries = await gate.entries();
    const purpose = entries.find(({ body }) => body.purpose === PURPOSE.key)!.body;
    expect(purpose).to.include({ event: 'purpose.declared', basis: PURPOSE.basis, clause: '3.1' });
    expect(purpose.asked).to.deep.equal([...PURPOSE.categories].sort());
    const category = entries.find(({ body }) => body.asked?.[0] === CATEGORY.key)!.body;
    expect(category.details).to.deep.equal({
      identifiability: 'ALONE',
      sensitive: false,
      searchable: true,
      channels: [...CATEGORY.channels].sort(),
    });
    const text = JSON.stringify(entries);
    for (const { title } of [...PURPOSES, ...LEGAL_BASES]) expect(text).to.not.include(title);
  });

  it('changes nothing when it is done again', async () => {
    const before = await gate.size();
    const context = gate.contextFor(SYSTEM);
    await declareDemo(context);
    expect(await gate.size()).to.equal(before);
    expect(context.entries).to.deep.equal([]);
  });

  it('names what differs from what stands, and leaves it as it is', async () => {
    const context = gate.contextFor(SYSTEM);
    const before = await gate.size();
    expect(
      await membersOf(declareCategory(context, { ...CATEGORY, sensitive: true, searchable: false })),
    ).to.deep.equal(['sensitive', 'searchable']);
    expect(await membersOf(declarePurpose(context, { ...PURPOSE, categories: ['user.name'] }))).to.deep.equal([
      'categories',
    ]);
    expect(await membersOf(declarePurpose(context, { ...PURPOSE, basis: null }))).to.deep.equal(['basis']);
    expect(await membersOf(declareLegalBasis(context, { ...LEGAL_BASES[0], title: 'x' }))).to.deep.equal(['title']);
    expect(await membersOf(enrolService(context, { key: 'diagrams', title: 'x' }))).to.deep.equal(['title']);
    expect(await gate.size()).to.equal(before);
  });

  it('takes lists in any order', async () => {
    const before = await gate.size();
    const context = gate.contextFor(SYSTEM);
    await declarePurpose(context, { ...PURPOSE, categories: [...PURPOSE.categories].reverse() });
    await declareCategory(context, { ...CATEGORY, channels: [...CATEGORY.channels].reverse() });
    expect(await gate.size()).to.equal(before);
  });

  it('refuses a purpose of what is not declared, by an entry that does not name it', async () => {
    const context = gate.contextFor(SYSTEM);
    const wanted = { ...PURPOSE, key: 'gossip' };
    expect(await refusalOf(declarePurpose(context, { ...wanted, categories: ['user.secret'] }))).to.equal(
      'CATEGORY_NOT_DECLARED',
    );
    expect(await refusalOf(declarePurpose(context, { ...wanted, basis: 'curiosity' }))).to.equal('LEGAL_BASIS_MISSING');
    const [first, second] = await gate.entries(context.entries[0]!.index);
    expect([first!.body.outcome, second!.body.outcome]).to.deep.equal(['refused', 'refused']);
    expect(JSON.stringify([first, second])).to.not.match(/gossip|secret|curiosity/);
  });

  it('is the system’s alone', async () => {
    const officer = gate.contextFor(await gate.signIn('privacy-officer'));
    const attempts = [
      declareLegalBasis(officer, { ...LEGAL_BASES[0], key: 'whim' }),
      declareCategory(officer, { ...CATEGORY, key: 'user.whim' }),
      declarePurpose(officer, { ...PURPOSE, key: 'whim' }),
    ].map(refusalOf);
    expect(await Promise.all(attempts)).to.deep.equal(Array(3).fill('ROLE_NOT_PERMITTED'));
    expect(officer.entries).to.have.length(3);
  });

  it('happens once where two servers start at once', async () => {
    const before = await gate.size();
    const other = await gate.another();
    const contexts = [gate.contextFor(SYSTEM), other.contextFor({ actor: SYSTEM, request: crypto.randomUUID() })];
    const wanted = { ...CATEGORY, key: 'user.workplace', title: 'workplace' };
    await Promise.all(contexts.map((context) => declareCategory(context, wanted)));
    expect(await gate.size()).to.equal(before + 1);
  });
});
