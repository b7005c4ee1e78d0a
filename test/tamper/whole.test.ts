import { expect } from 'chai';
import type { ResumableEvidence } from '../../src/cli/resuming.js';
import { formatAddCheckpoint } from '../../src/log/add-checkpoint.js';
import { fromHex, toHex } from '../../src/log/bytes.js';
import { formatCheckpoint, openCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { proveConsistency } from '../../src/log/consistency.js';
import { cosign } from '../../src/log/cosignature.js';
import type { CheckpointEvidence, Evidence } from '../../src/log/evidence.js';
import { type Hash, HashTable, rootAt } from '../../src/log/tree.js';
import { ORIGIN, someId } from '../support/ledger.js';
import { LOG_KEY } from '../support/publishing.js';
import { ENTRIES, HELD, type HonestLog, honestLog, KEPT, SIGNED, WITNESS_KEY, witnessOf } from './honest-log.js';
import { type Content, contentOf, type Row, rowsOf, type Said, Superuser } from './superuser.js';

/**
 * A log that somebody rewrites as a whole, so that it agrees with itself: what finds it is what others hold. What none of it
 * vouches for is not found, and these tests say so.
 */
const VOUCHED = HELD + 1;
const STRANGER = someId<string>();
const INDICES = Array.from({ length: ENTRIES }, (_, index) => index);
/** Where what is found may change. */
const EDGES = [0, 1, ...[...SIGNED, VOUCHED].flatMap((size) => [size - 2, size - 1, size, size + 1])].filter(
  (index) => index < ENTRIES,
);

describe('a superuser who rewrites the log', function () {
  this.timeout(60_000);
  let log: HonestLog;
  let superuser: Superuser;
  let contents: readonly Content[];
  /** All that was kept: the cosigned checkpoint, the witness's key, a link. */
  let all: Evidence;
  /** The checkpoint that was kept, as `--since`; what the database shows is added to it. */
  let since: ResumableEvidence;
  before(async () => {
    log = await honestLog();
    superuser = await Superuser.begin(log.client);
    contents = superuser.rows.map(contentOf);
    all = { held: [log.held], ...byWitness(log.kept) };
    since = { checkpoints: { key: LOG_KEY, notes: [] }, files: [], since: { note: log.kept, file: 'kept' } };
  });
  after(async () => {
    await superuser.end();
    await log.close();
  });

  const byKey = (...notes: string[]): { checkpoints: CheckpointEvidence } => ({ checkpoints: { key: LOG_KEY, notes } });
  const byWitness = (...notes: string[]) => {
    return { checkpoints: { ...byKey(...notes).checkpoints, witnesses: { keys: [WITNESS_KEY!], quorum: 1 } } };
  };
  const both = (said: string): Said => ({ database: said, file: said });

  /** As the log's own writer would have written it, had this been so. */
  const chained = (told: readonly Content[]): Row[] =>
    rowsOf(told.map((content, index) => ({ ...content, asOf: index })));
  const byStranger = (content: Content): Content => {
    return { ...content, actor: { ...(content.actor as Content), id: STRANGER } };
  };
  const from = (index: number): Row[] => chained(contents.with(index, byStranger(contents[index]!)));

  /** What is held of the first 40, and of the 45th, decides. */
  const mismatch = (index: number): string => {
    if (index >= VOUCHED) return `intact ${VOUCHED}`;
    return index < KEPT ? `tampered: ROOT_MISMATCH 0-${KEPT - 1}` : `tampered: ROOT_MISMATCH ${KEPT}-${HELD}`;
  };

  describe('by cutting its end', () => {
    const cut = (index: number) => superuser.do('DELETE FROM ledger.entry WHERE index >= $1', index);
    const range = (first: number, last: number) => (first === last ? `${first}` : `${first}-${last}`);
    const tail = (first: number) => {
      return first < VOUCHED ? `tampered: TAIL_CUT ${range(first, HELD)}` : `intact ${VOUCHED}`;
    };

    it('is found from where it is cut to the last that somebody vouches for', async () => {
      for (const index of INDICES) {
        await superuser.undone(async () => {
          await cut(index);
          expect(await superuser.said(all), `from ${index}`).to.deep.equal(both(tail(index)));
          const nothing = index === 0 ? 'NO_ENTRIES' : 'NO_EVIDENCE';
          expect(await superuser.said({}), `from ${index}`).to.deep.equal(both(`inconclusive: ${nothing}`));
        });
      }
    });

    it('is found by the checkpoints that the database still shows, to the last entry', async () => {
      for (const index of INDICES) {
        await superuser.undone(async () => {
          await cut(index);
          const found = `tampered: TAIL_CUT ${range(index, ENTRIES - 1)}`;
          expect(await superuser.resumed(since), `from ${index}`).to.equal(found);
          expect(await superuser.resumed({ ...since, since: null }), `from ${index}`).to.equal(found);
        });
      }
    });

    it('is found with checkpoints, cosignatures and head cut as well, by what is held and by nothing that is shown', async () => {
      for (const index of INDICES) {
        await superuser.undone(async () => {
          await cut(index);
          for (const table of ['cosignature', 'checkpoint']) {
            await superuser.do(`DELETE FROM ledger.${table} WHERE size > $1`, index);
          }
          await superuser.do('DELETE FROM ledger.head');
          expect(await superuser.said(all), `from ${index}`).to.deep.equal(both(tail(index)));
          expect(await superuser.resumed(since), `from ${index}`).to.equal(
            index < KEPT ? `tampered: TAIL_CUT ${range(index, KEPT - 1)}` : `intact ${KEPT}`,
          );
          const shown = SIGNED.findLast((size) => size <= index);
          const nothing = index === 0 ? 'NO_ENTRIES' : 'NO_EVIDENCE';
          expect(await superuser.resumed({ ...since, since: null }), `from ${index}`).to.equal(
            shown === undefined ? `inconclusive: ${nothing}` : `intact ${shown}`,
          );
        });
      }
    });

    it('is found where the newest cosigned checkpoint is older than it may be', async () => {
      await superuser.undone(async () => {
        await cut(KEPT);
        const { checkpoints } = byWitness((await superuser.shown(KEPT))!);
        expect(await superuser.said({ checkpoints })).to.deep.equal(both(`intact ${KEPT}`));
        const freshness = { maxSeconds: 3_600, now: new Date('2026-11-22T10:15:03.000Z') };
        expect(await superuser.said({ checkpoints: { ...checkpoints, freshness } })).to.deep.equal(
          both('inconclusive: EVIDENCE_TOO_WEAK, CHECKPOINT_STALE'),
        );
      });
    });
  });

  describe('by chaining it anew', () => {
    /** @param rewritten null where there is nothing to rewrite */
    async function forEach(
      indices: readonly number[],
      rewritten: (index: number) => Row[] | null,
      check: (index: number) => Promise<void>,
    ) {
      let done = 0;
      for (const index of indices) {
        const rows = rewritten(index);
        if (rows === null) continue;
        done++;
        await superuser.undone(async () => {
          await superuser.replace(rows);
          await check(index);
        });
      }
      expect(done).to.be.greaterThan(indices.length / 2);
    }

    const REWRITES: Readonly<Record<string, (index: number) => Row[] | null>> = {
      'with another entry': from,
      'without an entry': (index) =>
        contents[index]!.event === 'record.created' ? null : chained(contents.toSpliced(index, 1)),
      'with an entry more': (index) => {
        const { subject: _, records: __, refusal: ___, ...more } = byStranger(contents[index]!);
        const content = { ...more, event: 'user.listed', outcome: 'permitted' };
        return chained(contents.toSpliced(index, 0, content));
      },
    };
    for (const [how, rewritten] of Object.entries(REWRITES)) {
      it(`${how} is found by what is held, between what agrees and what does not; and never called intact without`, async () => {
        await forEach(INDICES, rewritten, async (index) => {
          expect(await superuser.said(all), `from ${index}`).to.deep.equal(both(mismatch(index)));
          expect(await superuser.said({}), `from ${index}`).to.deep.equal(both('inconclusive: NO_EVIDENCE'));
        });
      });
    }

    it('is found by the checkpoints that the database still shows', async () => {
      await forEach(EDGES, from, async (index) => {
        const found = index < KEPT ? `0-${KEPT - 1}` : `${KEPT}-${ENTRIES - 1}`;
        expect(await superuser.resumed(since), `from ${index}`).to.equal(`tampered: ROOT_MISMATCH ${found}`);
        expect(await superuser.resumed({ ...since, since: null }), `from ${index}`).to.equal(
          `tampered: ROOT_MISMATCH 0-${ENTRIES - 1}`,
        );
      });
    });

    it('is found by a checkpoint that was kept, where the log’s key alone is asked for', async () => {
      await forEach(EDGES, from, async (index) => {
        const found = index < KEPT ? mismatch(index) : `intact ${KEPT}`;
        expect(await superuser.said(byKey(log.kept)), `from ${index}`).to.deep.equal(both(found));
      });
    });
  });

  describe('with the log’s key as well, and signs all checkpoints anew', () => {
    /** Chained anew from an entry on, and every checkpoint that is shown of what is there now. */
    async function forEach(
      indices: readonly number[],
      check: (index: number, shown: string, table: HashTable) => Promise<void>,
    ): Promise<void> {
      for (const index of indices) {
        const rows = from(index);
        const table = new HashTable();
        for (const { link } of rows) table.append(fromHex((link as string).slice(2)) as Hash);
        await superuser.undone(async () => {
          await superuser.replace(rows);
          for (const size of SIGNED) {
            const root = await rootAt(size, table);
            const note = signCheckpoint({ origin: ORIGIN, size, root }, LOG_KEY);
            const text = 'UPDATE ledger.checkpoint SET root = $2, note = $3 WHERE size = $1';
            expect(await superuser.do(text, size, root, note)).to.equal(1);
          }
          await check(index, (await superuser.shown())!, table);
        });
      }
    }

    it('is not found by whoever has that key alone and believes what is shown', async () => {
      await forEach(INDICES, async (index, shown) => {
        expect(await superuser.said(byKey(shown)), `from ${index}`).to.deep.equal(both(`intact ${ENTRIES}`));
      });
    });

    it('is found by a checkpoint that was kept, up to its size: the key signed two histories', async () => {
      await forEach(INDICES, async (index, shown) => {
        const fork = (size: number) => `tampered: FORK 0-${size - 1}, ROOT_MISMATCH 0-${size - 1}`;
        const found = index < KEPT ? fork(KEPT) : `intact ${ENTRIES}`;
        expect(await superuser.said(byKey(shown, log.kept)), `from ${index}`).to.deep.equal(both(found));
        expect(await superuser.resumed(since), `from ${index}`).to.equal(found);
        expect(await superuser.said(byKey(log.newest, shown)), `from ${index}`).to.deep.equal(both(fork(ENTRIES)));
      });
    });

    it('is found by a link that was held, up to its entry', async () => {
      await forEach(EDGES, async (index, shown) => {
        const found = index < VOUCHED ? `tampered: ROOT_MISMATCH 0-${HELD}` : `intact ${ENTRIES}`;
        const evidence = { held: [log.held], ...byKey(shown) };
        expect(await superuser.said(evidence), `from ${index}`).to.deep.equal(both(found));
      });
    });

    it('is not vouched for where the witness is asked for, who has not cosigned what is shown', async () => {
      await forEach(INDICES, async (index, shown) => {
        const weak = 'inconclusive: EVIDENCE_TOO_WEAK, QUORUM_NOT_MET';
        expect(await superuser.said(byWitness(shown)), `from ${index}`).to.deep.equal(both(weak));
        // The witness's line stands under what it never saw.
        const old = (await superuser.shown(KEPT))!;
        const found = index < KEPT ? 'tampered: QUORUM_NOT_MET, SIGNATURE_INVALID' : `intact ${KEPT}`;
        expect(await superuser.said(byWitness(old)), `from ${index}`).to.deep.equal(both(found));
      });
    });

    it('is found by all that is held, and where', async () => {
      await forEach(INDICES, async (index, shown) => {
        const codes = [
          ...(index < KEPT ? [`FORK 0-${KEPT - 1}`] : []),
          'QUORUM_NOT_MET',
          ...(index < VOUCHED ? [mismatch(index).replace('tampered: ', '')] : []),
        ];
        const found =
          index < VOUCHED ? `tampered: ${codes.join(', ')}` : `inconclusive: EVIDENCE_TOO_WEAK, ${codes.join(', ')}`;
        const evidence = { held: [log.held], ...byWitness(log.kept, shown) };
        expect(await superuser.said(evidence), `from ${index}`).to.deep.equal(both(found));
      });
    });

    it('gets no cosignature for another beginning than the witness saw, and proves the fork to it by asking', async () => {
      await forEach(EDGES, async (index, shown, table) => {
        const ask = async (size: number, checkpoint: string) => {
          const proof = await proveConsistency(KEPT, size, table);
          return witnessOf(log.witnessed).witness.addCheckpoint(
            formatAddCheckpoint({ oldSize: KEPT, proof, checkpoint }),
          );
        };
        const larger = await ask(ENTRIES, shown);
        const again = await ask(KEPT, (await superuser.shown(KEPT))!);
        if (index >= KEPT) {
          // It has seen nothing of these entries, so that they are as good as any.
          for (const answer of [larger, again]) expect(answer).to.have.property('cosignature');
          return;
        }
        for (const answer of [larger, again]) expect(answer).to.have.property('refusal', 'INCONSISTENT');
        const roots = [again.fork!.cosigned, again.fork!.offered].map((note) => {
          const { size, root } = openCheckpoint(note, LOG_KEY);
          return `${size} ${toHex(root)}`;
        });
        expect(new Set(roots).size, 'two roots').to.equal(2);
        expect(roots.every((root) => root.startsWith(`${KEPT} `))).to.equal(true);
      });
    });

    it('is found by what was kept alone where the witness’s key was stolen too', async () => {
      await forEach(EDGES, async (index, shown, table) => {
        const text = formatCheckpoint({ origin: ORIGIN, size: ENTRIES, root: await rootAt(ENTRIES, table) });
        const cosigned = shown + cosign(text, WITNESS_KEY!, 1_790_000_000).line;
        expect(await superuser.said(byWitness(cosigned)), `from ${index}`).to.deep.equal(both(`intact ${ENTRIES}`));
        const found = index < KEPT ? `tampered: FORK 0-${KEPT - 1}, ROOT_MISMATCH 0-${KEPT - 1}` : `intact ${ENTRIES}`;
        expect(await superuser.said(byWitness(cosigned, log.kept)), `from ${index}`).to.deep.equal(both(found));
      });
    });
  });
});
