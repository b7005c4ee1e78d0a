import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { formatKeys, generateKeys, type KeyFile, rotateKeys } from '../../src/vault/key-file.js';
import { environmentKeys, fileKeys } from '../../src/vault/key-provider.js';
import { caught, day, expectSilence, failure, freshKeys, putFile } from './fixtures.js';

const file = generateKeys(day('2026-11-22'), randomBytes);
const rotated = rotateKeys(file, day('2027-06-01'), randomBytes);

describe('key provider', () => {
  it('of the environment hands out the KEKs of the text', () => {
    const keys = environmentKeys('KEK', formatKeys(rotated), () => day('2027-07-01'));
    expect(keys.current()).to.include({ id: rotated.current, made: '2027-06-01', retires: '2028-06-01' });
    expect(keys.byId(file.current)!.key.export().toString('base64')).to.equal(file.keks[0]!.key);
    expect(keys.indexKey.export().toString('base64')).to.equal(file.indexKey);
    expect(keys.byId('none')).to.equal(null);
  });

  it('does not start on a retired current KEK, and says which command helps', async () => {
    const attempt = () => environmentKeys('KEK', formatKeys(file), () => day('2027-11-22'));
    expect(await failure(attempt)).to.equal('KEK_RETIRED');
    expect(await caught(attempt))
      .to.have.property('message')
      .that.contains('access-ledger keys rotate');
  });

  it('starts on a current KEK beside retired ones', () => {
    const keys = environmentKeys('KEK', formatKeys(rotated), () => day('2028-01-01'));
    expect(keys.byId(file.current)!.retires).to.equal('2027-11-22');
  });

  it('shows no key, however it is looked at', () => {
    const keys = environmentKeys('KEK', formatKeys(file), () => day('2027-01-01'));
    const shown =
      inspect([keys, keys.current()], { depth: 9, showHidden: true }) + JSON.stringify([keys, keys.current()]);
    expect(shown).to.not.contain(file.keks[0]!.key).and.not.contain(file.indexKey);
  });

  describe('of a file', () => {
    let folder: string;
    let path: string;
    let now: Date;
    const write = (keys: KeyFile) => putFile(path, formatKeys(keys));
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'key-provider-'));
      path = join(folder, 'keys.json');
      now = day('2027-07-01');
      write(file);
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('refuses a file that is missing, exposed or no key file, without quoting it', async () => {
      expect(await failure(() => fileKeys(join(folder, 'none'), () => now))).to.equal('FILE_MISSING');
      putFile(path, formatKeys(file).replace('"current"', '"actual"'));
      expect(await failure(() => fileKeys(path, () => now))).to.equal('KEYS_MALFORMED');
      expectSilence(await caught(() => fileKeys(path, () => now)), [file.keks[0]!.key, file.indexKey]);
      chmodSync(path, 0o644);
      expect(await failure(() => fileKeys(path, () => now))).to.equal('FILE_EXPOSED');
    });

    const later = (ms: number) => {
      now = new Date(now.getTime() + ms);
    };

    it('wraps by the new KEK within seconds of a rotation', () => {
      const keys = fileKeys(path, () => now);
      write(rotated);
      later(1_000);
      expect(keys.current().id).to.equal(file.current);
      later(1_000);
      expect(keys.current().id).to.equal(rotated.current);
      expect(keys.byId(file.current)!.id).to.equal(file.current);
    });

    it('opens no more by a KEK that was struck out, within seconds', () => {
      write(rotated);
      const keys = fileKeys(path, () => now);
      expect(keys.byId(file.current)!.id).to.equal(file.current);
      write({ ...rotated, keks: rotated.keks.slice(1) });
      later(2_000);
      expect(keys.byId(file.current)).to.equal(null);
      expect(keys.current().id).to.equal(rotated.current);
    });

    it('learns at once of a KEK that another server wrapped with', () => {
      const keys = fileKeys(path, () => now);
      write(rotated);
      expect(keys.byId(rotated.current)!.id).to.equal(rotated.current);
      expect(keys.current().id).to.equal(rotated.current);
    });

    it('looks again after its clock was set back', () => {
      const keys = fileKeys(path, () => now);
      write(rotated);
      later(-3_600_000);
      expect(keys.current().id).to.equal(rotated.current);
    });

    for (const [code, damage] of Object.entries({
      KEYS_MALFORMED: () => putFile(path, '{'),
      FILE_EXPOSED: () => chmodSync(path, 0o644),
      FILE_MISSING: () => rmSync(path),
    })) {
      it(`has no keys while its file is ${code}, and has them again`, async () => {
        const keys = fileKeys(path, () => now);
        damage();
        expect(keys.current().id).to.equal(file.current);
        later(2_000);
        for (const use of [() => keys.current(), () => keys.byId(file.current), () => keys.byId('none')]) {
          expect(await failure(use)).to.equal(code);
        }
        write(file);
        later(1_000);
        expect(await failure(() => keys.byId(file.current))).to.equal(code);
        later(1_000);
        expect(keys.current().id).to.equal(file.current);
      });
    }

    it('learns of a rotation when its current KEK retires', async () => {
      const keys = fileKeys(path, () => now);
      now = day('2027-11-22');
      expect(await failure(() => keys.current())).to.equal('KEK_RETIRED');
      write(rotated);
      expect(keys.current().id).to.equal(rotated.current);
    });

    it('does not follow the file to other keys, and has none until it is back', async () => {
      const keys = fileKeys(path, () => now);
      const stranger = freshKeys();
      write(stranger);
      expect(await failure(() => keys.byId(stranger.current))).to.equal('KEYS_MALFORMED');
      expect(await failure(() => keys.byId(file.current))).to.equal('KEYS_MALFORMED');
      write(file);
      later(2_000);
      expect(keys.byId(file.current)!.id).to.equal(file.current);
    });
  });
});
