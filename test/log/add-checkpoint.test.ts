import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatAddCheckpoint,
  formatSizeAnswer,
  MAX_PROOF_HASHES,
  parseAddCheckpoint,
  parseSizeAnswer,
} from '../../src/log/add-checkpoint.js';
import { toBase64 } from '../../src/log/bytes.js';
import type { Hash } from '../../src/log/tree.js';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes as Hash);
const LINE = toBase64(new Uint8Array(32).fill(7));

describe('add-checkpoint request', () => {
  it('parses as it was formatted', () => {
    const request = fc.record({
      oldSize: fc.maxSafeNat(),
      proof: fc.array(hash, { maxLength: MAX_PROOF_HASHES }),
      checkpoint: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(request, (one) => {
        expect(parseAddCheckpoint(formatAddCheckpoint(one))).to.deep.equal(one);
      }),
    );
  });

  it('formats as it was parsed, or is null', () => {
    const line = fc.constantFrom('old 3', 'old 03', 'old', LINE, LINE.slice(0, -1), '', 'a');
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const body = lines.map((one) => `${one}\n`).join('');
        const parsed = parseAddCheckpoint(body);
        if (parsed) expect(formatAddCheckpoint(parsed)).to.equal(body);
      }),
    );
  });

  for (const [what, body] of Object.entries({
    nothing: '',
    'no empty line': `old 1\n${LINE}\nnote`,
    'no checkpoint': `old 1\n${LINE}\n\n`,
    'no old size': `${LINE}\n\nnote`,
    'a leading zero': 'old 01\n\nnote',
    'a negative size': 'old -1\n\nnote',
    'a size that no number holds': 'old 9007199254740992\n\nnote',
    'two spaces': 'old  1\n\nnote',
    'a carriage return': 'old 1\r\n\nnote',
    'a hash of 31 bytes': `old 1\n${toBase64(new Uint8Array(31))}\n\nnote`,
    'a hash without padding': `old 1\n${LINE.slice(0, -1)}\n\nnote`,
    'loose last bits': `old 1\n${LINE.replace('Bwc=', 'Bwd=')}\n\nnote`,
    '64 hashes': `old 1\n${`${LINE}\n`.repeat(64)}\nnote`,
    'a thousand': `old 1\n${`${LINE}\n`.repeat(1_000)}\nnote`,
  })) {
    it(`is null with ${what}`, () => expect(parseAddCheckpoint(body)).to.equal(null));
  }

  it('is not formatted with 64 hashes', () => {
    const proof = Array.from({ length: 64 }, () => new Uint8Array(32) as Hash);
    expect(() => formatAddCheckpoint({ oldSize: 1, proof, checkpoint: 'note' })).to.throw(RangeError);
  });

  it('is answered with a size and a line feed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(parseSizeAnswer(formatSizeAnswer(size))).to.equal(size);
      }),
    );
    for (const body of ['', '1', '01\n', '1\n\n', ' 1\n', '1.0\n', '-1\n', '9007199254740992\n'])
      expect(parseSizeAnswer(body), body).to.equal(null);
  });
});
