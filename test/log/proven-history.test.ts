import { expect } from 'chai';
import { fromUtf8, hexBytes, toUtf8 } from '../../src/log/bytes.js';
import { formatCheckpoint } from '../../src/log/checkpoint.js';
import { sha256Hex } from '../../src/log/hash.js';
import { proveInclusion } from '../../src/log/inclusion.js';
import { formatLeaf, GENESIS, type Link, type LogIndex, linkOf } from '../../src/log/leaf.js';
import { signNote } from '../../src/log/note.js';
import type { SigningKey } from '../../src/log/note-key.js';
import { formatProof } from '../../src/log/proof.js';
import { HistoryError, ProvenHistory } from '../../src/log/proven-history.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { type Hash, HashTable, rootAt } from '../../src/log/tree.js';
import { logOf, type Sketch, uuid } from './arbitraries.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from './keys.js';

const CHALLENGE = sha256Hex(toUtf8('made up just now'));
const OLD = sha256Hex(toUtf8('made up last year'));
const ME = 1;

/** The entry of somebody's own asking. */
const asking = (subject: number, challenge: string): Sketch => ({
  event: 'history.read',
  subject,
  more: { actor: { id: uuid(subject), kind: 'user' }, details: { challenge } },
});

interface Line {
  readonly file: string;
  readonly leaf: string | null;
}

/** What a server gives of a log: proofs of all entries under the checkpoint of its first `size`. */
async function proofs(
  log: readonly StoredEntry[],
  size = log.length,
  signers: readonly SigningKey[] = [logKey],
): Promise<Line[]> {
  const table = new HashTable();
  for (const { leaf } of log.slice(0, size)) table.append(hexBytes(linkOf(leaf)) as Hash);
  const note = signNote(
    formatCheckpoint({ origin: ORIGIN, size, root: await rootAt(size, table) }),
    signers,
    1_790_000_000,
  );
  return Promise.all(
    log.slice(0, size).map(async ({ leaf }, index) => ({
      file: formatProof({
        index: index as LogIndex,
        hashes: await proveInclusion(index, size, table),
        checkpoint: note,
      }),
      leaf: fromUtf8(leaf),
    })),
  );
}

function start(person: string | null = null): ProvenHistory {
  return new ProvenHistory({ key: logKey, witnesses: witnessKeys.slice(0, 1), challenge: CHALLENGE, person });
}

/** The code and the place where the lines are believed no more; null where all of them are. */
function faultOf(lines: readonly Line[], count: number, person: string | null = null): [string, number | null] | null {
  const history = start(person);
  try {
    for (const { file, leaf } of lines) history.take(file, leaf);
    history.conclude(count);
    return null;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    return [error.code, error.nth];
  }
}

describe('a proven history', () => {
  // Mine are 0, 2, 3, 5, 8; the others are about somebody else or nobody.
  const sketches: Sketch[] = [
    { event: 'user.registered' },
    { subject: 2 },
    { event: 'record.created' },
    asking(ME, OLD),
    { subject: null, event: 'log.read' },
    {},
    asking(2, OLD),
    { subject: 2 },
    asking(ME, CHALLENGE),
    { subject: 2 },
  ];
  const log = logOf(sketches);
  let all: Line[];
  let mine: [Line, Line, Line, Line, Line];
  before(async () => {
    all = await proofs(log, log.length, [logKey, witnessKeys[0]!]);
    mine = [8, 5, 3, 2, 0].map((index) => all[index]!) as typeof mine;
  });

  it('is every entry about the person, from that of the asking back to the first', () => {
    const history = start();
    expect([history.next, history.person, history.checkpoint]).to.deep.equal([null, null, null]);
    const taken = mine.map(({ file, leaf }) => {
      const line = history.take(file, leaf);
      return [line.nth, line.index, line.body.event, history.next];
    });
    expect(taken).to.deep.equal([
      [5, 8, 'history.read', 4],
      [4, 5, 'record.read', 3],
      [3, 3, 'history.read', 2],
      [2, 2, 'record.created', 1],
      [1, 0, 'user.registered', 0],
    ]);
    history.conclude(5);
    expect(history.person).to.equal(uuid(ME));
    expect(history.checkpoint).to.include({ size: 10, origin: ORIGIN });
    expect(history.checkpoint!.signed).to.have.length(2);
    expect(history.lines.map(({ link }) => link)).to.deep.equal([8, 5, 3, 2, 0].map((index) => log[index]!.link));
  });

  it('may be of the person’s first asking alone', async () => {
    const first = await proofs(logOf([asking(ME, CHALLENGE)]));
    expect(faultOf(first, 1, uuid(ME))).to.equal(null);
  });

  describe('is not believed where a line', () => {
    it('was left out: in the middle, at the end, or at the beginning', () => {
      for (const nth of [4, 3, 2]) expect(faultOf(mine.toSpliced(5 - nth, 1), 5)).to.deep.equal(['LINE_MISSING', nth]);
      expect(faultOf(mine.slice(0, 4), 5)).to.deep.equal(['LINE_MISSING', 1]);
      expect(faultOf(mine.slice(1), 4)).to.deep.equal(['CHALLENGE_MISSING', null]);
      expect(faultOf([], 0)).to.deep.equal(['LINE_MISSING', null]);
    });

    it('stands elsewhere, or twice', () => {
      const [e8, e5, e3, e2, e0] = mine;
      expect(faultOf([e8, e3, e5, e2, e0], 5)).to.deep.equal(['LINE_MISSING', 4]);
      expect(faultOf([e8, e5, e5, e3, e2, e0], 5)).to.deep.equal(['LINE_OUT_OF_PLACE', 3]);
      expect(faultOf([e8, e8, e5, e3, e2, e0], 5)).to.deep.equal(['LINE_OUT_OF_PLACE', 4]);
      expect(faultOf([...mine, e0], 5)).to.deep.equal(['LINE_OUT_OF_PLACE', 0]);
    });

    it('is another person’s, or nobody’s', () => {
      for (const other of [1, 7, 4]) expect(faultOf(mine.with(1, all[other]!), 5)).to.deep.equal(['OTHER_PERSON', 4]);
    });

    it('was not shown, or not what is proven', () => {
      const [e8, e5] = mine;
      expect(faultOf(mine.with(1, { ...e5, leaf: null }), 5)).to.deep.equal(['LINE_WITHHELD', 4]);
      expect(faultOf(mine.with(1, { ...e5, leaf: e8.leaf }), 5)).to.deep.equal(['INDEX_DIFFERS', 4]);
      const leaf = e5.leaf!.replace('support-agent', 'privacy-officer');
      expect(faultOf(mine.with(1, { ...e5, leaf }), 5)).to.deep.equal(['NOT_INCLUDED', 4]);
      expect(faultOf(mine.with(1, { file: 'none', leaf: e5.leaf }), 5)).to.deep.equal(['MALFORMED', 4]);
    });

    it('is proven under another checkpoint', async () => {
      const older = (await proofs(log, 9))[5]!;
      expect(faultOf(mine.with(1, older), 5)).to.deep.equal(['OTHER_CHECKPOINT', 4]);
    });

    it('is of another history that the log’s key signed: the same size, and what it hides left out', async () => {
      const hidden = logOf(sketches.with(5, { subject: 2 }));
      const fork = await proofs(hidden);
      expect(faultOf([fork[8]!, fork[3]!, fork[2]!, fork[0]!], 4), 'the fork itself').to.equal(null);
      expect(faultOf([mine[0], fork[3]!, fork[2]!, fork[0]!], 5)).to.deep.equal(['OTHER_CHECKPOINT', 4]);
    });

    it('is not the entry that the one after it names: the log counts two of the same number', async () => {
      // Whoever holds the key chains a log in which 3 is the second too, and 5 names 2.
      const twice: Uint8Array[] = [];
      for (const [index, { leaf }] of log.entries()) {
        const prev = index === 0 ? GENESIS : linkOf(twice[index - 1]!);
        const body = fromUtf8(leaf)!.split('\n')[1]!;
        const [, , nth, earlier] = fromUtf8(leaf)!.split('\n')[0]!.split(' ') as [string, Link, string, string];
        const history = nth === '-' ? null : { nth: Number(nth), earlier: earlier === '-' ? null : Number(earlier) };
        const changed = index === 5 ? { nth: 4, earlier: 1 } : history;
        twice.push(formatLeaf({ index: index as LogIndex, prev, history: changed as never, body }));
      }
      const lines = await proofs(twice.map((leaf, index) => ({ index, link: linkOf(leaf), leaf })));
      const shown = [8, 5, 3, 2, 0].map((index) => lines[index]!);
      expect(faultOf(shown, 5)).to.deep.equal(['EARLIER_DIFFERS', 3]);
    });

    it('is bytes that no writer writes, whoever signed them', async () => {
      const spaced = logOf(sketches).map(({ index, leaf }) => {
        const bytes = index === 5 ? toUtf8(fromUtf8(leaf)!.replace('{"actor"', '{ "actor"')) : leaf;
        return { index, link: linkOf(bytes), leaf: bytes };
      });
      const lines = await proofs(spaced);
      expect(faultOf([lines[8]!, lines[5]!], 5)).to.deep.equal(['BODY_NOT_CANONICAL', 4]);
    });
  });

  describe('is not believed where the asking', () => {
    it('was another: an older one, somebody else’s, one that was refused, or no asking', async () => {
      expect(faultOf(mine.slice(2), 3)).to.deep.equal(['CHALLENGE_MISSING', null]);
      expect(faultOf([all[6]!], 1)).to.deep.equal(['CHALLENGE_MISSING', null]);
      const alike: Sketch[] = [
        { ...asking(ME, CHALLENGE), event: 'record.read' },
        { ...asking(ME, CHALLENGE), more: { details: { challenge: CHALLENGE } } },
        {
          ...asking(ME, CHALLENGE),
          more: { ...asking(ME, CHALLENGE).more, outcome: 'refused', refusal: { code: 'ROLE_NOT_PERMITTED' } },
        },
      ];
      for (const sketch of alike) {
        const [line] = await proofs(logOf([sketch]));
        expect(faultOf([line!], 1)).to.deep.equal(['CHALLENGE_MISSING', null]);
      }
    });

    it('was about another person than the one who knows who they are', async () => {
      const foreign = await proofs(logOf([asking(2, CHALLENGE)]));
      expect(faultOf(foreign, 1)).to.equal(null);
      expect(faultOf(foreign, 1, uuid(ME))).to.deep.equal(['OTHER_PERSON', null]);
      expect(faultOf(mine, 5, uuid(ME))).to.equal(null);
    });

    it('counts otherwise than was said', () => {
      expect(faultOf(mine, 4)).to.deep.equal(['COUNT_DIFFERS', null]);
      expect(faultOf(mine, 6)).to.deep.equal(['COUNT_DIFFERS', null]);
    });

    it('is under a checkpoint of another key', async () => {
      const forged = await proofs(log, log.length, [impostorKey]);
      expect(faultOf([forged[8]!], 5)).to.deep.equal(['NO_KNOWN_KEY', null]);
    });
  });

  it('is not believed once any byte of a proof, its checkpoint or a leaf is another', async () => {
    const plain = await proofs(log);
    const [e8, e5] = [plain[8]!, plain[5]!];
    for (const part of ['file', 'leaf'] as const) {
      const bytes = Buffer.from(e5[part]!);
      for (const at of bytes.keys()) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        expect(faultOf([e8, { ...e5, [part]: changed.toString() }], 5)?.[0], `byte ${at} of the ${part}`).to.not.equal(
          'LINE_MISSING',
        );
      }
    }
    expect(faultOf([e8, e5], 5)).to.deep.equal(['LINE_MISSING', 3]);
  });
});
