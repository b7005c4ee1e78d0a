import { expect } from 'chai';
import { parseWitnessList, WitnessListError } from '../../src/ledger/witness-list.js';
import { formatVerifierKey } from '../../src/log/note-key.js';
import { impostorKey, logKey, witnessKeys } from '../log/keys.js';

const [w1, w2, w3] = witnessKeys.map(formatVerifierKey);
const LIST = `
# who cosigns, and how many must
log ${formatVerifierKey(logKey)}
witness regulator ${w1} https://witness.example.gov/
witness audit     ${w2} http://10.0.0.7:4001
witness processor ${w3} https://p.example/witness
group others any audit processor
group enough all regulator others
quorum enough
`;

function codeOf(text: string): string {
  try {
    parseWitnessList(text, logKey);
  } catch (error) {
    if (error instanceof WitnessListError) return error.code;
    throw error;
  }
  return 'none';
}

describe('witness list', () => {
  it('says whom to ask, and when enough have cosigned', () => {
    const { witnesses, fewest, isQuorum } = parseWitnessList(LIST, logKey);
    expect(witnesses.map(({ key, url }) => [key.name, url.href])).to.deep.equal([
      [witnessKeys[0]!.name, 'https://witness.example.gov/'],
      [witnessKeys[1]!.name, 'http://10.0.0.7:4001/'],
      [witnessKeys[2]!.name, 'https://p.example/witness'],
    ]);
    const [a, b, c] = witnesses.map(({ key }) => key) as [typeof logKey, typeof logKey, typeof logKey];
    expect(fewest).to.equal(2);
    expect([[], [a], [b, c], [a, b], [a, c], [a, b, c]].map(isQuorum)).to.deep.equal([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it('may be of nobody, and need nobody', () => {
    const { witnesses, fewest, isQuorum } = parseWitnessList('quorum none', logKey);
    expect([witnesses, fewest, isQuorum([])]).to.deep.equal([[], 0, true]);
  });

  for (const [what, [code, list]] of Object.entries<[string, string]>({
    'a witness without URL': ['URL_UNUSABLE', LIST.replace(' https://witness.example.gov/', '')],
    'another scheme': ['URL_UNUSABLE', LIST.replace('https://p', 'ftp://p')],
    'no URL': ['URL_UNUSABLE', LIST.replace('https://p.example', 'p.example')],
    'a password': ['URL_UNUSABLE', LIST.replace('https://p', 'https://a:b@p')],
    'a query': ['URL_UNUSABLE', LIST.replace('example/witness', 'example/witness?a')],
    'another log only': ['LOG_OF_ANOTHER', LIST.replace(formatVerifierKey(logKey), formatVerifierKey(impostorKey))],
    'no quorum': ['QUORUM_MISSING', LIST.replace('quorum enough', '')],
    'the log’s key as a witness': ['KEY_UNUSABLE', LIST.replace(w1!, formatVerifierKey(logKey))],
  })) {
    it(`is refused with ${what}`, () => expect(codeOf(list)).to.equal(code));
  }

  it('says where, and repeats nothing of the file', () => {
    expect(() => parseWitnessList(LIST.replace('group others', 'gruppe secret'), logKey))
      .to.throw(/^line 7: /)
      .with.property('message')
      .that.does.not.include('secret');
  });
});
