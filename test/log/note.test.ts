import { expect } from 'chai';
import { toHex } from '../../src/log/bytes.js';
import { formatNote, NoteError, openNote, parseNote, signNote } from '../../src/log/note.js';
import {
  formatSigningKey,
  formatVerifierKey,
  parseSigningKey,
  parseVerifierKey,
  signingKey,
} from '../../src/log/note-key.js';
import { impostorKey, logKey, witnessKeys } from './keys.js';

/** The example of the C2SP signed-note specification. */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE_SIGNATURE =
  'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=';
const EXAMPLE = `This is an example message.\n\n— example.com/foo ${EXAMPLE_SIGNATURE}\n`;

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NoteError) return error.code;
    throw error;
  }
  return 'none';
}

const [witness] = witnessKeys;

describe('note key', () => {
  it('parses and formats the example of C2SP signed-note', () => {
    const key = parseVerifierKey(EXAMPLE_KEY)!;
    expect(key).to.include({ name: 'example.com/foo', id: '530d903a', type: 'ed25519' });
    expect(formatVerifierKey(key)).to.equal(EXAMPLE_KEY);
  });

  it('has the public key of RFC 8032, 7.1, test 1, for its seed', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    expect(toHex(signingKey('a', seed).publicKey)).to.equal(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
  });

  it('parses what it formats, public or secret, of either type', () => {
    for (const key of [logKey, ...witnessKeys]) {
      const { seed, ...verifier } = key;
      expect(parseVerifierKey(formatVerifierKey(key))).to.deep.equal(verifier);
      expect(parseSigningKey(formatSigningKey(key))).to.deep.equal({ ...verifier, seed });
    }
  });

  it('is refused with any changed character', () => {
    for (let at = 0; at < EXAMPLE_KEY.length; at++) {
      const changed = EXAMPLE_KEY.slice(0, at) + (EXAMPLE_KEY[at] === 'A' ? 'B' : 'A') + EXAMPLE_KEY.slice(at + 1);
      expect(parseVerifierKey(changed), changed).to.equal(null);
    }
  });

  for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\nb', 'a\ud800']) {
    it(`is refused the name ${JSON.stringify(name)}`, () => {
      expect(() => signingKey(name, logKey.seed)).to.throw(RangeError);
    });
  }

  it('gives one public key different ids for different types', () => {
    expect(signingKey('a', logKey.seed).id).to.not.equal(signingKey('a', logKey.seed, 'cosignature').id);
  });
});

describe('note', () => {
  const text = 'first line\n\nafter an empty one: ü\n';
  const note = signNote(text, [logKey, witness!], 1_790_000_000);

  it('opens the example of C2SP signed-note, and writes it back', () => {
    expect(openNote(EXAMPLE, [parseVerifierKey(EXAMPLE_KEY)!]).text).to.equal('This is an example message.\n');
    expect(formatNote(parseNote(EXAMPLE))).to.equal(EXAMPLE);
  });

  it('opens what it signs, by each known key, with the time of a cosignature', () => {
    const opened = openNote(note, [logKey, witness!]);
    expect(opened.text).to.equal(text);
    expect(opened.signed.map(({ key, time }) => [key.name, time])).to.deep.equal([
      [logKey.name, null],
      [witness!.name, 1_790_000_000],
    ]);
  });

  it('fails at every changed byte of the text, and of a known signature', () => {
    const bytes = Buffer.from(signNote(text, [logKey]));
    for (const at of bytes.keys()) {
      for (const bit of [1, 0x20]) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= bit;
        expect(
          code(() => openNote(new TextDecoder().decode(changed), [logKey])),
          `byte ${at}`,
        ).to.not.equal('none');
      }
    }
  });

  it('ignores unknown keys, even of the same name', () => {
    const both = signNote(text, [impostorKey, logKey]);
    expect(openNote(both, [logKey]).signed.map(({ key }) => key)).to.deep.equal([logKey]);
    expect(code(() => openNote(signNote(text, [impostorKey]), [logKey]))).to.equal('NO_KNOWN_KEY');
    expect(code(() => openNote(note, []))).to.equal('NO_KNOWN_KEY');
  });

  it('is rejected where a known key fails, whoever else signed', () => {
    const { signatures } = parseNote(note);
    const spoilt = signatures.map((s, i) => (i === 0 ? s : { ...s, bytes: s.bytes.with(70, s.bytes[70]! ^ 1) }));
    expect(code(() => openNote(formatNote({ text, signatures: spoilt }), [logKey]))).to.equal('none');
    expect(code(() => openNote(formatNote({ text, signatures: spoilt }), [logKey, witness!]))).to.equal(
      'SIGNATURE_INVALID',
    );
  });

  it('is rejected where the time of a cosignature was changed, or is too short to be one', () => {
    const { signatures } = parseNote(note);
    const later = signatures.map((s, i) => (i === 0 ? s : { ...s, bytes: s.bytes.with(7, s.bytes[7]! ^ 1) }));
    const short = signatures.map((s, i) => (i === 0 ? s : { ...s, bytes: s.bytes.slice(0, 64) }));
    for (const changed of [later, short]) {
      expect(code(() => openNote(formatNote({ text, signatures: changed }), [witness!]))).to.equal('SIGNATURE_INVALID');
    }
  });

  it('names a key once, however often it signed', () => {
    const { signatures } = parseNote(note);
    const twice = formatNote({ text, signatures: [...signatures, ...signatures] });
    expect(openNote(twice, [logKey, witness!]).signed).to.have.length(2);
  });

  const line = parseNote(EXAMPLE) && EXAMPLE.slice(EXAMPLE.indexOf('—'));
  for (const [fault, malformed] of Object.entries({
    'no signature': 'text\n\n',
    'no empty line': `text\n${line}`,
    'no final line feed': `text\n\n${line.trimEnd()}`,
    'a hyphen for the dash': `text\n\n${line.replace('—', '-')}`,
    'a carriage return': `text\r\n\n${line}`,
    'a tab': `te\txt\n\n${line}`,
    'a lone surrogate': `te\ud800xt\n\n${line}`,
    'a signature without padding': `text\n\n${line.replace('=', '')}`,
    'loose last bits in base64': `text\n\n${line.replace('aQM=', 'aQN=')}`,
    'a signature that is only a key id': 'text\n\n— a AAAAAA==\n',
    'a line between signatures': `text\n\n${line}more\n`,
    'too many signatures': `text\n\n${line.repeat(101)}`,
  })) {
    it(`is malformed with ${fault}`, () => expect(code(() => parseNote(malformed))).to.equal('MALFORMED'));
  }

  it('is not signed where its text could not be read back', () => {
    for (const bad of ['no line feed', 'a\rb\n'])
      expect(
        code(() => signNote(bad, [logKey])),
        bad,
      ).to.equal('MALFORMED');
  });
});
