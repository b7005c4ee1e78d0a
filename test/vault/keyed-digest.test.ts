import { createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Category } from '../../src/log/entry.js';
import { keyedDigests } from '../../src/vault/keyed-digest.js';
import { EMAIL, LOG, NAME } from './fixtures.js';

const bytes = randomBytes(32);
const indexKey = createSecretKey(bytes);
const { blindIndex, digest } = keyedDigests(indexKey, LOG);
const hex = (made: Uint8Array) => Buffer.from(made).toString('hex');

describe('keyed digest', () => {
  it('of a blind index is HMAC-SHA-256 of the normal form, under a key for the log and the category', () => {
    const info = JSON.stringify(['access-ledger blind-index 1', LOG, EMAIL]);
    const key = Buffer.from(hkdfSync('sha256', bytes, '', info, 32));
    const expected = createHmac('sha256', key).update('ana@example.com').digest('hex');
    expect(hex(blindIndex(EMAIL, ' Ana@Example.com '))).to.equal(expected);
  });

  it('is the same for the same, on every machine that has the key', () => {
    const elsewhere = keyedDigests(createSecretKey(bytes), LOG);
    expect(hex(elsewhere.blindIndex(EMAIL, 'ANA@example.com'))).to.equal(hex(blindIndex(EMAIL, 'ana@example.com')));
    expect(hex(elsewhere.digest('identity', 'i', 's'))).to.equal(hex(digest('identity', 'i', 's')));
  });

  it('is another for another value, category, kind, log or index key', () => {
    const otherLog = keyedDigests(indexKey, 'ledger.example.com/other');
    const otherKey = keyedDigests(createSecretKey(randomBytes(32)), LOG);
    const made = [
      blindIndex(EMAIL, 'ana@example.com'),
      blindIndex(EMAIL, 'bo@example.com'),
      blindIndex(NAME, 'ana@example.com'),
      blindIndex('user.contact.email.work' as Category, 'ana@example.com'),
      otherLog.blindIndex(EMAIL, 'ana@example.com'),
      otherKey.blindIndex(EMAIL, 'ana@example.com'),
      digest('identity', 'ana@example.com'),
      digest(EMAIL, 'ana@example.com'),
      otherLog.digest('identity', 'ana@example.com'),
      otherKey.digest('identity', 'ana@example.com'),
    ];
    expect(new Set(made.map(hex)).size).to.equal(made.length);
    expect(made.every((one) => one.length === 32)).to.equal(true);
  });

  it('of parts is equal for equal parts only, exactly as they are', () => {
    const parts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(hex(digest('identity', ...one)) === hex(digest('identity', ...other))).to.equal(same);
      }),
    );
    expect(hex(digest('identity', 'a', 'b'))).to.not.equal(hex(digest('identity', 'ab')));
    expect(hex(digest('identity', 'A'))).to.not.equal(hex(digest('identity', 'a')));
  });
});
