import { expect } from 'chai';
import fc from 'fast-check';
import { BodyError, parseBody } from '../../src/log/body.js';
import { canonical, type Json } from '../../src/log/canonical.js';
import { type Columns, columnsOf, type Deed, deedOf, parseColumns, parseDeed } from '../../src/log/deed.js';
import { bodyOf, json, text, uuid } from './arbitraries.js';

function attempt<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const right = JSON.parse(bodyOf(42, { records: [7, 8], more: { asked: ['user.name'], basis: 'contract' } })) as Record<
  string,
  Json
>;
const refusal = { outcome: 'refused', refusal: { code: 'NO_GRANT', missing: ['a need-to-know grant'] } };

function changed(change: Record<string, Json | undefined>): string {
  return canonical({ ...right, ...change });
}

describe('body', () => {
  it('takes a body that is right, permitted or refused', () => {
    expect(parseBody(changed({}))).to.include({ event: 'record.read', asOf: 42 });
    expect(parseBody(changed(refusal))).to.deep.include(refusal);
  });

  it('takes events that it does not know, and details of any shape', () => {
    const details = { a: [null, { 'b.c': 'D-1_e' }, true, 7, [], {}] };
    expect(parseBody(changed({ event: 'moon.landed', details })).event).to.equal('moon.landed');
  });

  it('takes a 29th of February in a leap year', () => {
    expect(parseBody(changed({ at: '2028-02-29T00:00:00.000Z' }))).to.have.property('at');
  });

  it('takes 64 arrays and objects within each other, itself one, and no more', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const body = (levels: number) => changed({ details: { n: 7 } }).replace('"n":7', `"n":${nested(levels)}`);
    for (const parse of [parseBody, parseDeed]) {
      expect(attempt(() => parse(body(62)))).to.be.an('object');
      expect(attempt(() => parse(body(63)))).to.match(/^BODY_NOT_CANONICAL/);
    }
  });

  for (const [fault, change] of Object.entries<Record<string, Json | undefined>>({
    'an unknown field': { more: 1 },
    'another version': { v: 2 },
    'an id that is no UUIDv7': { id: uuid(1) },
    'a fact from before the log': { asOf: -1 },
    'a time without milliseconds': { at: '2026-11-22T09:00:00Z' },
    'a time elsewhere': { at: '2026-11-22T09:00:00.000+01:00' },
    'a 24th hour': { at: '2026-11-22T24:00:00.000Z' },
    'a 31st of April': { at: '2026-04-31T09:00:00.000Z' },
    'a 29th of February in a common year': { at: '2026-02-29T09:00:00.000Z' },
    'an event that is no noun.verb': { event: 'read' },
    'an unknown outcome': { outcome: 'maybe' },
    'a refusal of what was permitted': { refusal: refusal.refusal },
    'a refused outcome without refusal': { outcome: 'refused' },
    'a refusal with more': { outcome: 'refused', refusal: { code: 'NO_GRANT', text: 'x' } },
    'no actor': { actor: undefined },
    'an actor of unknown kind': { actor: { id: uuid(1), kind: 'robot' } },
    'an actor with a name': { actor: { id: uuid(1), kind: 'staff', name: 'x' } },
    'a subject in upper case': { subject: uuid(0xab).toUpperCase() },
    'no subject but null': { subject: null },
    'a record without version': { records: [{ category: 'user.name', id: uuid(1) }] },
    'a record of version 0': { records: [{ category: 'user.name', id: uuid(1), version: 0 }] },
    'a word that is empty': { operation: '' },
    'a word that is not ASCII': { operation: 'größe' },
    'an address in a clause': { clause: 'jane@example.com' },
    'a year 0': { at: '0000-01-01T09:00:00.000Z' },
    'details that are a text': { details: 'x' },
    'details with a sentence': { details: { a: [{ b: 'Jane Doe' }] } },
    'details with an empty text': { details: { a: '' } },
    'details with a name that is no token': { details: { 'Jane Doe': 1 } },
    'asked categories that are none': { asked: [1] },
  })) {
    it(`refuses ${fault}`, () => {
      expect(attempt(() => parseBody(changed(change)))).to.match(/^LEAF_MALFORMED/);
      expect(attempt(() => parseDeed(changed(change)))).to.match(/^LEAF_MALFORMED/);
    });
  }

  it('refuses another spelling', () => {
    expect(attempt(() => parseDeed(` ${changed({})}`))).to.match(/^BODY_NOT_CANONICAL/);
    expect(attempt(() => parseDeed('[]'))).to.match(/^LEAF_MALFORMED/);
  });

  it('never says what stands in a field', () => {
    expect(attempt(() => parseBody(changed({ subject: 'Jane Doe' })))).to.not.contain('Jane');
  });
});

describe('deed', () => {
  const values = fc.oneof(
    text,
    json,
    fc.constantFrom<Json>('x', 0, 7, 1e15, Number.MAX_SAFE_INTEGER, {}, [], uuid(3), 'refused'),
  );
  const fields = fc.constantFrom(...Object.keys(right), 'details', 'refusal', 'role');
  const change = fc.dictionary(fields, values, { maxKeys: 2 });

  function same(body: string): void {
    const expected = attempt<Deed>(() => deedOf(parseBody(body)));
    expect(attempt<Deed>(() => parseDeed(body))).to.deep.equal(expected);
    const columns = attempt<Columns>(() => columnsOf(parseBody(body)));
    expect(attempt<Columns>(() => parseColumns(body))).to.deep.equal(columns);
  }

  it('is what the parsed body says, or refused as the body is, whatever a field holds', () => {
    fc.assert(
      fc.property(change, (changes) => same(changed(changes))),
      { numRuns: 1000 },
    );
  });

  it('is the same of every text, whatever is inserted, removed or replaced', () => {
    const whole = changed({ details: { count: 3, event: ['a.b', { v: 1 }] }, ...refusal });
    const place = fc.nat({ max: whole.length });
    const inserts = fc.constantFrom(
      '',
      '"',
      ',',
      '{',
      '}',
      '[',
      ']',
      '\\',
      '\\u0041',
      ' ',
      '0',
      'a',
      'A',
      'ü',
      '\n',
      ',"event":"a.b"',
      '"v":1',
    );
    fc.assert(
      fc.property(place, fc.nat({ max: 3 }), inserts, (at, removed, insert) => {
        same(whole.slice(0, at) + insert + whole.slice(at + removed));
      }),
      { numRuns: 3000 },
    );
  });
});
