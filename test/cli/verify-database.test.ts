import { expect } from 'chai';
import { fromUtf8, hexBytes, toUtf8 } from '../../src/log/bytes.js';
import type { Pseudonym } from '../../src/log/entry.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { someId, type TestLedger, testLedger } from '../support/ledger.js';
import { run } from './command.js';
import { aBody, chained, held } from './logs.js';

const ENTRIES = 30;

describe('access-ledger verify --database', () => {
  let log: TestLedger;
  let shown: { index: number; link: string };

  before(async () => {
    log = await testLedger();
    const people = [someId<Pseudonym>(), someId<Pseudonym>()];
    for (let i = 0; i < ENTRIES; i++) {
      await log.ledger.append([aBody({ asOf: i, ...(i > 0 && { subject: people[i % 2]! }) })]);
    }
    const [row] = await log.sql<{ link: string }>(
      `SELECT encode(link, 'hex') AS link FROM ledger.entry WHERE index = ${ENTRIES - 1}`,
    );
    shown = { index: ENTRIES - 1, link: row!.link };
  });
  after(() => log.close());

  /** What a superuser does to the log, what `verify` then says, and all as it was. */
  async function whenDone(sql: string, ...args: string[]): Promise<unknown[]> {
    await log.sql('CREATE TABLE public.kept AS SELECT * FROM ledger.entry');
    await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    try {
      await log.sql(sql);
      return await found(...args);
    } finally {
      await log.sql('DELETE FROM ledger.entry');
      await log.sql('INSERT INTO ledger.entry SELECT * FROM public.kept');
      await log.sql('ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER append_only');
      await log.sql('DROP TABLE public.kept');
    }
  }

  async function found(...args: string[]): Promise<unknown[]> {
    const { status, out, err } = await run(['verify', '--database', log.url, '--json', ...args]);
    expect(err).to.equal('');
    const { findings } = JSON.parse(out) as { findings: { code: string; first: number }[] };
    return [status, ...findings.map(({ code, first }) => `${code} ${first}`)];
  }

  it('is intact as the ledger wrote it, by the server’s login or a superuser’s', async () => {
    expect(await found(held(shown))).to.deep.equal([0]);
    const env = { DATABASE_URL: log.superuserUrl };
    expect((await run(['verify', '--database', held(shown)], { env })).status).to.equal(0);
  });

  it('finds each column that a superuser edits beside the leaf', async () => {
    const edits = [
      `subject = '${someId()}'`,
      `actor = '${someId()}'`,
      `event = 'record.updated'`,
      `outcome = 'refused'`,
      `purpose = 'marketing'`,
      `request = '${someId()}'`,
      `at = at + interval '1 day'`,
      `at = at + interval '1 microsecond'`,
      `at = at - interval '4051 years'`,
      `id = gen_random_uuid()`,
      `nth = nth + 1`,
      `changed = 3`,
      `changed_all = 3`,
    ];
    // At odd indices, so that no two findings become one.
    const updates = edits.map((edit, i) => `UPDATE ledger.entry SET ${edit} WHERE index = ${2 * i + 1}`);
    const findings = edits.map((_, i) => `PROJECTION_EDITED ${2 * i + 1}`);
    expect(await whenDone(updates.join(';'))).to.deep.equal([1, ...findings]);
  });

  it('finds leaves edited, rows removed, put out of order and doubled', async () => {
    const edit = `UPDATE ledger.entry SET leaf = replace(leaf, '"support-agent"', '"privacy-officer"') WHERE index = 3`;
    expect(await whenDone(edit)).to.deep.equal([1, 'CONTENT_EDITED 3']);
    expect(await whenDone('DELETE FROM ledger.entry WHERE index IN (3, 4)')).to.deep.equal([1, 'ENTRY_MISSING 3']);
    expect(await whenDone('DELETE FROM ledger.entry WHERE index > 5', held(shown))).to.deep.equal([1, 'TAIL_CUT 6']);
    expect(await whenDone('DELETE FROM ledger.entry', held(shown))).to.deep.equal([1, 'TAIL_CUT 0']);
    expect(await whenDone('DELETE FROM ledger.entry')).to.deep.equal([2]);
    const swap = `UPDATE ledger.entry SET index = 103 WHERE index = 3; UPDATE ledger.entry SET index = 3 WHERE index = 4;
      UPDATE ledger.entry SET index = 4 WHERE index = 103`;
    expect(await whenDone(swap)).to.deep.equal([1, 'PROJECTION_EDITED 3', 'CHAIN_BROKEN 4']);
    const renumber =
      'DELETE FROM ledger.entry WHERE index = 3; UPDATE ledger.entry SET index = index - 1 WHERE index > 3';
    expect(await whenDone(renumber, held(shown))).to.deep.equal([1, 'ENTRY_MISSING 3', 'PROJECTION_EDITED 4']);
    const before = `INSERT INTO ledger.entry SELECT log, -1, gen_random_uuid(), link, leaf, NULL, NULL, actor, event, outcome,
      purpose, request, at, NULL, NULL FROM ledger.entry WHERE index = 0`;
    expect((await whenDone(`ALTER TABLE ledger.entry DROP CONSTRAINT entry_index_check; ${before}`))[0]).to.equal(1);
  });

  it('finds a log that a superuser wrote and chained anew, by an entry that was shown', async () => {
    const rows = await log.sql<{ leaf: string }>('SELECT leaf FROM ledger.entry ORDER BY index');
    const bodies = rows.map(({ leaf }) => leaf.slice(leaf.indexOf('\n') + 1));
    const anew = chained(bodies.map((body, i) => (i === 2 ? body.replace('support-agent', 'privacy-officer') : body)));
    const update = ({ index, link, leaf }: StoredEntry) =>
      `UPDATE ledger.entry SET leaf = '${fromUtf8(leaf)}', link = '\\x${link}' WHERE index = ${index}`;
    const rewrite = anew.map(update).join(';');
    expect(await whenDone(rewrite)).to.deep.equal([2]);
    expect(await whenDone(rewrite, held(shown))).to.deep.equal([1, 'ROOT_MISMATCH 0']);
    expect(hexBytes(shown.link)).not.to.deep.equal(toUtf8(anew.at(-1)!.link));
  });

  it('says in one line why a database cannot be read', async () => {
    const url = (change: (url: URL) => void) => {
      const changed = new URL(log.url);
      change(changed);
      return changed.href;
    };
    await log.sql(`CREATE ROLE access_ledger_test_stranger LOGIN PASSWORD 'x'`);
    const wrong: readonly (readonly [RegExp, string])[] = [
      [/PostgreSQL URL/, 'mysql://localhost/x'],
      [
        /no database of this name/,
        url((it) => {
          it.pathname = '/nowhere';
        }),
      ],
      [
        /cannot be read \(ECONNREFUSED\)/,
        url((it) => {
          it.port = '1';
        }),
      ],
      [
        /GRANT access_ledger_reviewer/,
        url((it) => {
          it.username = 'access_ledger_test_stranger';
          it.password = 'x';
        }),
      ],
      [
        /holds no log/,
        url((it) => {
          it.pathname = '/template1';
          it.username = new URL(log.superuserUrl).username;
          it.password = new URL(log.superuserUrl).password;
        }),
      ],
    ];
    const all = await Promise.all(wrong.map(([, database]) => run(['verify', '--database', database])));
    await log.sql('DROP ROLE access_ledger_test_stranger');
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(wrong[i]![0]);
    }
  });
});
