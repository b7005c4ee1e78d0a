import { expect } from 'chai';
import fc from 'fast-check';
import { canonical, type Json } from '../../src/log/canonical.js';
import { type Body, BodyTooLarge, formatBody } from '../../src/log/entry.js';
import { MAX_BODY_BYTES } from '../../src/log/leaf.js';
import { json, text } from './arbitraries.js';

const words = fc.array(text, { maxLength: 3 });
const version = fc.integer();
/** In any order of members, with any of them left out, and any text in them. */
const records = fc.array(
  fc.oneof(
    fc.record({ id: text, category: text, version }),
    fc.record({ category: text, id: text, version }),
    fc.record({ version, id: text, category: text, more: json }),
  ),
);
const common = {
  id: text,
  asOf: fc.nat(),
  at: text,
  event: text,
  actor: fc.record({ id: text, kind: text, role: text, onBehalfOf: text }, { requiredKeys: ['id', 'kind'] }),
  clause: text,
  policy: text,
  request: text,
  operation: text,
};
const optional = { subject: text, purpose: text, basis: text, asked: words, records, details: json };
const body = fc
  .oneof(
    fc.record({ ...common, ...optional, outcome: fc.constant('permitted') }, { requiredKeys: ['outcome', 'asOf'] }),
    fc.record(
      { ...common, ...optional, outcome: fc.constant('refused'), refusal: fc.record({ missing: words, code: text }) },
      { requiredKeys: ['outcome', 'refusal'] },
    ),
  )
  .map((one) => one as unknown as Body);

describe('a body', () => {
  it('is spelt as its canonical JSON, with its version', () => {
    fc.assert(
      fc.property(body, (one) => {
        expect(formatBody(one)).to.equal(canonical({ ...(one as unknown as { [key: string]: Json }), v: 1 }));
      }),
    );
  });

  it('is spelt the same whatever the order of its members', () => {
    fc.assert(
      fc.property(body, (one) => {
        const backwards = Object.fromEntries(Object.entries(one).reverse()) as unknown as Body;
        expect(formatBody(backwards)).to.equal(formatBody(one));
      }),
    );
  });

  it('fits into a leaf, or is none', () => {
    const sized = (length: number) => ({ outcome: 'permitted', clause: 'é'.repeat(length) }) as unknown as Body;
    const frame = Buffer.byteLength(formatBody(sized(0)));
    const most = Math.floor((MAX_BODY_BYTES - frame) / 2);
    expect(Buffer.byteLength(formatBody(sized(most)))).to.be.at.most(MAX_BODY_BYTES);
    expect(() => formatBody(sized(most + 1))).to.throw(BodyTooLarge);
  });
});
