import { expect } from 'chai';
import { hexBytes } from '../../src/log/bytes.js';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { proveInclusion } from '../../src/log/inclusion.js';
import type { LogIndex } from '../../src/log/leaf.js';
import { NoteError, signNote } from '../../src/log/note.js';
import { checkProof, formatProof, ProofError, parseProof } from '../../src/log/proof.js';
import { type Hash, HashTable, rootAt } from '../../src/log/tree.js';
import { logOf } from './arbitraries.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from './keys.js';

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NoteError || error instanceof ProofError) return error.code;
    throw error;
  }
  return 'none';
}

const root = new Uint8Array(32).fill(7) as Hash;
const text = `${ORIGIN}\n43\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n`;

describe('checkpoint', () => {
  it('is written as C2SP tlog-checkpoint says, and read back', () => {
    expect(formatCheckpoint({ origin: ORIGIN, size: 43, root })).to.equal(text);
    expect(parseCheckpoint(text)).to.deep.equal({ origin: ORIGIN, size: 43, root });
    expect(parseCheckpoint(`${text}an extension\n`)).to.deep.equal({ origin: ORIGIN, size: 43, root });
  });

  for (const [fault, malformed] of Object.entries({
    'no origin': text.replace(ORIGIN, ''),
    'a size with a leading zero': text.replace('43', '043'),
    'a size past 2^53': text.replace('43', '9007199254740993'),
    'a size with a sign': text.replace('43', '+43'),
    'a root that is too short': text.replace('BwcH', ''),
    'an empty extension line': `${text}\n`,
    'no final line feed': text.trimEnd(),
  })) {
    it(`is refused with ${fault}`, () => expect(parseCheckpoint(malformed)).to.equal(null));
  }

  it('opens by the key of its origin, with the witnesses that are known', () => {
    const note = signNote(text, [...witnessKeys, logKey], 1_790_000_000);
    const opened = openCheckpoint(note, logKey, witnessKeys.slice(0, 2));
    expect(opened).to.deep.include({ origin: ORIGIN, size: 43, root });
    expect(opened.signed.map(({ key }) => key)).to.deep.equal([logKey, ...witnessKeys.slice(0, 2)]);
  });

  it('opens by nobody else', () => {
    expect(
      code(() => openCheckpoint(signCheckpoint({ origin: ORIGIN, size: 43, root }, impostorKey), logKey)),
    ).to.equal('NO_KNOWN_KEY');
    expect(code(() => openCheckpoint(signNote(text, witnessKeys), logKey, witnessKeys))).to.equal('NO_KNOWN_KEY');
    expect(code(() => openCheckpoint(signNote(text.replace('main', 'other'), [logKey]), logKey))).to.equal(
      'OTHER_ORIGIN',
    );
    expect(code(() => openCheckpoint(signNote('no checkpoint\n', [logKey]), logKey))).to.equal('MALFORMED');
  });

  it('is not signed for another origin', () => {
    expect(code(() => signCheckpoint({ origin: 'other', size: 43, root }, logKey))).to.equal('MALFORMED');
  });
});

describe('disclosure proof', () => {
  const entries = logOf(Array.from({ length: 13 }, (_, i) => ({ subject: i % 3 })));
  const table = new HashTable();
  for (const { link } of entries) table.append(hexBytes(link) as Hash);
  const leaf = entries[4]!.leaf;
  let file: string;

  before(async () => {
    const checkpoint = signCheckpoint({ origin: ORIGIN, size: 13, root: await rootAt(13, table) }, logKey);
    const hashes = await proveInclusion(4, 13, table);
    file = formatProof({ index: 4 as LogIndex, hashes, checkpoint });
  });

  it('shows that a leaf is in the log, from the file alone', () => {
    expect(file.split('\n').slice(0, 2)).to.deep.equal(['c2sp.org/tlog-proof@v1', 'index 4']);
    const proven = checkProof(leaf, parseProof(file), logKey);
    expect(proven.leaf.index).to.equal(4);
    expect(proven.checkpoint.size).to.equal(13);
  });

  it('carries what is put beside it', () => {
    const extra = Uint8Array.of(1, 2, 3);
    const other = formatProof({ ...parseProof(file), extra });
    expect(parseProof(other)).to.deep.equal({ ...parseProof(file), extra });
    expect(code(() => checkProof(leaf, parseProof(other), logKey))).to.equal('none');
  });

  it('fails at every changed byte of the file and of the leaf', () => {
    for (const at of Buffer.from(file).keys()) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1;
      expect(
        code(() => checkProof(leaf, parseProof(changed.toString()), logKey)),
        `byte ${at}`,
      ).to.not.equal('none');
    }
    for (const at of leaf.keys()) {
      const changed = Uint8Array.from(leaf);
      changed[at]! ^= 1;
      expect(
        code(() => checkProof(changed, parseProof(file), logKey)),
        `byte ${at}`,
      ).to.not.equal('none');
    }
  });

  it('says what is wrong', () => {
    expect(code(() => parseProof(file.replace('v1', 'v2')))).to.equal('MALFORMED');
    expect(code(() => parseProof(file.replace('index 4', 'index 04')))).to.equal('MALFORMED');
    expect(code(() => checkProof(entries[5]!.leaf, parseProof(file), logKey))).to.equal('INDEX_DIFFERS');
    expect(code(() => checkProof(Uint8Array.of(1), parseProof(file), logKey))).to.equal('LEAF_MALFORMED');
    expect(code(() => checkProof(leaf, { ...parseProof(file), hashes: [] }, logKey))).to.equal('NOT_INCLUDED');
    expect(code(() => checkProof(leaf, parseProof(file), impostorKey))).to.equal('NO_KNOWN_KEY');
  });
});
