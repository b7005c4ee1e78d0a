import { expect } from 'chai';
import { fromUtf8, toUtf8 } from '../../src/log/bytes.js';
import { canonical } from '../../src/log/canonical.js';
import type { Evidence } from '../../src/log/evidence.js';
import { sha256Hex } from '../../src/log/hash.js';
import { formatLeaf, type Leaf, type Link, linkOf } from '../../src/log/leaf.js';
import { someId } from '../support/ledger.js';
import { LOG_KEY } from '../support/publishing.js';
import { ENTRIES, HELD, type HonestLog, honestLog, KEPT, WITNESS_KEY } from './honest-log.js';
import { type Content, contentOf, leafOf, type Row, rowsOf, Superuser } from './superuser.js';

/** Each row of a log, each in its turn, in every way in which a superuser can change one. */
const LAST = ENTRIES - 1;
/** Nobody vouches for entries from here on: see schema/log-format.md, "Evidence". */
const VOUCHED = HELD + 1;
const STRANGER = someId<string>();
const OTHER_LINK = sha256Hex(toUtf8('another')) as Link;

/** What somebody does to the row at an index. @returns false where there is nothing to do */
type Deed = (index: number) => Promise<number | boolean> | false;

interface Tampering {
  readonly deed: Deed;
  /** What is then found, in the order of the codes. */
  readonly database: (index: number) => string;
  /** The same, of an export. Without it what is found in the database. */
  readonly file?: (index: number) => string;
}

describe('a superuser who changes a row', function () {
  this.timeout(60_000);
  let log: HonestLog;
  let superuser: Superuser;
  let evidence: Evidence;
  before(async () => {
    log = await honestLog();
    superuser = await Superuser.begin(log.client);
    const checkpoints = { key: LOG_KEY, notes: [log.kept], witnesses: { keys: [WITNESS_KEY!], quorum: 1 } };
    evidence = { held: [log.held], checkpoints };
  });
  after(async () => {
    await superuser.end();
    await log.close();
  });

  it('finds it intact before, as far as somebody vouches for it, and its rows written as the log’s own writer would', async () => {
    expect(superuser.rows).to.have.length(ENTRIES);
    expect(await superuser.said(evidence)).to.deep.equal({ database: `intact ${VOUCHED}`, file: `intact ${VOUCHED}` });
    await superuser.undone(async () => {
      await superuser.do('CREATE TEMP TABLE honest AS SELECT * FROM ledger.entry');
      await superuser.replace(rowsOf(superuser.rows.map(contentOf)));
      expect(await superuser.do('SELECT * FROM honest EXCEPT SELECT * FROM ledger.entry')).to.equal(0);
      expect(await superuser.do('SELECT * FROM ledger.entry EXCEPT SELECT * FROM honest')).to.equal(0);
    });
  });

  const at = (index: number): Row => superuser.rows[index]!;
  const set = (index: number, values: Row) => {
    const columns = Object.keys(values);
    const assigned = columns.map((column, i) => `${column} = $${i + 2}`).join(', ');
    return superuser.do(`UPDATE ledger.entry SET ${assigned} WHERE index = $1`, index, ...Object.values(values));
  };
  const exchange = (one: number, other: number) =>
    superuser.do('UPDATE ledger.entry SET index = $1::int + $2::int - index WHERE index IN ($1, $2)', one, other);
  const column = (assigned: string) => (index: number) =>
    superuser.do(`UPDATE ledger.entry SET ${assigned} WHERE index = $1`, index);

  /** The leaf alone, of what is changed in the body. Null where there is nothing to change. */
  const body = (change: (content: Content) => Content | null) => async (index: number) => {
    const changed = change(contentOf(at(index)));
    if (changed === null) return false;
    return set(index, { leaf: text({ ...leafOf(at(index)), body: canonical(changed) }) });
  };
  const header = (change: (leaf: Leaf) => Partial<Leaf> | null) => async (index: number) => {
    const changed = change(leafOf(at(index)));
    return changed !== null && set(index, { leaf: text({ ...leafOf(at(index)), ...changed }) });
  };
  const text = (leaf: Leaf): string => fromUtf8(formatLeaf(leaf))!;

  /** The whole row by somebody else: leaf, link and columns agree. */
  const byStranger = (index: number): Row => {
    const { index: _, ...row } = at(index);
    const content = contentOf(row);
    const leaf = text({
      ...leafOf(row),
      body: canonical({ ...content, actor: { ...(content.actor as Content), id: STRANGER } }),
    });
    return { ...row, leaf, link: `\\x${linkOf(toUtf8(leaf))}`, actor: STRANGER };
  };

  const found = (code: string) => (index: number) => `tampered: ${code} ${index}`;
  const intact = () => `intact ${VOUCHED}`;
  const range = (first: number, last: number) => (first === last ? `${first}` : `${first}-${last}`);

  const edited: Pick<Tampering, 'database'> = { database: found('CONTENT_EDITED') };
  const projected: Omit<Tampering, 'deed'> = { database: found('PROJECTION_EDITED'), file: intact };
  const beside = { database: (i: number) => `tampered: CHAIN_BROKEN ${i}, PROJECTION_EDITED ${i}` };
  /** At the end; of the last two it is the one that stands before the other now. */
  const moved = (i: number) => {
    if (i === LAST) return found('PROJECTION_EDITED')(i);
    return `tampered: CHAIN_BROKEN ${i === LAST - 1 ? LAST : i}, PROJECTION_EDITED ${i}`;
  };
  /** The last one has nothing after it that would show a gap, and nobody vouches for it. */
  const missing = { database: (i: number) => (i === LAST ? intact() : `tampered: ENTRY_MISSING ${i}`) };

  const TAMPERINGS: Readonly<Record<string, Tampering>> = {
    'another actor': { deed: body((it) => ({ ...it, actor: { ...(it.actor as Content), id: STRANGER } })), ...edited },
    'another subject': { deed: body((it) => (it.subject ? { ...it, subject: STRANGER } : null)), ...edited },
    'another purpose': { deed: body((it) => (it.purpose ? { ...it, purpose: 'marketing' } : null)), ...edited },
    'another time': { deed: body((it) => ({ ...it, at: '2026-11-22T09:15:02.117Z' })), ...edited },
    'another record': {
      deed: body((it) => (it.records ? { ...it, records: [{ ...(it.records as Content[])[0], id: STRANGER }] } : null)),
      ...edited,
    },
    'another outcome': {
      deed: body(({ refusal, ...it }) =>
        refusal ? { ...it, outcome: 'permitted' } : { ...it, outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW' } },
      ),
      ...edited,
    },
    'another link in the leaf': { deed: header(() => ({ prev: OTHER_LINK })), ...edited },
    'another count': {
      deed: header(({ history }) =>
        history && history.nth > 1 ? { history: { ...history, nth: history.nth + 1 } } : null,
      ),
      ...edited,
    },
    'a leaf with its columns': {
      deed: async (i) => {
        const { link: _, ...row } = byStranger(i);
        return set(i, row);
      },
      ...edited,
    },
    'another link beside the leaf': { deed: (i) => set(i, { link: `\\x${OTHER_LINK}` }), ...edited },
    'the link of another entry': { deed: (i) => set(i, { link: at((i + 1) % ENTRIES).link! }), ...edited },
    'a link cut short': { deed: column('link = substr(link, 2)'), ...edited },
    'no link': { deed: column('link = NULL'), ...edited },
    'no leaf': {
      deed: column('leaf = NULL'),
      database: (i) => `tampered: CONTENT_EDITED ${i}, LEAF_MALFORMED ${i}`,
    },
    'leaf, link and columns together': {
      deed: (i) => set(i, byStranger(i)),
      // What vouches for a later entry vouches for what it follows. Where nothing does, one of two was replaced.
      database: (i) => {
        if (i === LAST) return intact();
        return `tampered: CHAIN_BROKEN ${i < VOUCHED ? i : range(i, i + 1)}`;
      },
    },

    'another id': { deed: column('id = gen_random_uuid()'), ...projected },
    'another subject beside it': { deed: column('subject = gen_random_uuid()'), ...projected },
    'no subject beside it': { deed: (i) => at(i).subject !== null && set(i, { subject: null }), ...projected },
    'another nth': { deed: column('nth = coalesce(nth, 0) + 1'), ...projected },
    'no nth': { deed: (i) => at(i).nth !== null && set(i, { nth: null }), ...projected },
    'another actor beside it': { deed: column('actor = gen_random_uuid()'), ...projected },
    'another event': {
      deed: column(`event = CASE event WHEN 'record.read' THEN 'record.updated' ELSE 'record.read' END`),
      ...projected,
    },
    'another outcome beside it': {
      deed: column(`outcome = CASE outcome WHEN 'refused' THEN 'permitted' ELSE 'refused' END`),
      ...projected,
    },
    'another purpose beside it': { deed: column(`purpose = 'marketing'`), ...projected },
    'no purpose beside it': { deed: (i) => at(i).purpose !== null && set(i, { purpose: null }), ...projected },
    'another request': { deed: column('request = gen_random_uuid()'), ...projected },
    'a time that is a microsecond later': { deed: column(`at = at + interval '1 microsecond'`), ...projected },
    'a time that never comes': { deed: column(`at = 'infinity'`), ...projected },
    'another newest change of the subject’s facts': {
      deed: column('changed = coalesce(changed, -1) + 1'),
      ...projected,
    },
    'no change of the subject’s facts': {
      deed: (i) => at(i).changed !== null && set(i, { changed: null }),
      ...projected,
    },
    'another newest change of facts': { deed: column('changed_all = changed_all + 1'), ...projected },
    'no change of facts': { deed: column('changed_all = NULL'), ...projected },
    'nothing in any column': {
      deed: column(`id = NULL, subject = NULL, nth = NULL, actor = NULL, event = NULL, outcome = NULL, purpose = NULL,
        request = NULL, at = NULL, changed = NULL, changed_all = NULL`),
      ...projected,
    },
    'another index': {
      deed: column('index = index + 1000'),
      database: moved,
    },
    'no index': {
      deed: column('index = NULL'),
      // It is read as 0, which is the index of one of them.
      database: (i) => (i === 0 ? found('CHAIN_BROKEN') : moved)(i),
      // An export goes to the largest index there is.
      file: missing.database,
    },
    'an index below zero': {
      deed: column('index = -1 - index'),
      database: (i) => (i === 0 ? found('PROJECTION_EDITED') : beside.database)(i),
      // An export has no place for it, and no verifier takes it.
      file: () => 'unusable',
    },
    'the log of another': { deed: column('log = 2'), ...missing },

    'places changed with the next': {
      deed: (i) => i < LAST && exchange(i, i + 1),
      database: (i) => `tampered: CHAIN_BROKEN ${i + 1}, PROJECTION_EDITED ${i}-${i + 1}`,
    },
    'bodies changed with the next': {
      deed: async (i) => {
        if (i === LAST) return false;
        await set(i, { leaf: text({ ...leafOf(at(i)), body: leafOf(at(i + 1)).body }) });
        return set(i + 1, { leaf: text({ ...leafOf(at(i + 1)), body: leafOf(at(i)).body }) });
      },
      database: (i) => `tampered: CONTENT_EDITED ${i}-${i + 1}`,
    },
    // Three rows in reverse: the one in the middle stands where it stood, and in no order.
    'places changed with the second after': {
      deed: (i) => i < LAST - 1 && exchange(i, i + 2),
      database: (i) => `tampered: CHAIN_BROKEN ${i + 1}-${i + 2}, PROJECTION_EDITED ${i}, PROJECTION_EDITED ${i + 2}`,
    },
    'places changed with the third after': {
      deed: (i) => i < LAST - 2 && exchange(i, i + 3),
      database: (i) => {
        const both = (code: string) => `${code} ${i}, ${code} ${i + 3}`;
        return `tampered: ${both('CHAIN_BROKEN')}, ${both('PROJECTION_EDITED')}`;
      },
    },

    removed: { deed: (i) => superuser.do('DELETE FROM ledger.entry WHERE index = $1', i), ...missing },
    'removed, and the rest counted anew': {
      deed: async (i) => {
        await superuser.do('DELETE FROM ledger.entry WHERE index = $1', i);
        return (await superuser.do('UPDATE ledger.entry SET index = index - 1 WHERE index > $1', i)) || i === LAST;
      },
      database: (i) =>
        i === LAST ? intact() : `tampered: ENTRY_MISSING ${i}, PROJECTION_EDITED ${range(i + 1, LAST)}`,
    },

    'there twice': { deed: (i) => superuser.insert([at(i)]), database: found('CHAIN_BROKEN') },
    'there twice, as the keys allow it': {
      deed: (i) => superuser.insert([{ ...at(i), index: ENTRIES, id: STRANGER }]),
      ...beside,
    },
    'there twice, in the place of the next': {
      deed: async (i) => {
        if (i === LAST) return false;
        const { index: _, id: __, ...row } = at(i);
        return set(i + 1, row);
      },
      database: (i) => {
        const next = i + 1 === LAST ? '' : `ENTRY_MISSING ${i + 1}, `;
        return `tampered: CHAIN_BROKEN ${i}, ${next}PROJECTION_EDITED ${i}`;
      },
    },
    'beside another that says the same of somebody else': {
      deed: (i) => superuser.insert([{ ...at(i), ...byStranger(i) }]),
      database: found('CHAIN_BROKEN'),
    },
  };

  for (const [what, { deed, database, file = database }] of Object.entries(TAMPERINGS)) {
    it(`is found, row by row: ${what}`, async () => {
      let done = 0;
      for (let index = 0; index < ENTRIES; index++) {
        await superuser.undone(async () => {
          if (!(await deed(index))) return;
          done++;
          const expected = { database: database(index), file: file(index) };
          expect(await superuser.said(evidence), `entry ${index}`).to.deep.equal(expected);
        });
      }
      expect(done).to.be.greaterThan(8);
      expect((await superuser.said(evidence)).database, 'and all is as it was').to.equal(intact());
    });
  }

  describe('and is looked for since a checkpoint', () => {
    /** The last entry before the checkpoint is read again, and those before are not. */
    const READ = KEPT - 1;
    const since = async () => {
      const note = { note: log.kept, file: 'kept' };
      return superuser.resumed({ checkpoints: { key: LOG_KEY, notes: [] }, files: [], since: note });
    };
    const CASES: Readonly<Record<string, readonly [deed: Deed, found: (index: number) => string]>> = {
      'another actor': [
        TAMPERINGS['another actor']!.deed,
        (i) => (i < READ ? `intact ${ENTRIES}` : found('CONTENT_EDITED')(i)),
      ],
      'another actor beside it': [
        TAMPERINGS['another actor beside it']!.deed,
        (i) => (i < READ ? `intact ${ENTRIES}` : found('PROJECTION_EDITED')(i)),
      ],
      'another link beside the leaf': [
        TAMPERINGS['another link beside the leaf']!.deed,
        (i) => (i < READ ? `tampered: ROOT_MISMATCH 0-${KEPT - 1}` : found('CONTENT_EDITED')(i)),
      ],
      removed: [TAMPERINGS.removed!.deed, (i) => (i === LAST ? found('TAIL_CUT')(i) : found('ENTRY_MISSING')(i))],
    };
    for (const [what, [deed, expected]] of Object.entries(CASES)) {
      it(`is found where it is read again, row by row: ${what}`, async () => {
        for (let index = 0; index < ENTRIES; index++) {
          await superuser.undone(async () => {
            await deed(index);
            expect(await since(), `entry ${index}`).to.equal(expected(index));
          });
        }
      });
    }
  });
});
