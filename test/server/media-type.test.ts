import { expect } from 'chai';
import { acceptsEncoding, chooseMediaType, GRAPHQL_MEDIA, JSON_MEDIA } from '../../src/server/media-type.js';

describe('media type', () => {
  for (const [accept, chosen] of [
    [undefined, JSON_MEDIA],
    ['', null],
    ['*/*', JSON_MEDIA],
    ['application/*', JSON_MEDIA],
    ['application/json', JSON_MEDIA],
    ['Application/JSON; charset=utf-8', JSON_MEDIA],
    ['application/graphql-response+json', GRAPHQL_MEDIA],
    ['application/graphql-response+json, application/json', JSON_MEDIA],
    ['application/graphql-response+json, application/json;q=0.9', GRAPHQL_MEDIA],
    ['application/graphql-response+json;q=0.1, */*;q=0.2', JSON_MEDIA],
    ['text/html, application/xhtml+xml, */*;q=0.8', JSON_MEDIA],
    ['text/html', null],
    ['application/json;q=0', null],
    ['application/json;q=0, */*', GRAPHQL_MEDIA],
    ['application/json;q=nonsense', null],
    ['application/jsonx', null],
    ['multipart/mixed; deferSpec=20220824', null],
  ] as const) {
    it(`is ${chosen} for ${accept}`, () => expect(chooseMediaType(accept)).to.equal(chosen));
  }
});

describe('encoding', () => {
  for (const [accepted, br] of [
    [undefined, false],
    ['', false],
    ['gzip, deflate, br, zstd', true],
    ['BR;q=0.5', true],
    ['gzip, br;q=0', false],
    ['brotli', false],
    ['*', false],
  ] as const) {
    it(`${br ? 'is' : 'is not'} br for ${accepted}`, () => expect(acceptsEncoding(accepted, 'br')).to.equal(br));
  }
});
