import { hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { challengeDigest } from '../../../src/domain/history/challenge.js';
import { Fault } from '../../../src/graphql/fault.js';

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((one) => Buffer.from(one));

describe('a challenge', () => {
  it('is 32 bytes in hex or base64url, and its digest is theirs', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const digest = hash('sha256', given, 'hex');
        expect(challengeDigest(given.toString('hex'))).to.equal(digest);
        expect(challengeDigest(given.toString('base64url'))).to.equal(digest);
      }),
    );
  });

  const some = Buffer.alloc(32, 0xab);
  for (const [fault, text] of Object.entries({
    'no bytes': '',
    '31 bytes in hex': some.subarray(1).toString('hex'),
    '33 bytes in hex': `${some.toString('hex')}ab`,
    'upper-case hex': some.toString('hex').toUpperCase(),
    '31 bytes in base64url': some.subarray(1).toString('base64url'),
    'padded base64': some.toString('base64'),
    'base64 with another alphabet': Buffer.alloc(32, 0xff).toString('base64').slice(0, 43),
    'loose last bits': `${some.toString('base64url').slice(0, 42)}t`,
    'a line feed after it': `${some.toString('hex')}\n`,
    words: 'who saw my data?',
  })) {
    it(`is not ${fault}`, () => {
      expect(() => challengeDigest(text))
        .to.throw(Fault)
        .with.property('code', 'BAD_INPUT');
    });
  }
});
