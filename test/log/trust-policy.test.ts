import { expect } from 'chai';
import fc from 'fast-check';
import { formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { fewestFor, meetsQuorum, PolicyError, parseTrustPolicy, type Quorum } from '../../src/log/trust-policy.js';
import { logKey, witnessKeys } from './keys.js';

const log = formatVerifierKey(logKey);
const [w1, w2, w3] = witnessKeys.map(formatVerifierKey);
const W = [`witness a ${w1} https://a.example`, `witness b ${w2}`, `witness\tc  ${w3} `];

function fault(...lines: readonly string[]): string {
  try {
    parseTrustPolicy(lines.join('\n'));
  } catch (error) {
    if (error instanceof PolicyError) return `${error.code} ${error.line}`;
    throw error;
  }
  return 'none';
}

describe('trust policy', () => {
  it('names logs, witnesses and a quorum', () => {
    const policy = parseTrustPolicy(
      ['# ours', '', `log ${log} https://l.example`, ...W, ' # it', 'quorum a'].join('\n'),
    );
    expect(policy.logs.map(({ key, url }) => [key.name, url])).to.deep.equal([[logKey.name, 'https://l.example']]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).to.deep.equal([
      ['a', 'https://a.example'],
      ['b', null],
      ['c', null],
    ]);
    expect(policy.quorum).to.deep.equal({ least: 1, of: [w1] });
  });

  for (const [group, met] of Object.entries({
    'group g any a b c': (n: readonly boolean[]) => n.some(Boolean),
    'group g all a b c': (n: readonly boolean[]) => n.every(Boolean),
    'group g 2 a b c': (n: readonly boolean[]) => n.filter(Boolean).length >= 2,
    'group h any a b\ngroup g all h c': ([a, b, c]: readonly boolean[]) => Boolean((a || b) && c),
    'group h all a b\ngroup g any h c': ([a, b, c]: readonly boolean[]) => Boolean((a && b) || c),
  })) {
    it(`counts ${group.replace('\n', ', ')}`, () => {
      const { quorum } = parseTrustPolicy([...W, group, 'quorum g'].join('\n'));
      let fewest = 4;
      for (let bits = 0; bits < 8; bits++) {
        const signed = [1, 2, 4].map((bit) => (bits & bit) > 0);
        const keys = [w1!, w2!, w3!].filter((_, i) => signed[i]);
        expect(meetsQuorum(quorum, new Set(keys)), `${signed}`).to.equal(met(signed));
        if (met(signed)) fewest = Math.min(fewest, keys.length);
      }
      expect(fewestFor(quorum)).to.equal(fewest);
    });
  }

  it('is met by nobody where the quorum is none', () => {
    const { quorum } = parseTrustPolicy('quorum none');
    expect([meetsQuorum(quorum, new Set()), fewestFor(quorum)]).to.deep.equal([true, 0]);
  });

  it('is never undone by one cosignature more', () => {
    const key = fc.constantFrom(...'abcdefgh');
    const { quorum } = fc.letrec<{ quorum: Quorum }>((tie) => ({
      quorum: fc
        .array(fc.oneof({ depthSize: 'small', maxDepth: 3 }, key, tie('quorum')), { minLength: 1, maxLength: 4 })
        .chain((of) => fc.integer({ min: 1, max: of.length }).map((least) => ({ least, of }))),
    }));
    fc.assert(
      fc.property(quorum, fc.uniqueArray(key), key, (one, keys, more) => {
        if (meetsQuorum(one, new Set(keys))) expect(meetsQuorum(one, new Set([...keys, more]))).to.equal(true);
      }),
    );
  });

  const renamed = formatVerifierKey(signingKey('other.example/w', witnessKeys[0]!.seed, 'cosignature'));
  for (const [code, lines] of Object.entries<readonly string[]>({
    'QUORUM_MISSING 3': W,
    'QUORUM_TWICE 5': [...W, 'quorum a', 'quorum a'],
    'NAME_TWICE 4': [...W, `group a any b`],
    'NAME_TWICE 1': [`witness none ${w1}`],
    'NAME_UNKNOWN 4': [...W, 'quorum d'],
    'NAME_UNKNOWN 1': ['group g any a', ...W],
    'MEMBER_TWICE 5': [...W, 'group g any a b', 'group h any a c'],
    'MEMBER_TWICE 4': [...W, 'group g 2 a a'],
    'THRESHOLD_WRONG 4': [...W, 'group g 4 a b c'],
    'KEY_TWICE 4': [...W, `witness d ${renamed}`],
    'KEY_TWICE 2': [`log ${log}`, `log ${log}`],
    'KEY_UNUSABLE 1': [`witness a ${log}`],
    'KEY_UNUSABLE 2': ['', `log ${w1}`],
    'LINE_MALFORMED 1': ['witnesses a b'],
    'LINE_MALFORMED 4': [...W, 'group g any'],
    'LINE_MALFORMED 2': ['quorum none', `log ${log}\r`],
  })) {
    it(`is refused: ${code}`, () => expect(fault(...lines)).to.equal(code));
  }
  for (const k of ['0', '01', '-1', '+1', '1.0', 'some']) {
    it(`is refused with the threshold ${k}`, () =>
      expect(fault(...W, `group g ${k} a b`)).to.equal('THRESHOLD_WRONG 4'));
  }
});
