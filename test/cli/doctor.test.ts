import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Diagnosis } from '../../src/doctor/doctor.js';
import { formatKeys, generateKeys } from '../../src/vault/key-file.js';
import { LOGIN, someBody, type TestLedger, testLedger } from '../support/ledger.js';
import { ask } from '../support/postgres.js';
import { folder, run } from './command.js';

describe('access-ledger doctor', () => {
  const { path } = folder();
  const file = generateKeys(new Date(), randomBytes);
  let log: TestLedger;
  /** A test's cluster does without fsync, and is told so. */
  let isDurable: boolean;

  before(async () => {
    log = await testLedger();
    await log.ledger.append([someBody({ asOf: 0 })]);
    await writeFile(path('kek.json'), formatKeys(file), { mode: 0o600 });
    isDurable = (await ask(log.superuserUrl, "SELECT current_setting('fsync') AS it")) === 'on';
  });
  after(() => log.close());

  const examine = (url: string, ...more: string[]) =>
    run(['doctor', '--database', url, '--server-login', LOGIN.user, ...more]);

  async function diagnosed(url: string, ...more: string[]): Promise<{ status: number | null; diagnosis: Diagnosis }> {
    const { status, out, err } = await examine(url, '--json', '--key-file', path('kek.json'), ...more);
    expect(err).to.equal('');
    return { status, diagnosis: JSON.parse(out) as Diagnosis };
  }

  it('finds nothing in a database that was migrated and written by the ledger: as a superuser, and as the server', async () => {
    for (const url of [log.superuserUrl, log.url]) {
      const { status, diagnosis } = await diagnosed(url);
      expect([...new Set(diagnosis.findings.map(({ code }) => code))]).to.deep.equal(isDurable ? [] : ['NOT_DURABLE']);
      expect([status, diagnosis.healthy, diagnosis.unchecked]).to.deep.equal([0, true, []]);
      expect(diagnosis.keks).to.deep.equal([{ kek: file.current, wraps: 0, retires: file.keks[0]!.retires }]);
    }
  });

  it('lists what it finds in one table, each with what to do, and exits with 1', async () => {
    await log.sql('GRANT INSERT ON ledger.checkpoint TO access_ledger_reviewer');
    await log.sql('ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await log.sql('CREATE ROLE "doctor\x1b[2Jtest" LOGIN; GRANT access_ledger_writer TO "doctor\x1b[2Jtest"');
    try {
      const { status, out, err } = await examine(log.superuserUrl);
      expect([status, err]).to.deep.equal([1, '']);
      const [head, ...lines] = out.split('\n').filter((line) => !/NOT_DURABLE|fsync|turn it on/.test(line));
      const column = head!.indexOf('WHAT');
      expect(head).to.match(/^FINDING +WHAT, AND WHAT TO DO$/);
      const found = lines.slice(0, lines.indexOf(''));
      expect(found.map((line) => line.slice(0, column).trim())).to.deep.equal([
        'TRIGGER_CHANGED',
        '',
        'GRANT_ADDED',
        '',
        'LOGIN_WRITES_LOG',
        '',
        'LOGIN_UNKNOWN',
        '',
      ]);
      expect(found.map((line) => line.slice(column)).slice(0, 4)).to.deep.equal([
        'trigger append_only on ledger.entry has fires "never" instead of "always"',
        '→ ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER append_only',
        'granted: INSERT on ledger.checkpoint to access_ledger_reviewer',
        '→ REVOKE INSERT ON ledger.checkpoint FROM access_ledger_reviewer',
      ]);
      expect(out).to.match(/\nunwell: 4 things are wrong; [\d,]+ rows looked at\n$/);
      expect(out).to.include('not checked: until when KEKs wrap').and.not.include('\x1b');
    } finally {
      await log.sql('REVOKE access_ledger_writer FROM "doctor\x1b[2Jtest"; DROP ROLE "doctor\x1b[2Jtest"');
      await log.sql('ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER append_only');
      await log.sql('REVOKE INSERT ON ledger.checkpoint FROM access_ledger_reviewer');
    }
  });

  it('says what a reviewer’s login does not suffice for', async () => {
    await log.sql("CREATE ROLE doctor_test LOGIN NOINHERIT PASSWORD 'x'; GRANT access_ledger_reviewer TO doctor_test");
    try {
      const { status, diagnosis } = await diagnosed(loginOf('doctor_test'));
      expect([status, diagnosis.healthy]).to.deep.equal([0, true]);
      expect(diagnosis.unchecked).to.have.length(1);
      expect(diagnosis.unchecked[0])
        .to.match(/^this login may not read: which migrations were made, how old keys are, registry\./)
        .and.to.match(/registry\.record_version, the rows that entries name$/);
      const { out } = await examine(loginOf('doctor_test'));
      expect(out).to.match(/\nhealthy: as far as it was checked, /);
    } finally {
      await log.sql('REVOKE access_ledger_reviewer FROM doctor_test; DROP ROLE doctor_test');
    }
  });

  it('says in one line why there is nothing to examine', async () => {
    await log.sql("CREATE ROLE doctor_test LOGIN PASSWORD 'x'");
    const empty = new URL(log.superuserUrl);
    empty.pathname = '/template1';
    await writeFile(path('none.json'), '{}', { mode: 0o600 });
    const wrong: readonly (readonly [RegExp, string, ...string[]])[] = [
      [/may not read the log: .*DATABASE_OWNER_URL/, loginOf('doctor_test')],
      [/holds no log: start the server/, empty.href],
      [/PostgreSQL URL/, 'mysql://localhost/x'],
      [/there is no such file/, log.url, '--key-file', path('nowhere.json')],
      [/none\.json: .*version/, log.url, '--key-file', path('none.json')],
    ];
    const all = await Promise.all(wrong.map(([, url, ...more]) => examine(url, ...more)));
    await log.sql('DROP ROLE doctor_test');
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(wrong[i]![0]);
    }
  });

  it('takes DATABASE_OWNER_URL before DATABASE_URL, whose login it takes for the server’s, and the keys of KEK', async () => {
    const env = { DATABASE_OWNER_URL: log.superuserUrl, DATABASE_URL: log.url, KEK: formatKeys(file) };
    const { status, out } = await run(['doctor', '--json'], { env });
    const { unchecked, keks } = JSON.parse(out) as Diagnosis;
    expect([status, unchecked, keks.length]).to.deep.equal([0, [], 1]);
    const wrong = await run(['doctor'], { env: { ...env, DATABASE_OWNER_URL: 'mysql://x' } });
    expect([wrong.status, wrong.err]).to.deep.equal([
      3,
      'access-ledger: DATABASE_OWNER_URL is no PostgreSQL URL: it begins with postgres://\n',
    ]);
  });

  function loginOf(user: string): string {
    const url = new URL(log.url);
    url.username = user;
    url.password = 'x';
    return url.href;
  }
});
