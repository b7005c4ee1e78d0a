import { expect } from 'chai';
import { CATEGORIES, LEGAL_BASES, PURPOSES } from '../../../seeds/policy.js';
import { registerProcessor } from '../../../src/domain/processors/processors.js';
import type { Actor } from '../../../src/log/entry.js';
import { identityOf, type TestGate, testGate } from '../../support/gate.js';

const byKey = <T extends { readonly key: string }>(list: readonly T[]) =>
  [...list].sort((a, b) => (a.key < b.key ? -1 : 1));

describe('what is declared', () => {
  let gate: TestGate;
  let actors: Record<string, Actor>;
  before(async () => {
    gate = await testGate();
    const officer = await gate.signIn('privacy-officer');
    await gate.person(undefined, 'ana');
    await registerProcessor(gate.contextFor(officer), { name: 'Mail', kind: 'AGENT', identity: identityOf('mail') });
    actors = {
      officer,
      'support agent': await gate.signIn('support-agent'),
      reviewer: await gate.signIn('security-reviewer'),
      user: await gate.signIn('user', 'ana'),
      processor: await gate.signIn('processor', 'mail'),
    };
  });
  after(() => gate.close());

  it('is listed to whoever is signed in, without an entry', async () => {
    const source = '{ purposes { edges { node { key } } } dataCategories { edges { node { key } } } }';
    for (const [name, actor] of Object.entries(actors)) {
      const { data, errors, context } = await gate.execute(actor, source);
      expect(errors, name).to.deep.equal([]);
      expect(data.purposes.edges, name).to.have.length(PURPOSES.length);
      expect(data.dataCategories.edges, name).to.have.length(CATEGORIES.length);
      expect(context.entries, name).to.deep.equal([]);
    }
  });

  it('is shown as it was declared, by key', async () => {
    const { data } = await gate.execute(
      actors.user!,
      `{ purposes { edges { node { key title description clause legalBasis { key title description } categories } } }
         dataCategories { edges { node { key title identifiability sensitive searchable channels } } } }`,
    );
    const nodes = (list: { edges: { node: object }[] }) => list.edges.map(({ node }) => node);
    expect(nodes(data.purposes)).to.deep.equal(
      byKey(PURPOSES).map(({ basis, categories, ...purpose }) => ({
        ...purpose,
        legalBasis: LEGAL_BASES.find(({ key }) => key === basis),
        categories: [...categories].sort(),
      })),
    );
    expect(nodes(data.dataCategories)).to.deep.equal(
      byKey(CATEGORIES).map((category) => ({
        sensitive: false,
        searchable: false,
        ...category,
        channels: [...category.channels].sort(),
      })),
    );
  });

  it('is paged by key, each exactly once', async () => {
    const keys: string[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 10; pages++) {
      const { data } = await gate.execute(
        actors.user!,
        'query ($after: String) { dataCategories(first: 5, after: $after) { edges { node { key } } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      keys.push(...data.dataCategories.edges.map(({ node }: { node: { key: string } }) => node.key));
      if (!data.dataCategories.pageInfo.hasNextPage) break;
      after = data.dataCategories.pageInfo.endCursor;
    }
    expect(keys).to.deep.equal(byKey(CATEGORIES).map(({ key }) => key));
  });

  it('is paged by 200 at most', async () => {
    const { errors } = await gate.execute(actors.user!, '{ purposes(first: 201) { edges { node { key } } } }');
    expect(errors[0]!.extensions.code).to.equal('BAD_INPUT');
  });

  it('comes with who one is', async () => {
    const shown = await Promise.all(
      Object.values(actors).map(async (actor) => {
        const { data, context } = await gate.execute(actor, '{ me { id kind role } }');
        expect(context.entries).to.deep.equal([]);
        return data.me;
      }),
    );
    expect(shown).to.deep.equal(
      Object.values(actors).map(({ id, kind, role = null }) => ({ id, kind: kind.toUpperCase(), role })),
    );
  });
});
