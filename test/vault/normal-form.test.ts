import { expect } from 'chai';
import fc from 'fast-check';
import type { Category } from '../../src/log/entry.js';
import { normalForm } from '../../src/vault/normal-form.js';
import { EMAIL, PHONE, text } from './fixtures.js';

const ACCOUNT = 'user.account.username' as Category;

const SPELLINGS: [Category, form: string, spellings: string[]][] = [
  [
    EMAIL,
    'ana@example.com',
    [
      'ana@example.com',
      ' Ana@Example.COM\t',
      'ａｎａ＠example.com',
      'ana@example.com.',
      'ana\u200b@example.com',
      'ana @ example.com',
      '\ufeffana@exam\u00adple.com',
    ],
  ],
  [
    EMAIL,
    'ana@xn--bcher-kva.example',
    [
      'ana@bücher.example',
      'Ana@BÜCHER.example',
      'ana@bu\u0308cher.example',
      'ana@XN--BCHER-KVA.example',
      'ana@bücher。example',
    ],
  ],
  [
    EMAIL,
    'zoë@example.com',
    ['zoë@example.com', 'ZOË@example.com', 'zoe\u0308@example.com', 'zoe\u200b\u0308@example.com'],
  ],
  [
    PHONE,
    '+4930123456',
    [
      '+4930123456',
      ' +49 30 123-456',
      '+49 (30) 123 456',
      '+49 (0)30 / 123.456',
      '＋４９ 30 123‑456',
      '+49\u00a030\u2013123456\u200e',
    ],
  ],
  [PHONE, '030123456', ['030123456', '030 / 123-456', '(030) 123456']],
  [ACCOUNT, 'ana pereira', ['ana pereira', '  Ana\u00a0 PEREIRA', 'Ａna pereira', 'ana\n\npereira']],
];

const APART: [Category, string, string][] = [
  [EMAIL, 'strasse@example.com', 'straße@example.com'],
  [EMAIL, 'ana@strasse.example', 'ana@straße.example'],
  [EMAIL, 'ana.b@example.com', 'anab@example.com'],
  [EMAIL, 'ana+news@example.com', 'ana@example.com'],
  [EMAIL, 'ana@example.com', 'ana@example.org'],
  [EMAIL, 'ana', 'ana@'],
  [PHONE, '+4930123456', '4930123456'],
  [PHONE, '+15551234', '+15551235'],
  [PHONE, '1-800-FLOWERS', '1-800-FLOWER'],
  [PHONE, '+1 555 0100 x5', '+1 555 01005'],
  [PHONE, 'none', 'unknown'],
  [ACCOUNT, 'ana', 'anna'],
];

describe('normal form', () => {
  for (const [category, form, spellings] of SPELLINGS) {
    for (const spelling of spellings) {
      it(`is ${form} for ${category} ${JSON.stringify(spelling)}`, () => {
        expect(normalForm(category, spelling)).to.equal(form);
      });
    }
  }

  for (const [category, one, other] of APART) {
    it(`keeps apart, for ${category}, ${one} and ${other}`, () => {
      expect(normalForm(category, one)).to.not.equal(normalForm(category, other));
    });
  }

  it('is total, and its own normal form', () => {
    const local = fc.stringMatching(/^[^@\s]{1,10}$/u);
    const odd = fc.oneof(
      text,
      fc.tuple(local, text).map(([a, b]) => `${a}@${b}`),
      fc.emailAddress(),
    );
    for (const category of [EMAIL, PHONE, ACCOUNT, 'constructor' as Category]) {
      fc.assert(
        fc.property(odd, (value) => {
          const form = normalForm(category, value);
          expect(normalForm(category, form)).to.equal(form);
        }),
      );
    }
  });

  it('takes no longer than its text, however hostile', () => {
    const started = performance.now();
    for (const hostile of [
      `a@${'.'.repeat(60_000)}x`,
      `${'1'.repeat(60_000)}x`,
      ' '.repeat(60_000),
      `${'@'.repeat(60_000)}`,
    ]) {
      for (const category of [EMAIL, PHONE, ACCOUNT]) normalForm(category, hostile);
    }
    expect(performance.now() - started).to.be.below(1000);
  });
});
