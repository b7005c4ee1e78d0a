import { expect } from 'chai';
import { buildSchema, type OperationDefinitionNode, parse } from 'graphql';
import { documentMeasure } from '../../src/server/document.js';

const schema = buildSchema(`
  type Query { person(id: ID!): Person people(first: Int = 10): [Person!]! node: Node }
  interface Node { id: ID! }
  type Person implements Node { id: ID! name: String friends(first: Int, last: Int): [Person!]! }
`);

const measured = (text: string, variables: Record<string, unknown> = {}, at = 0) => {
  const document = parse(text);
  const measure = documentMeasure(schema)(document, document.definitions[at] as OperationDefinitionNode);
  return { ...measure, complexity: measure.complexity(variables) };
};

describe('a document’s measure', () => {
  it('names root fields, through fragments, and not their aliases', () => {
    const { fields, aliases } = measured(
      'query Q { a: person(id: 1) { id } ...F ... on Query { node { id } } } fragment F on Query { b: people { id } }',
    );
    expect(fields).to.have.members(['person', 'people', 'node']);
    expect(aliases).to.equal(2);
  });

  for (const [text, depth] of Object.entries({
    '{ node { id } }': 2,
    '{ person(id: 1) { friends { friends { id } } } }': 4,
    '{ person(id: 1) { ...F } } fragment F on Person { friends { id } }': 3,
    '{ person(id: 1) { ... { ... on Person { id } } } }': 2,
    '{ __schema { types { fields { type { ofType { name } } } } } }': 1,
  })) {
    it(`has a depth of ${depth}: ${text}`, () => expect(measured(text).depth).to.equal(depth));
  }

  for (const [text, complexity] of Object.entries({
    '{ person(id: 1) { id name } }': 3,
    '{ people { id } }': 11,
    '{ people(first: 3) { id } }': 4,
    '{ people(first: -5) { id } }': 2,
    '{ person(id: 1) { friends { id } } }': 52,
    '{ person(id: 1) { friends(last: 4) { friends(first: 2) { id } } } }': 14,
    'query Q($n: Int = 7) { people(first: $n) { id } }': 8,
    '{ people(first: 5) @skip(if: true) { id } node { id } }': 2,
  })) {
    it(`has a complexity of ${complexity}: ${text}`, () => expect(measured(text).complexity).to.equal(complexity));
  }

  it('works a complexity out again where variables can change it', () => {
    const document = parse('query Q($n: Int, $with: Boolean!) { people(first: $n) @include(if: $with) { id } }');
    const { complexity } = documentMeasure(schema)(document, document.definitions[0] as OperationDefinitionNode);
    expect(complexity({ n: 3, with: true })).to.equal(4);
    expect(complexity({ n: 30, with: true })).to.equal(31);
    expect(complexity({ n: 30, with: false })).to.equal(0);
  });

  it('is that of the named operation among several', () => {
    const text = 'query A { node { id } } query B { people(first: 100) { id } }';
    expect(measured(text, {}, 0).complexity).to.equal(2);
    expect(measured(text, {}, 1).complexity).to.equal(101);
  });

  it('is taken once for a document', () => {
    const document = parse('{ node { id } }');
    const measure = documentMeasure(schema);
    const operation = document.definitions[0] as OperationDefinitionNode;
    expect(measure(document, operation)).to.equal(measure(document, operation));
  });
});
