import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { formatKeys, generateKeys, isRetired, type KeyFile, parseKeys, rotateKeys } from '../../src/vault/key-file.js';
import { caught, countingRandom, day, expectSilence, failure, freshKeys } from './fixtures.js';

describe('key file', () => {
  const keys = generateKeys(day('2026-11-22'), countingRandom());
  const [kek] = keys.keks;

  it('is generated with a KEK of a year and an index key', () => {
    expect(kek).to.include({ made: '2026-11-22', retires: '2027-11-22' });
    expect(kek!.id).to.match(/^2026-11-22-[0-9a-f]{8}$/);
    expect(keys.current).to.equal(kek!.id);
    expect(Buffer.from(kek!.key, 'base64')).to.have.length(32);
    expect(kek!.key).to.not.equal(keys.indexKey);
  });

  it('parses what it formats', () => {
    expect(parseKeys(formatKeys(keys), 'KEK')).to.deep.equal(keys);
  });

  it('keeps the old KEKs and the index key when it rotates', () => {
    const rotated = rotateKeys(keys, day('2027-10-01'), randomBytes);
    expect(rotated.keks[0]).to.deep.equal(kek);
    expect(rotated.keks[1]).to.include({ id: rotated.current, made: '2027-10-01', retires: '2028-10-01' });
    expect(rotated.indexKey).to.equal(keys.indexKey);
    expect(parseKeys(formatKeys(rotated), 'KEK')).to.deep.equal(rotated);
    expect(keys.keks).to.have.length(1);
  });

  it('gives a KEK that is made on 29 February its year', () => {
    const leap = generateKeys(day('2028-02-29'), randomBytes);
    expect(leap.keks[0]!.retires).to.equal('2029-03-01');
    expect(parseKeys(formatKeys(leap), 'KEK')).to.deep.equal(leap);
  });

  it('retires a KEK as its day begins, in UTC', () => {
    expect(isRetired(kek!, new Date('2027-11-21T23:59:59.999Z'))).to.equal(false);
    expect(isRetired(kek!, new Date('2027-11-22T00:00:00.000Z'))).to.equal(true);
  });

  const other = freshKeys();
  const withKek = (change: Partial<KeyFile['keks'][number]>) => ({ ...keys, keks: [{ ...kek!, ...change }] });
  const short = randomBytes(31).toString('base64');
  for (const [fault, [place, bad]] of Object.entries<[place: string, bad: unknown]>({
    'no object': ['the whole', []],
    nothing: ['the whole', null],
    'no version': ['version', { ...keys, version: undefined }],
    'another version': ['version', { ...keys, version: 2 }],
    'a version that is text': ['version', { ...keys, version: '1' }],
    'a member too many': ['the whole', { ...keys, [keys.indexKey]: keys.indexKey }],
    'a KEK with a member too many': ['keks.0', withKek({ [kek!.key]: 1 } as object)],
    'no KEK': ['keks', { ...keys, keks: [] }],
    'KEKs that are no list': ['keks', { ...keys, keks: { 0: kek } }],
    'a KEK that is text': ['keks.0', { ...keys, keks: [kek!.key] }],
    'a short key': ['keks.0.key', withKek({ key: short })],
    'a long key': ['keks.0.key', withKek({ key: randomBytes(33).toString('base64') })],
    'a key in hexadecimal': ['keks.0.key', withKek({ key: randomBytes(32).toString('hex') })],
    'a key in base64url': [
      'keks.0.key',
      withKek({ key: Buffer.alloc(32, '\xfb\xff', 'latin1').toString('base64url') }),
    ],
    'a key without padding': ['keks.0.key', withKek({ key: kek!.key.slice(0, -1) })],
    'a key with a line feed': ['keks.0.key', withKek({ key: `${kek!.key}\n` })],
    'a key with stray low bits': ['keks.0.key', withKek({ key: `${'Ag'.repeat(21)}B=` })],
    'a key of zeros': ['keks.0.key', withKek({ key: Buffer.alloc(32).toString('base64') })],
    'a key that is a number': ['keks.0.key', withKek({ key: 7 as unknown as string })],
    'a key for an id': ['keks.0.id', withKek({ id: kek!.key })],
    'an empty id': ['keks.0.id', withKek({ id: '' })],
    'a day that is none': ['keks.0.made', withKek({ made: '2026-02-30' })],
    'a time for a day': ['keks.0.retires', withKek({ retires: '2027-11-22T00:00:00Z' })],
    'a KEK that never retires': ['keks.0.retires', withKek({ retires: undefined })],
    'a KEK that retires the day it is made': ['keks.0', withKek({ retires: kek!.made })],
    'a current KEK that is not there': ['the whole', { ...keys, current: 'other' }],
    'a key for the current KEK': ['current', { ...keys, current: kek!.key }],
    'no index key': ['indexKey', { ...keys, indexKey: undefined }],
    'the KEK for an index key': ['the whole', { ...keys, indexKey: kek!.key }],
    'two KEKs of one id': ['the whole', { ...keys, keks: [kek, { ...other.keks[0], id: kek!.id }] }],
    'two KEKs of one key': ['the whole', { ...keys, keks: [kek, { ...kek, id: 'other' }] }],
  })) {
    it(`refuses ${fault}, naming the place and no key`, async () => {
      const attempt = () => parseKeys(JSON.stringify(bad), '/etc/keys.json');
      expect(await failure(attempt)).to.equal('KEYS_MALFORMED');
      const error = await caught(attempt);
      expect(error).to.have.property('message').that.contains(`${place} `).and.contains('/etc/keys.json');
      expectSilence(error, secretsIn(bad));
    });
  }

  it('refuses what is not JSON, without quoting it', async () => {
    for (const bad of [
      '',
      kek!.key,
      `{"keks":[{"key":"${kek!.key}"`,
      formatKeys(keys).replace(',', ',,'),
      `${formatKeys(keys)}x`,
    ]) {
      expect(await failure(() => parseKeys(bad, 'KEK'))).to.equal('KEYS_MALFORMED');
      expectSilence(await caught(() => parseKeys(bad, 'KEK')), [kek!.key.slice(0, 8), keys.indexKey.slice(0, 8)]);
    }
  });

  it('names every fault at once', async () => {
    const error = await caught(() => parseKeys(JSON.stringify({ ...keys, version: 3, indexKey: 'x' }), 'KEK'));
    expect(error)
      .to.have.property('message')
      .that.matches(/version .*; indexKey /);
  });
});

/** Every text in it that is long enough to be a key, keys of objects too. */
function secretsIn(value: unknown): string[] {
  return JSON.stringify(value).match(/[A-Za-z0-9+/_=-]{40,}/g) ?? [];
}
