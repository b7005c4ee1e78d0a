import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '../../src/log/bytes.js';
import {
  formatLeaf,
  GENESIS,
  type Leaf,
  type Link,
  linkOf,
  MAX_BODY_BYTES,
  MAX_LEAF_BYTES,
  parseLeaf,
} from '../../src/log/leaf.js';

const index = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const link = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as Link);
const history = fc.oneof(
  fc.constant(null),
  fc.constant({ nth: 1, earlier: null }),
  fc.record({ nth: fc.integer({ min: 2 }), earlier: index }),
);
const leaf = fc.record({ index, prev: link, history, body: fc.string({ unit: 'grapheme' }) }) as fc.Arbitrary<Leaf>;

describe('leaf', () => {
  it('starts from the root of the empty tree (RFC 6962, 2.1)', () => {
    expect(GENESIS).to.equal('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('hashes as RFC 6962 hashes the empty leaf and a short one', () => {
    expect(linkOf(new Uint8Array())).to.equal('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(linkOf(Uint8Array.of(0))).to.equal('96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7');
  });

  it('parses what it formats, and formats it back byte for byte', () => {
    fc.assert(
      fc.property(leaf, (written) => {
        expect(parseLeaf(formatLeaf(written))).to.deep.equal(written);
      }),
    );
  });

  it('gives another link for every changed byte', () => {
    const bytes = formatLeaf({ index: 42, prev: GENESIS, history: { nth: 7, earlier: 31 }, body: '{"v":1}' } as Leaf);
    for (const at of bytes.keys()) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      expect(linkOf(changed), `byte ${at}`).to.not.equal(linkOf(bytes));
    }
  });

  it('takes a body of the largest size wherever it stands, and no leaf past the limit', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const largest = {
      index: most,
      prev: GENESIS,
      history: { nth: most, earlier: most },
      body: 'x'.repeat(MAX_BODY_BYTES),
    };
    const bytes = formatLeaf(largest as Leaf);
    expect(bytes.length).to.equal(MAX_LEAF_BYTES);
    expect(parseLeaf(bytes)).to.deep.equal(largest);
    expect(parseLeaf(formatLeaf({ ...largest, body: `${largest.body}x` } as Leaf))).to.equal(null);
  });

  for (const [fault, text] of Object.entries({
    'an index with a leading zero': `042 ${GENESIS} - -\n{}`,
    'an index past 2^53': `9007199254740993 ${GENESIS} - -\n{}`,
    'a count past 2^53': `42 ${GENESIS} 9007199254740993 31\n{}`,
    'an upper-case link': `42 ${GENESIS.toUpperCase()} - -\n{}`,
    'a first entry with an earlier one': `42 ${GENESIS} 1 7\n{}`,
    'a seventh entry with none': `42 ${GENESIS} 7 -\n{}`,
    'half a place': `42 ${GENESIS} - 7\n{}`,
    'a carriage return': `42 ${GENESIS} - -\r\n{}`,
    'no body': `42 ${GENESIS} - -`,
    'a byte order mark': `\uFEFF42 ${GENESIS} - -\n{}`,
  })) {
    it(`refuses ${fault}`, () => expect(parseLeaf(Buffer.from(text))).to.equal(null));
  }

  it('refuses bytes that are no UTF-8', () => {
    expect(parseLeaf(Buffer.from(`42 ${GENESIS} - -\n\xff`, 'latin1'))).to.equal(null);
  });
});
