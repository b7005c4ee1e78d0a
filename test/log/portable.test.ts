import { expect } from 'chai';
import fc from 'fast-check';
import * as hash from '../../src/log/hash.node.js';
import * as portableHash from '../../src/log/hash.portable.js';
import * as signature from '../../src/log/signature.node.js';
import * as portableSignature from '../../src/log/signature.portable.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('hash and signature, Node’s and portable', () => {
  it('have the same functions', () => {
    expect(Object.keys(portableHash).sort()).to.deep.equal(Object.keys(hash).sort());
    expect(Object.keys(portableSignature).sort()).to.deep.equal(Object.keys(signature).sort());
  });

  it('hash alike', () => {
    fc.assert(
      fc.property(bytes, (message) => {
        expect(portableHash.sha256(message)).to.deep.equal(hash.sha256(message));
        expect(portableHash.sha256Hex(message)).to.equal(hash.sha256Hex(message));
      }),
    );
  });

  it('sign alike, and accept what the other signed', () => {
    fc.assert(
      fc.property(seed, bytes, (secret, message) => {
        const key = portableSignature.publicKey(secret);
        const signed = portableSignature.sign(secret, message);
        expect(key).to.deep.equal(signature.publicKey(secret));
        expect(signed).to.deep.equal(signature.sign(secret, message));
        expect(portableSignature.verify(key, message, signed)).to.equal(true);
      }),
      { numRuns: 20 },
    );
  });

  it('refuse every changed byte of a key, a message and a signature alike, and never throw', () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
    const message = Uint8Array.of(1, 2, 3);
    const good = [signature.publicKey(secret), message, signature.sign(secret, message)] as const;
    for (const [part, of] of good.entries()) {
      for (const at of of.keys()) {
        for (const bit of [1, 0x80]) {
          const changed = Uint8Array.from(of);
          changed[at]! ^= bit;
          const [key, text, signed] = good.map((one, i) => (i === part ? changed : one)) as [
            Uint8Array,
            Uint8Array,
            Uint8Array,
          ];
          const says = [signature.verify(key, text, signed), portableSignature.verify(key, text, signed)];
          expect(says, `part ${part} byte ${at}`).to.deep.equal([false, false]);
        }
      }
    }
  });
});
