import { expect } from 'chai';
import { type DocumentNode, parse } from 'graphql';
import { createDocumentStore } from '../../src/server/document-store.js';

const documentOf = (characters: number): DocumentNode => parse(`{ ${'a'.repeat(characters - 4)} }`);

describe('document store', () => {
  it('gives back what it keeps', async () => {
    const store = createDocumentStore(100);
    const document = documentOf(10);
    await store.set('a', document);
    expect(await store.get('a')).to.equal(document);
    expect(await store.get('b')).to.equal(undefined);
    await store.delete('a');
    expect(await store.get('a')).to.equal(undefined);
  });

  it('lets go what was asked for longest ago, when it grows over its bound', async () => {
    const store = createDocumentStore(100);
    for (const key of ['a', 'b', 'c']) await store.set(key, documentOf(30));
    await store.get('a');
    await store.set('d', documentOf(30));
    const kept = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => ((await store.get(key)) ? key : '-')));
    expect(kept.join('')).to.equal('a-cd');
  });

  it('counts a document once that is set twice, and none that is larger than all', async () => {
    const store = createDocumentStore(100);
    for (let times = 0; times < 5; times++) await store.set('a', documentOf(60));
    await store.set('b', documentOf(40));
    await store.set('c', documentOf(101));
    expect(await store.get('a')).to.be.an('object');
    expect(await store.get('b')).to.be.an('object');
    expect(await store.get('c')).to.equal(undefined);
  });
});
