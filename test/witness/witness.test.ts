import { expect } from 'chai';
import fc from 'fast-check';
import { formatAddCheckpoint } from '../../src/log/add-checkpoint.js';
import { toHex, toUtf8 } from '../../src/log/bytes.js';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { openCosignature } from '../../src/log/cosignature.js';
import { sha256Hex } from '../../src/log/hash.js';
import { formatNote, openNote, parseNote, signNote } from '../../src/log/note.js';
import { signingKey } from '../../src/log/note-key.js';
import { EMPTY_ROOT, type Hash } from '../../src/log/tree.js';
import type { State } from '../../src/witness/state.js';
import { StateError } from '../../src/witness/state-error.js';
import { type Answer, type Keeper, Witness } from '../../src/witness/witness.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { Log } from './logs.js';

const [key, otherWitness] = witnessKeys;
const NOW = new Date('2026-11-22T09:15:02.900Z');
const TIME = Math.floor(NOW.getTime() / 1_000);

class Memory implements Keeper {
  state: State = new Map();
  replace(state: State): void {
    this.state = state;
  }
}

function witnessOf(keeper: Keeper = new Memory(), logs = [logKey]): Witness {
  return new Witness({ key: key!, logs, keeper, now: () => NOW });
}

function said(answer: Answer): string {
  if (!('refusal' in answer)) return 'COSIGNED';
  return answer.refusal === 'CONFLICT' ? `CONFLICT ${answer.size}` : answer.refusal;
}

const log = new Log(40);
/** The same log, written anew from entry 10 on. */
const rewritten = new Log(40, 1, 10);

describe('witness', () => {
  it('cosigns a log that grows, each checkpoint at its time', async () => {
    const witness = witnessOf();
    for (const [from, to] of [
      [0, 1],
      [1, 7],
      [7, 8],
      [8, 40],
    ] as const) {
      const answer = witness.addCheckpoint(await log.request(from, to));
      expect(said(answer)).to.equal('COSIGNED');
      const note = (await log.checkpoint(to)) + (answer as { cosignature: string }).cosignature;
      const { size, signed } = openCheckpoint(note, logKey, [key!]);
      expect([size, signed[1]!.key, signed[1]!.time]).to.deep.equal([to, key, TIME]);
    }
  });

  it('cosigns the same again, with no proof', async () => {
    const witness = witnessOf();
    for (const from of [0, 20, 20])
      expect(said(witness.addCheckpoint(await log.request(from, 20)))).to.equal('COSIGNED');
  });

  it('begins at any size, as it has seen nothing before', async () => {
    expect(said(witnessOf().addCheckpoint(await rewritten.request(0, 33)))).to.equal('COSIGNED');
  });

  it('cosigns the empty tree, only with its root, and any tree after it', async () => {
    const witness = witnessOf();
    const wrong = signCheckpoint({ origin: ORIGIN, size: 0, root: new Uint8Array(32) as Hash }, logKey);
    expect(said(witness.addCheckpoint(`old 0\n\n${wrong}`))).to.equal('INCONSISTENT');
    const right = signCheckpoint({ origin: ORIGIN, size: 0, root: EMPTY_ROOT }, logKey);
    for (let i = 0; i < 2; i++) expect(said(witness.addCheckpoint(`old 0\n\n${right}`))).to.equal('COSIGNED');
    expect(said(witness.addCheckpoint(`old 0\n\n${wrong}`))).to.equal('INCONSISTENT');
    expect(said(witness.addCheckpoint(await log.request(0, 3)))).to.equal('COSIGNED');
  });

  describe('after size 20', () => {
    let witness: Witness;
    let keeper: Memory;
    let kept: State;
    beforeEach(async () => {
      keeper = new Memory();
      witness = witnessOf(keeper);
      witness.addCheckpoint(await log.request(0, 20));
      kept = keeper.state;
    });

    const cases: Record<string, [expected: string, body: () => Promise<string> | string]> = {
      'a log rolled back': ['CONFLICT 20', () => log.request(5, 15)],
      'one rolled back that names the size': ['OLD_SIZE_ABOVE', () => log.request(20, 15)],
      'one rolled back to nothing': ['CONFLICT 20', () => log.request(0, 15)],
      'a log begun anew': ['CONFLICT 20', () => rewritten.request(0, 40)],
      'another root of the same size': ['INCONSISTENT', () => rewritten.request(20, 20)],
      'a larger tree, written anew': ['INCONSISTENT', () => rewritten.request(20, 30)],
      'a tree forked just before': ['INCONSISTENT', () => new Log(30, 1, 19).request(20, 30)],
      'an old size below': ['CONFLICT 20', () => log.request(19, 30)],
      'an old size above': ['CONFLICT 20', () => log.request(21, 30)],
      'an unknown log': [
        'UNKNOWN_LOG',
        () => new Log(9, 0, 0, signingKey('other.example/log', logKey.seed)).request(0, 9),
      ],
      'an impostor of the same name': ['SIGNATURE_INVALID', () => new Log(30, 0, 0, impostorKey).request(20, 30)],
      'no signature but a witness’s': [
        'SIGNATURE_INVALID',
        async () =>
          `old 20\n\n${signNote(formatCheckpoint({ origin: ORIGIN, size: 30, root: await log.root(30) }), [key!], 1)}`,
      ],
      'an honest signature beside a spoilt one of the same key': [
        'SIGNATURE_INVALID',
        async () => {
          const { text, signatures } = parseNote(await log.checkpoint(20));
          const [{ bytes, ...one }] = signatures as [(typeof signatures)[0]];
          const spoilt = { ...one, bytes: bytes.with(9, bytes[9]! ^ 1) };
          return `old 20\n\n${formatNote({ text, signatures: [...signatures, spoilt] })}`;
        },
      ],
      'a note that is no checkpoint': ['MALFORMED', () => `old 20\n\n${signNote(`${ORIGIN}\nhello\n`, [logKey])}`],
      'a size with a leading zero': [
        'MALFORMED',
        async () =>
          `old 20\n\n${signNote((await log.checkpoint(20)).split('\n\n')[0]!.replace('\n20', '\n020').concat('\n'), [logKey])}`,
      ],
      'no note': ['MALFORMED', () => 'old 20\n\nhello\n'],
      'no request': ['MALFORMED', () => ''],
      'a proof where none is needed': [
        'INCONSISTENT',
        async () => formatAddCheckpoint({ oldSize: 20, proof: [EMPTY_ROOT], checkpoint: await log.checkpoint(20) }),
      ],
      'no proof': [
        'INCONSISTENT',
        async () => formatAddCheckpoint({ oldSize: 20, proof: [], checkpoint: await log.checkpoint(30) }),
      ],
    };
    for (const [what, [expected, body]] of Object.entries(cases)) {
      it(`answers ${expected} to ${what}, and forgets nothing`, async () => {
        expect(said(witness.addCheckpoint(await body()))).to.equal(expected);
        expect(keeper.state).to.equal(kept);
      });
    }

    it('cosigns no request with any byte changed', async () => {
      const request = Buffer.from(await log.request(20, 30));
      for (const at of request.keys()) {
        for (const bit of [1, 0x20]) {
          const changed = Buffer.from(request);
          changed[at]! ^= bit;
          const answer = witness.addCheckpoint(changed.toString());
          expect('refusal' in answer, `byte ${at}: ${JSON.stringify(changed.toString())}`).to.equal(true);
        }
      }
      expect(keeper.state).to.equal(kept);
      expect(said(witness.addCheckpoint(request.toString()))).to.equal('COSIGNED');
    });

    it('gives the proof of a fork: both notes, which open by the log’s key', async () => {
      for (const from of [20, 0]) {
        const { fork } = witness.addCheckpoint(await rewritten.request(from, 20));
        const roots = [fork!.cosigned, fork!.offered]
          .map((note) => openCheckpoint(note, logKey))
          .map(({ size, root }) => [size, toHex(root)]);
        expect(roots).to.deep.equal([
          [20, toHex(await log.root(20))],
          [20, toHex(await rewritten.root(20))],
        ]);
      }
      expect(witness.addCheckpoint(await rewritten.request(20, 30)).fork, 'whose proof may be at fault').to.equal(
        undefined,
      );
    });

    it('cosigns nothing that it cannot keep', async () => {
      keeper.replace = () => {
        throw new StateError('STATE_UNUSABLE');
      };
      const request = await log.request(20, 30);
      expect(() => witness.addCheckpoint(request)).to.throw(StateError);
      expect(witness.checkpoint(sha256Hex(toUtf8(ORIGIN)))).to.equal(kept.get(ORIGIN)!.note);
    });

    it('has kept the state by the time it answers', async () => {
      const request = await log.request(20, 30);
      let answered = false;
      keeper.replace = (state) => {
        expect([answered, state.get(ORIGIN)!.size]).to.deep.equal([false, 30]);
        keeper.state = state;
      };
      answered = said(witness.addCheckpoint(request)) === 'COSIGNED';
      expect([answered, keeper.state.get(ORIGIN)!.size]).to.deep.equal([true, 30]);
    });

    it('shows monitors what it answered with: the log’s signature, its own, and nobody else’s', async () => {
      const text = formatCheckpoint({ origin: ORIGIN, size: 30, root: await log.root(30) });
      const checkpoint = signNote(text, [otherWitness!, impostorKey, logKey, key!], 99);
      const answer = witness.addCheckpoint(
        formatAddCheckpoint({ oldSize: 20, proof: await log.proof(20, 30), checkpoint }),
      );
      const shown = witness.checkpoint(sha256Hex(toUtf8(ORIGIN)))!;
      expect(shown).to.equal(signNote(text, [logKey]) + (answer as { cosignature: string }).cosignature);
      expect(witness.checkpoint(sha256Hex(toUtf8('other.example/log')))).to.equal(null);
    });
  });

  it('keeps logs apart', async () => {
    const second = signingKey('second.example/log', impostorKey.seed);
    const witness = witnessOf(new Memory(), [logKey, second]);
    const other = new Log(40, 7, 0, second);
    for (const one of [log, other, log, other]) {
      const size = one === log ? 20 : 30;
      const first = said(witness.addCheckpoint(await one.request(0, size)));
      expect(first).to.be.oneOf(['COSIGNED', `CONFLICT ${size}`]);
      expect(said(witness.addCheckpoint(await one.request(size, 40 - (40 - size))))).to.equal('COSIGNED');
    }
  });

  it('takes a log’s new key beside the old one, and extension lines with what it signs', async () => {
    const rotated = signingKey(ORIGIN, new Uint8Array(32).fill(9));
    const witness = witnessOf(new Memory(), [logKey, rotated]);
    expect(said(witness.addCheckpoint(await log.request(0, 20)))).to.equal('COSIGNED');
    const text = `${formatCheckpoint({ origin: ORIGIN, size: 30, root: await log.root(30) })}more of it\n`;
    const request = { oldSize: 20, proof: await log.proof(20, 30), checkpoint: signNote(text, [rotated]) };
    const answer = witness.addCheckpoint(formatAddCheckpoint(request)) as { cosignature: string };
    expect(openCosignature(text, answer.cosignature, key!).time).to.equal(TIME);
  });

  it('of whatever it is asked cosigns one history, and never back', async () => {
    const branches = [log, new Log(40, 1, 10), new Log(40, 2, 25), new Log(40, 3, 0)];
    const step = fc.record({
      branch: fc.nat({ max: branches.length - 1 }),
      size: fc.integer({ min: 1, max: 40 }),
      old: fc.oneof(fc.constant(null), fc.nat({ max: 40 })),
      proofOf: fc.nat({ max: branches.length - 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const keeper = new Memory();
        const witness = witnessOf(keeper);
        let possible = branches;
        let last = 0;
        for (const { branch, size, old, proofOf } of steps) {
          const oldSize = old ?? keeper.state.get(ORIGIN)?.size ?? 0;
          const proof = oldSize <= size ? await branches[proofOf]!.proof(oldSize, size) : [];
          const checkpoint = await branches[branch]!.checkpoint(size);
          const answer = witness.addCheckpoint(formatAddCheckpoint({ oldSize, proof, checkpoint }));
          if ('refusal' in answer) continue;
          const { text } = openNote(checkpoint + answer.cosignature, [key!]);
          const { root } = parseCheckpoint(text)!;
          expect(size).to.be.at.least(last);
          last = size;
          const roots = await Promise.all(possible.map(async (one) => toHex(await one.root(size))));
          possible = possible.filter((_, i) => roots[i] === toHex(root));
          expect(possible).to.not.have.length(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});
