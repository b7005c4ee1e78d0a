import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { BODY } from '../../src/log/body.js';
import { EVENTS } from '../../src/log/event.js';
import { MAX_LINE_BYTES } from '../../src/log/export-line.js';
import * as field from '../../src/log/field.js';
import { FINDINGS } from '../../src/log/finding.js';
import { MAX_LEAF_BYTES } from '../../src/log/leaf.js';
import { HISTORY_FAULTS } from '../../src/log/proven-history.js';
import { REFUSALS } from '../../src/policy/refusal.js';

const page = readFileSync(new URL('../../schema/log-format.md', import.meta.url), 'utf8');

/** The cells of the first table below a heading, but its head. */
function tableBelow(heading: string): string[][] {
  const lines = page.slice(page.indexOf(`\n${heading}\n`)).split('\n');
  const from = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'));
  return lines.slice(from + 2, from + length).map((line) => line.slice(2, -2).split(' | '));
}

function named(cell: string | undefined): string {
  return cell!.replaceAll('`', '');
}

describe('schema/log-format.md', () => {
  it('has every event, with its clause and whether it changes facts', () => {
    const rows = tableBelow('### Events').map(([event, clause, changes]) => [named(event), clause, changes === 'yes']);
    expect(rows).to.deep.equal(Object.entries(EVENTS).map(([event, of]) => [event, of.clause, of.changesFacts]));
  });

  it('has every body field, and which may be absent', () => {
    const rows = tableBelow('### Body fields').map(([field, type]) => [
      named(field),
      !/, optional$|^`\{code/.test(type!),
    ]);
    expect(rows).to.deep.equal([...BODY.rules.keys()].map((field) => [field, BODY.required.includes(field)]));
  });

  it('has every code of a history', () => {
    const codes = tableBelow("### A person's history").map(([code]) => named(code));
    expect(codes).to.deep.equal([...HISTORY_FAULTS]);
  });

  it('has every finding code', () => {
    expect(tableBelow('### Findings').map(([code]) => named(code))).to.deep.equal(Object.keys(FINDINGS));
  });

  it('has the syntax of every type of string', () => {
    const page = new Map(tableBelow('### Syntax').map(([type, pattern]) => [type, named(pattern)]));
    const { uuid, uuid7, nounVerb, key, category, clause, fieldName, day, code, phrase } = field;
    const rules = {
      uuid,
      UUIDv7: uuid7,
      event: nounVerb,
      key,
      category,
      clause,
      name: fieldName,
      day,
      code,
      words: phrase,
    };
    const spelt = Object.entries(rules).map(([type, { plain }]) => [type, plain.slice(1, -1).replaceAll('(?:', '(')]);
    const token = page.get('token')!;
    expect([...page]).to.deep.equal([...spelt, ['token', token]]);
    const whole = new RegExp(`^${token}$`);
    const texts = fc.oneof(fc.string(), fc.stringMatching(whole), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(field.tokens.holds({ a: [text] })).to.equal(whole.test(text));
        expect(field.tokens.holds({ a: { [text]: 1 } })).to.equal(whole.test(text));
      }),
    );
  });

  it('has every code of a refusal, with its clause', () => {
    const rows = tableBelow('### Refusals').map(([code, clause]) => [named(code), clause]);
    expect(rows).to.deep.equal(Object.entries(REFUSALS).map(([code, { clause }]) => [code, clause]));
  });

  it('has the limits of a leaf and of a line', () => {
    for (const limit of [MAX_LEAF_BYTES, MAX_LINE_BYTES]) expect(page).to.contain(limit.toLocaleString('en-US'));
  });
});
