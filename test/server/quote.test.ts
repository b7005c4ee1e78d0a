import { expect } from 'chai';
import { type ASTNode, buildSchema, GraphQLError, parse, parseValue, validate } from 'graphql';
import { sayInvalid, sayInvalidVariable, saySyntax } from '../../src/server/quote.js';

const schema = buildSchema(`
  enum Kind { HOME WORK }
  input Contact { email: String! kind: Kind }
  type Query { person(id: ID!, first: Int, ratio: Float, on: Boolean, contact: Contact, kinds: [Kind!]): String }
`);
const said = (text: string) => validate(schema, parse(text)).map(sayInvalid);

describe('quote', () => {
  for (const [text, expected] of Object.entries({
    '{ person(id: {a: "ada"}) }': 'Expected a value of type "ID".',
    '{ person(id: 1, first: "ada") }': 'Expected a value of type "Int".',
    '{ person(id: 1, ratio: "ada") }': 'Expected a value of type "Float".',
    '{ person(id: 1, on: "ada") }': 'Expected a value of type "Boolean".',
    '{ person(id: 1, contact: "ada") }': 'Expected a value of type "Contact".',
    '{ person(id: 1, contact: {email: "x", kind: ADA}) }': 'Expected a value of type "Kind".',
    '{ person(id: 1, kinds: ["ada"]) }': 'Expected a value of type "Kind".',
    '{ person(id: 1, contact: {kind: HOME}) }': 'Field "Contact.email" of required type "String!" was not provided.',
    '{ person(id: 1, contact: {email: "x", mail: "ada"}) }':
      'Field "mail" is not defined by type "Contact". Did you mean "email"?',
    '{ person }': 'Field "person" argument "id" of type "ID!" is required, but it was not provided.',
    '{ persn(id: 1) }': 'Cannot query field "persn" on type "Query". Did you mean "person"?',
  })) {
    it(`of ${text}`, () => expect(said(text)[0]).to.equal(expected));
  }

  it('holds nothing of a message that quotes more than names', () => {
    const nodes: readonly ASTNode[] = parse('{ person }').definitions;
    expect(sayInvalid(new GraphQLError('It has "ada@example.com".', { nodes }))).to.equal(undefined);
    expect(sayInvalid(new GraphQLError(`It has "${'a'.repeat(500)}".`, { nodes }))).to.equal(undefined);
    expect(sayInvalid(new GraphQLError('A new rule: ada.', { nodes: [parseValue('"ada"')] }))).to.equal(undefined);
  });

  it('of a document that does not parse is what was expected', () => {
    const syntax = (text: string) => {
      try {
        parse(text);
      } catch (error) {
        return saySyntax(error as GraphQLError);
      }
      return null;
    };
    expect(syntax('{ person(id "ada") }')).to.equal('Expected ":".');
    expect(syntax('{ person "ada" }')).to.equal('Expected Name.');
    expect(syntax('"ada"')).to.equal(undefined);
    expect(syntax('{ person(id: "ada')).to.equal(undefined);
  });

  it('of a variable is its name and its type', () => {
    expect(sayInvalidVariable(new GraphQLError('ada', { nodes: [parseValue('"ada"')] }))).to.equal(undefined);
    expect(sayInvalidVariable(new GraphQLError('ada'))).to.equal(undefined);
  });
});
