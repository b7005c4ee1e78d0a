import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { buildSchema, isObjectType, isScalarType } from 'graphql';
import { buildApiSchema, formatSchema } from '../../src/server/schema.js';

const FILE = new URL('../../schema/schema.graphql', import.meta.url);

describe('schema/schema.graphql', () => {
  const text = readFileSync(FILE, 'utf8');

  it('is what the resolvers make; if not, run `npm run schema`', async () => {
    expect(formatSchema(await buildApiSchema())).to.equal(text);
  });

  it('describes itself to a client that has nothing else', () => {
    expect(() => buildSchema(text)).to.not.throw();
  });

  it('has values nowhere but in personal-data records, and there only nullable', () => {
    const types = Object.values(buildSchema(text).getTypeMap()).filter((type) => !type.name.startsWith('__'));
    const values = types.filter(isObjectType).flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ name }) => name === 'value')
        .map((field) => `${type.name}.${field.name}: ${field.type}`),
    );
    expect(values).to.deep.equal(['PersonalDataRecord.value: String']);
    expect(types.filter(isScalarType).map(({ name }) => name)).to.include('LogIndex');
  });

  it('has no list at its root that is no connection', () => {
    const types = Object.values(buildSchema(text).getTypeMap()).filter(isObjectType);
    const roots = types.filter(({ name }) => name === 'Query');
    const lists = roots.flatMap((type) =>
      Object.values(type.getFields()).filter(({ type }) => String(type).includes('[')),
    );
    expect(lists).to.deep.equal([]);
  });
});
