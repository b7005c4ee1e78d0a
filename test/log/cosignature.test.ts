import { createPublicKey, verify } from 'node:crypto';
import { expect } from 'chai';
import { cosign, openCosignature } from '../../src/log/cosignature.js';
import { NoteError, openNote, signNote } from '../../src/log/note.js';
import { logKey, witnessKeys } from './keys.js';

const [witness, other] = witnessKeys;
const TEXT = 'ledger.example.com/main\n43\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const TIME = 1_790_000_000;

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NoteError) return error.code;
    throw error;
  }
  return 'none';
}

describe('cosignature', () => {
  const { line } = cosign(TEXT, witness!, TIME);

  it('is, byte for byte, what C2SP tlog-cosignature says, by node:crypto alone', () => {
    const [, name, base64] = /^— (\S+) (\S+)\n$/.exec(line)!;
    const bytes = Buffer.from(base64!, 'base64');
    expect(name).to.equal(witness!.name);
    expect(bytes.subarray(0, 4).toString('hex')).to.equal(witness!.id);
    expect(bytes.readBigUInt64BE(4)).to.equal(BigInt(TIME));
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(witness!.publicKey).toString('base64url') };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify(null, Buffer.from(`cosignature/v1\ntime ${TIME}\n${TEXT}`), key, bytes.subarray(12))).to.equal(true);
  });

  it('can be added to the note, which then opens by both keys', () => {
    const note = signNote(TEXT, [logKey]) + line;
    expect(openNote(note, [logKey, witness!]).signed.map(({ time }) => time)).to.deep.equal([null, TIME]);
  });

  it('is found among the lines of others, and given back alone', () => {
    const lines = cosign(TEXT, other!, TIME + 1).line + line;
    expect(openCosignature(TEXT, lines, witness!)).to.deep.equal({ line, time: TIME });
  });

  it('fails with any changed byte, and over any changed text', () => {
    for (const at of Buffer.from(line).keys()) {
      const changed = Buffer.from(line);
      changed[at]! ^= 1;
      expect(
        code(() => openCosignature(TEXT, changed.toString(), witness!)),
        `byte ${at}`,
      ).to.not.equal('none');
    }
    expect(code(() => openCosignature(TEXT.replace('43', '44'), line, witness!))).to.equal('SIGNATURE_INVALID');
  });

  for (const [fault, lines] of Object.entries({
    MALFORMED: 'nothing\n',
    NO_KNOWN_KEY: cosign(TEXT, other!, TIME).line,
    SIGNATURE_INVALID: signNote(TEXT, [witness!], 0).slice(TEXT.length + 1),
  })) {
    it(`is refused as ${fault}`, () => expect(code(() => openCosignature(TEXT, lines, witness!))).to.equal(fault));
  }

  it('is not found behind a text that the answer made longer', () => {
    const longer = `${TEXT}\nmore\n`;
    expect(code(() => openCosignature(TEXT, `more\n\n${cosign(longer, witness!, TIME).line}`, witness!))).to.equal(
      'MALFORMED',
    );
  });

  it('is made by no log’s key, and not without a time', () => {
    expect(() => cosign(TEXT, logKey, TIME)).to.throw(RangeError);
    for (const time of [0, -1, 1.5]) expect(() => cosign(TEXT, witness!, time)).to.throw(RangeError);
  });
});
