import { createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { ENVELOPE_BYTES, openEnvelope, sealEnvelope } from '../../src/vault/envelope.js';
import { caught, expectSilence, failure } from './fixtures.js';

const key = randomBytes(32);
const place = Buffer.from('here');
const bytes = fc.uint8Array({ maxLength: 200 });

describe('envelope', () => {
  it('opens to what was sealed, under the same key and place', () => {
    fc.assert(
      fc.property(bytes, bytes, (at, clear) => {
        const sealed = sealEnvelope(key, at, clear);
        expect(sealed.length).to.equal(clear.length + ENVELOPE_BYTES);
        expect([...openEnvelope(createSecretKey(key), at, sealed)]).to.deep.equal([...clear]);
      }),
    );
  });

  it('is laid out as its comment says, for others to open', () => {
    const sealed = sealEnvelope(key, place, Buffer.from('ana'));
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13), { authTagLength: 16 });
    decipher.setAAD(place);
    decipher.setAuthTag(sealed.subarray(-16));
    expect(sealed[0]).to.equal(1);
    expect(decipher.update(sealed.subarray(13, -16), undefined, 'utf8') + decipher.final('utf8')).to.equal('ana');
  });

  it('breaks at every changed bit of every byte', async () => {
    const sealed = sealEnvelope(key, place, Buffer.from('ana@example.com'));
    for (const at of sealed.keys()) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Uint8Array.from(sealed);
        changed[at]! ^= 1 << bit;
        expect(await failure(() => openEnvelope(key, place, changed)), `byte ${at} bit ${bit}`).to.equal('SEAL_BROKEN');
      }
    }
  });

  it('breaks at every length but its own', async () => {
    const sealed = sealEnvelope(key, place, Buffer.from('ana'));
    for (let length = 0; length < sealed.length; length++) {
      expect(await failure(() => openEnvelope(key, place, sealed.subarray(0, length)))).to.equal('SEAL_BROKEN');
    }
    expect(await failure(() => openEnvelope(key, place, Buffer.concat([sealed, Buffer.of(0)])))).to.equal(
      'SEAL_BROKEN',
    );
  });

  it('breaks under another key or at another place, and says nothing of either', async () => {
    const sealed = sealEnvelope(key, place, Buffer.from('ana@example.com'));
    const other = randomBytes(32);
    for (const attempt of [
      () => openEnvelope(other, place, sealed),
      () => openEnvelope(key, Buffer.from('there'), sealed),
      () => openEnvelope(key, new Uint8Array(), sealed),
    ]) {
      expect(await failure(attempt)).to.equal('SEAL_BROKEN');
      expectSilence(await caught(attempt), [key, other, 'ana@example.com', sealed.subarray(13, -16)]);
    }
  });

  it('never has the same nonce twice, whatever is sealed', () => {
    const nonces = new Set<string>();
    const many = 20_000;
    for (let n = 0; n < many; n++)
      nonces.add(Buffer.from(sealEnvelope(key, place, key).subarray(1, 13)).toString('hex'));
    expect(nonces.size).to.equal(many);
  });
});
