import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { issueReceipt, type Receipt, ReceiptRefused } from '../../src/ledger/receipt.js';
import type { Category, Pseudonym, RecordVersion } from '../../src/log/entry.js';
import { sealEnvelope } from '../../src/vault/envelope.js';
import { rotateKeys } from '../../src/vault/key-file.js';
import { environmentKeys } from '../../src/vault/key-provider.js';
import { withSubjectKey } from '../../src/vault/subject-key.js';
import { makeVault, type Sealed, type Vault, type WrappedKey } from '../../src/vault/vault.js';
import {
  ANA,
  BO,
  caught,
  day,
  EMAIL,
  expectSilence,
  failure,
  freshKeys,
  LOG,
  NAME,
  providerOf,
  record,
  text,
} from './fixtures.js';

const file = freshKeys();
const keys = providerOf(file);
const vault = makeVault(LOG, keys);
const value = 'ana@example.com';

const receiptFor = (subject: Pseudonym, ...records: RecordVersion[]) =>
  issueReceipt({ outcome: 'permitted', subject, records });

/** Opens with a receipt for exactly what is asked, so that only the seals can refuse. */
function openAll(from: Vault, key: WrappedKey, ...sealed: Sealed[]): Promise<string[]> {
  return from.open(receiptFor(key.person, ...sealed.map((one) => one.record)), key, sealed);
}

async function sealOne(at = record('r1')): Promise<{ key: WrappedKey; sealed: Sealed }> {
  const key = await vault.newKey(ANA);
  const [sealed] = await vault.seal(key, [{ record: at, value }]);
  return { key, sealed: sealed! };
}

const OTHER_LOG = 'ledger.example.com/other';

/** What only a holder of the KEK can do: wrap the bare key of one person, or a part of it, for another place. */
function rewrapAs(log: string, person: Pseudonym, key: WrappedKey, part: (bare: Uint8Array) => Uint8Array): WrappedKey {
  const place = Buffer.from(JSON.stringify(['access-ledger subject-key 1', log, person, key.kek]));
  const bytes = withSubjectKey(keys, LOG, key, (bare) => sealEnvelope(keys.current().key, place, part(bare)));
  return { person, kek: key.kek, bytes };
}

describe('vault', () => {
  it('opens what it sealed, in the order asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (values) => {
        const key = await vault.newKey(ANA);
        const clear = values.map((one, at) => ({ record: record(`r${at}`, EMAIL, at + 1), value: one }));
        const sealed = await vault.seal(key, clear);
        expect(await openAll(vault, key, ...sealed.toReversed())).to.deep.equal(values.toReversed());
      }),
    );
  });

  it('seals nothing that would not come back as it was', async () => {
    const key = await vault.newKey(ANA);
    const clear = [{ record: record('r1'), value: 'secret \ud800 text' }];
    expect(await failure(() => vault.seal(key, clear))).to.equal('VALUE_NOT_TEXT');
    expectSilence(await caught(() => vault.seal(key, clear)), ['secret']);
  });

  it('gives every person a key of their own', async () => {
    const bare = async () =>
      withSubjectKey(keys, LOG, await vault.newKey(ANA), (key) => Buffer.from(key).toString('hex'));
    const many = await Promise.all(Array.from({ length: 200 }, bare));
    expect(new Set(many).size).to.equal(200);
    expect(many[0]).to.have.length(64);
  });

  it('has the same nonce twice neither in keys nor in values', async () => {
    const nonces = new Set<string>();
    for (let n = 0; n < 1000; n++) {
      const { key, sealed } = await sealOne();
      for (const { bytes } of [key, sealed]) nonces.add(Buffer.from(bytes.subarray(1, 13)).toString('hex'));
    }
    expect(nonces.size).to.equal(2000);
  });

  describe('without the right receipt', () => {
    const attempts: Record<string, (one: RecordVersion) => [receipt: unknown, code: string]> = {
      'with none': () => [undefined, 'NOT_A_RECEIPT'],
      'with a cast': (one) => [{ subject: ANA, records: [one] }, 'NOT_A_RECEIPT'],
      'with a clone': (one) => [structuredClone(receiptFor(ANA, one)), 'NOT_A_RECEIPT'],
      'with one for somebody else': (one) => [receiptFor(BO, one), 'NAMES_OTHER_SUBJECT'],
      'with one for another record': (one) => [receiptFor(ANA, record('r2', one.category)), 'NAMES_OTHER_RECORDS'],
      'with one for another version': (one) => [receiptFor(ANA, { ...one, version: 2 }), 'NAMES_OTHER_RECORDS'],
    };
    for (const [attempt, forge] of Object.entries(attempts)) {
      it(`opens nothing ${attempt}`, async () => {
        const { key, sealed } = await sealOne();
        const [receipt, code] = forge(sealed.record);
        const error = await caught(() => vault.open(receipt as Receipt, key, [sealed]));
        expect(error).to.be.instanceOf(ReceiptRefused).with.property('code', code);
        expectSilence(error, [value]);
      });
    }

    it('opens nothing a second time', async () => {
      const { key, sealed } = await sealOne();
      const receipt = receiptFor(ANA, sealed.record);
      expect(await vault.open(receipt, key, [sealed])).to.deep.equal([value]);
      expect(await caught(() => vault.open(receipt, key, [sealed]))).to.have.property('code', 'SPENT');
    });

    it('opens nothing of several where one is not named', async () => {
      const key = await vault.newKey(ANA);
      const sealed = await vault.seal(
        key,
        ['r1', 'r2'].map((id) => ({ record: record(id), value })),
      );
      const error = await caught(() => vault.open(receiptFor(ANA, record('r1')), key, sealed));
      expect(error).to.have.property('code', 'NAMES_OTHER_RECORDS');
    });

    it('uses the receipt up before it looks at the seals', async () => {
      const { key, sealed } = await sealOne();
      const receipt = receiptFor(ANA, sealed.record);
      const broken = { ...sealed, bytes: sealed.bytes.map((byte) => byte ^ 1) };
      expect(await failure(() => vault.open(receipt, key, [broken]))).to.equal('SEAL_BROKEN');
      expect(await caught(() => vault.open(receipt, key, [sealed]))).to.have.property('code', 'SPENT');
    });

    it('opens what it checked, though the record asked for changes in between', async () => {
      const key = await vault.newKey(ANA);
      const [named, other] = [record('r1'), record('r2')];
      const [sealed] = await vault.seal(key, [{ record: other, value }]);
      let looks = 0;
      const shifty = {
        bytes: sealed!.bytes,
        record: {
          category: EMAIL,
          version: 1,
          get id() {
            return looks++ ? other.id : named.id;
          },
        },
      };
      expect(await failure(() => vault.open(receiptFor(ANA, named), key, [shifty]))).to.equal('SEAL_BROKEN');
    });
  });

  describe('a seal', () => {
    it('breaks at every changed byte of a value or of a key', async () => {
      const { key, sealed } = await sealOne();
      const change = (bytes: Uint8Array, at: number) => bytes.map((byte, here) => (here === at ? byte ^ 1 : byte));
      for (const at of sealed.bytes.keys()) {
        const broken = { ...sealed, bytes: change(sealed.bytes, at) };
        expect(await failure(() => openAll(vault, key, broken)), `value, byte ${at}`).to.equal('SEAL_BROKEN');
      }
      for (const at of key.bytes.keys()) {
        const broken = { ...key, bytes: change(key.bytes, at) };
        expect(await failure(() => openAll(vault, broken, sealed)), `key, byte ${at}`).to.equal('SEAL_BROKEN');
        expect(await failure(() => vault.seal(broken, [])), `key, byte ${at}`).to.equal('SEAL_BROKEN');
        expect(await failure(() => vault.rewrap(broken)), `key, byte ${at}`).to.equal('SEAL_BROKEN');
      }
    });

    for (const [place, moved] of Object.entries({
      record: record('r2'),
      category: record('r1', NAME),
      version: record('r1', EMAIL, 2),
    })) {
      it(`breaks in a row of another ${place}`, async () => {
        const { key, sealed } = await sealOne(record('r1'));
        expect(await failure(() => openAll(vault, key, { ...sealed, record: moved }))).to.equal('SEAL_BROKEN');
      });
    }

    it('breaks in a row of another person, with their key or with a key moved to them', async () => {
      const { key, sealed } = await sealOne();
      expect(await failure(async () => openAll(vault, await vault.newKey(BO), sealed))).to.equal('SEAL_BROKEN');
      expect(await failure(() => openAll(vault, { ...key, person: BO }, sealed))).to.equal('SEAL_BROKEN');
    });

    it('of a value breaks for another person or log even under the same bare key', async () => {
      const { key, sealed } = await sealOne();
      const bos = rewrapAs(LOG, BO, key, (bare) => bare);
      expect(await vault.seal(bos, [])).to.deep.equal([]);
      expect(await failure(() => openAll(vault, bos, sealed))).to.equal('SEAL_BROKEN');
      const elsewhere = makeVault(OTHER_LOG, keys);
      const same = rewrapAs(OTHER_LOG, ANA, key, (bare) => bare);
      expect(await elsewhere.seal(same, [])).to.deep.equal([]);
      expect(await failure(() => openAll(elsewhere, same, sealed))).to.equal('SEAL_BROKEN');
    });

    it('of a key breaks where what was wrapped is no key', async () => {
      const { key, sealed } = await sealOne();
      const short = rewrapAs(LOG, ANA, key, (bare) => bare.subarray(16));
      expect(await failure(() => openAll(vault, short, sealed))).to.equal('SEAL_BROKEN');
    });

    it('breaks in another log', async () => {
      const { key, sealed } = await sealOne();
      expect(await failure(() => openAll(makeVault(OTHER_LOG, keys), key, sealed))).to.equal('SEAL_BROKEN');
    });

    it('breaks in every other place, though the names run into each other', async () => {
      const near = fc.stringMatching(/^[ab1:,"]{0,4}$/);
      const place = fc.tuple(near, near, fc.nat({ max: 11 }));
      const key = await vault.newKey(ANA);
      await fc.assert(
        fc.asyncProperty(place, place, async (one, other) => {
          const [here, there] = [one, other].map(([id, category, version]) =>
            record(id, category as Category, version),
          );
          const [sealed] = await vault.seal(key, [{ record: here!, value }]);
          const open = () => openAll(vault, key, { ...sealed!, record: there! });
          if (JSON.stringify(one) === JSON.stringify(other)) expect(await open()).to.deep.equal([value]);
          else expect(await failure(open)).to.equal('SEAL_BROKEN');
        }),
        {
          numRuns: 500,
          examples: [
            [
              ['ab', 'c', 1],
              ['a', 'bc', 1],
            ],
            [
              ['a', 'b1', 1],
              ['a', 'b', 11],
            ],
            [
              ['a1', 'c', 22222222222],
              ['a', 'c2222222222', 2],
            ],
          ],
        },
      );
    });

    it('says nothing when it breaks', async () => {
      const { key, sealed } = await sealOne();
      const bare = withSubjectKey(keys, LOG, key, (one) => Buffer.from(one));
      const secrets = [value, bare, Buffer.from(file.keks[0]!.key, 'base64'), ANA, 'r1'];
      for (const attempt of [
        () => openAll(vault, key, { ...sealed, record: record('r1', NAME) }),
        () => openAll(vault, { ...key, person: BO }, sealed),
        () => openAll(vault, { ...key, kek: 'other' }, sealed),
      ]) {
        expectSilence(await caught(attempt), secrets);
      }
      expect(inspect({ vault, keys }, { depth: 9, showHidden: true })).to.not.contain(file.keks[0]!.key);
    });
  });

  describe('a KEK', () => {
    const rotated = rotateKeys(file, day('2027-06-01'), randomBytes);
    const [old, next] = rotated.keks;
    const after = makeVault(LOG, providerOf(rotated, day('2027-12-01')));

    it('opens what it wrapped after its retirement, and the next one wraps', async () => {
      const { key, sealed } = await sealOne();
      expect(key.kek).to.equal(old!.id);
      expect(await openAll(after, key, sealed)).to.deep.equal([value]);
      expect((await after.newKey(BO)).kek).to.equal(next!.id);
    });

    it('hands a key over to the next: the same key, opening the same values', async () => {
      const { key, sealed } = await sealOne();
      const again = await after.rewrap(key);
      expect(again.kek).to.equal(next!.id);
      const without = makeVault(LOG, providerOf({ ...rotated, keks: [next!] }));
      expect(await openAll(without, again, sealed)).to.deep.equal([value]);
      expect(await failure(() => openAll(without, key, sealed))).to.equal('KEK_UNKNOWN');
    });

    it('cannot be renamed: a key is bound to the KEK that wrapped it', async () => {
      const { key, sealed } = await sealOne();
      const renamed = { ...file, keks: [{ ...old!, id: 'renamed' }], current: 'renamed' };
      const other = makeVault(LOG, providerOf(renamed));
      expect(await failure(() => openAll(other, { ...key, kek: 'renamed' }, sealed))).to.equal('SEAL_BROKEN');
    });

    it('wraps no new key and re-wraps none once it has retired while the server runs', async () => {
      let now = day('2027-11-21');
      const served = makeVault(
        LOG,
        environmentKeys('KEK', JSON.stringify(file), () => now),
      );
      const key = await served.newKey(ANA);
      now = day('2027-11-22');
      expect(await failure(() => served.newKey(BO))).to.equal('KEK_RETIRED');
      expect(await failure(() => served.rewrap(key))).to.equal('KEK_RETIRED');
      expect(await served.seal(key, [{ record: record('r1'), value }])).to.have.length(1);
    });
  });

  describe('an unwrapped key', () => {
    it('is overwritten when it was used, and when its use failed', async () => {
      const wrapped = await vault.newKey(ANA);
      const lent: Uint8Array[] = [];
      withSubjectKey(keys, LOG, wrapped, (key) => lent.push(key));
      expect(() =>
        withSubjectKey(keys, LOG, wrapped, (key) => {
          lent.push(key);
          throw new RangeError('fails');
        }),
      ).to.throw(RangeError);
      expect(lent.map((key) => [...key])).to.deep.equal([Array(32).fill(0), Array(32).fill(0)]);
    });
  });

  describe('shred', () => {
    it('leaves a key that opens nothing, and says what could still unwrap its copies, and until when', async () => {
      const { key, sealed } = await sealOne();
      expect(await vault.shred(key)).to.deep.equal({ kek: file.current, retires: file.keks[0]!.retires });
      expect([...key.bytes]).to.deep.equal(Array(61).fill(0));
      expect(await failure(() => openAll(vault, key, sealed))).to.equal('SEAL_BROKEN');
    });

    it('does not fail for want of a KEK that is destroyed already', async () => {
      const { key } = await sealOne();
      const later = makeVault(LOG, providerOf(freshKeys()));
      expect(await later.shred(key)).to.deep.equal({ kek: key.kek, retires: null });
    });
  });
});
