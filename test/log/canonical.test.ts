import { createRequire } from 'node:module';
import { expect } from 'chai';
import fc from 'fast-check';
import { canonical, type Json, MAX_DEPTH, NotCanonical, parseCanonical } from '../../src/log/canonical.js';
import { json } from './arbitraries.js';

/** Its types promise a default export that its CommonJS does not have. */
const canonicalize = createRequire(import.meta.url)('canonicalize') as (value: Json) => string;

function nested(depth: number): Json {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe('canonical JSON', () => {
  it('writes what another implementation of RFC 8785 writes', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonical(value)).to.equal(canonicalize(value));
      }),
    );
  });

  it('parses what it writes, whatever the keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const written = canonical(value);
        expect(canonical(parseCanonical(written))).to.equal(written);
      }),
    );
  });

  it('parses nothing that it would write otherwise', () => {
    const changed = fc.tuple(
      json,
      fc.nat(),
      fc.constantFrom(' ', '\n', '\\u0041', '"', '{', '1', '-', '.0', ',', '\u0000'),
    );
    fc.assert(
      fc.property(changed, ([value, at, insert]) => {
        const written = canonical(value);
        const text = written.slice(0, at % (written.length + 1)) + insert + written.slice(at % (written.length + 1));
        let parsed: Json;
        try {
          parsed = parseCanonical(text);
        } catch (error) {
          expect(error).to.be.instanceOf(NotCanonical);
          return;
        }
        expect(canonical(parsed)).to.equal(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('sorts by UTF-16 code units, not by code points (RFC 8785, 3.2.3)', () => {
    expect(canonical({ '\ufb33': 1, '\u{1f600}': 2, '\r': 3, '1': 4 })).to.equal(
      '{"\\r":3,"1":4,"\u{1f600}":2,"\ufb33":1}',
    );
  });

  for (const [fault, spelling] of Object.entries({
    'white space': '{"a": 1}',
    'a member out of order': '{"b":1,"a":2}',
    'a member twice': '{"a":1,"a":1}',
    'a long escape': '{"a":"\\u0041"}',
    'an escaped solidus': '"\\/"',
    'an upper-case escape': '"\\u001F"',
    'U+0000': '"\\u0000"',
    'a lone surrogate': '"\\ud800"',
    'a fraction': '1.5',
    'an exponent': '1e3',
    'negative zero': '-0',
    'a number past 2^53': '9007199254740993',
    'a leading zero': '01',
    nothing: '',
    'more than one value': '1 2',
  })) {
    it(`refuses ${fault}`, () => expect(() => parseCanonical(spelling)).to.throw(NotCanonical));
  }

  it('writes and parses to its depth, and refuses what is deeper, even by far', () => {
    expect(parseCanonical(canonical(nested(MAX_DEPTH)))).to.deep.equal(nested(MAX_DEPTH));
    expect(() => canonical(nested(MAX_DEPTH + 1))).to.throw(NotCanonical);
    for (const depth of [MAX_DEPTH + 1, 30_000]) {
      expect(() => parseCanonical(`${'['.repeat(depth)}1${']'.repeat(depth)}`), `${depth}`).to.throw(NotCanonical);
    }
  });
});
