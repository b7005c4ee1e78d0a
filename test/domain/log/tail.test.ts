import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import type { AuditEntry } from '../../../src/domain/log/audit-entry.js';
import { auditTail } from '../../../src/domain/log/tail.js';
import type { Context } from '../../../src/graphql/context.js';
import { APPENDS } from '../../../src/ledger/ledger.js';
import { type Actor, formatBody } from '../../../src/log/entry.js';
import type { LogIndex } from '../../../src/log/leaf.js';
import { refusalOf, type TestGate, testGate } from '../../support/gate.js';
import { someBody } from '../../support/ledger.js';
import { ask } from '../../support/postgres.js';

describe('the tail of the log', () => {
  let gate: TestGate;
  let reviewer: Actor;
  let ending: AbortController;
  before(async () => {
    gate = await testGate();
    reviewer = await gate.signIn('security-reviewer');
  });
  after(() => gate.close());
  beforeEach(() => {
    ending = new AbortController();
  });
  afterEach(() => ending.abort());

  const contextFor = (actor = reviewer) => gate.contextFor(actor, { signal: ending.signal });
  const tail = (from: number | null, context: Context = contextFor()) => auditTail(context, from as LogIndex | null);
  const take = async (entries: AsyncGenerator<AuditEntry, void>, count: number) => {
    const taken: AuditEntry[] = [];
    for (let nth = 0; nth < count; nth++) taken.push((await entries.next()).value as AuditEntry);
    return taken;
  };
  const append = async (count: number) => {
    const asOf = await gate.size();
    await gate.core.parts.ledger.append(Array.from({ length: count }, () => someBody({ asOf })));
  };

  it('is every entry from an index on, once and in order, and goes on as it grows', async () => {
    await append(200);
    const size = await gate.size();
    const entries = await tail(3);
    expect((await take(entries, size - 3)).map(({ index }) => index)).to.deep.equal(
      Array.from({ length: size - 3 }, (_, nth) => nth + 3),
    );
    // What opened the session is an entry too, and shown; that it is shown makes no other.
    const [session] = await take(entries, 1);
    expect(session).to.deep.include({ index: size, event: 'log.read', operation: 'auditTail', outcome: 'permitted' });
    const waiting = take(entries, 3);
    await append(3);
    expect((await waiting).map(({ index }) => index)).to.deep.equal([size + 1, size + 2, size + 3]);
    expect(await gate.size()).to.equal(size + 4);
  });

  it('begins with what comes from now on, unless told otherwise', async () => {
    const entries = await tail(null);
    const size = await gate.size();
    const waiting = take(entries, 1);
    await append(1);
    expect((await waiting)[0]!.index).to.equal(size);
  });

  it('goes on where the log ends, and is refused beyond: whoever saw more of it saw another', async () => {
    const size = await gate.size();
    await tail(size);
    expect(await refusalOf(tail(size + 1))).to.equal('BAD_INPUT');
  });

  it('is refused to everybody else, by an entry', async () => {
    for (const role of ['support-agent', 'privacy-officer'] as const) {
      const other = contextFor(await gate.signIn(role));
      expect(await refusalOf(tail(0, other))).to.equal('ROLE_NOT_PERMITTED');
      const [entry] = await gate.entries(other.entries[0]!.index);
      expect(entry!.body).to.include({ event: 'log.read', outcome: 'refused', operation: 'auditTail' });
    }
  });

  it('is read in sessions of an hour: it is entered anew every hour, and ends with whoever may no longer read', async () => {
    let hours = 0;
    const actor = { ...reviewer };
    const context = { ...contextFor(actor), now: () => new Date(Date.now() + hours * 3_600_000 + hours) };
    const entries = await tail(null, context);
    await append(1);
    await take(entries, 1);
    const size = await gate.size();
    hours = 1;
    const waiting = take(entries, 2);
    await append(1);
    const shown = await waiting;
    expect(shown.map(({ operation, event }) => [event, operation])).to.deep.include(['log.read', 'auditTail']);
    expect(await gate.size()).to.equal(size + 2);
    hours = 2;
    actor.role = 'support-agent';
    await append(1);
    expect(await refusalOf(entries.next())).to.equal('ROLE_NOT_PERMITTED');
  });

  it('holds a page of entries for a reader who takes them one by one', async () => {
    await append(300);
    let read = 0;
    const context = contextFor();
    const { rows } = context;
    const query = async (text: string, values: unknown[]) => {
      const found: unknown[] = await rows.query(text, values);
      if (text.includes('leaf')) read += found.length;
      return found;
    };
    const entries = await tail(0, { ...context, rows: Object.assign(Object.create(rows), { query }) });
    await take(entries, 1);
    expect(read).to.equal(64);
    await take(entries, 64);
    expect(read).to.equal(128);
  });

  it('ends where nobody reads on', async () => {
    const entries = await tail(null);
    const waiting = entries.next();
    ending.abort();
    expect(await waiting).to.deep.equal({ done: true, value: undefined });
  });

  it('shows nothing before it is on disk, though others can see it', async () => {
    const url = gate.database.superuserUrl;
    const superuser = new pg.Client({ connectionString: url });
    await superuser.connect();
    try {
      // Nobody writes by and by what was committed without waiting: the first commit may wake the one who would.
      await superuser.query(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
      await superuser.query('SELECT pg_reload_conf()');
      await superuser.query('SET synchronous_commit = off');
      const lazily = async () => {
        const body = formatBody(someBody({ asOf: await gate.size() }));
        await superuser.query('SELECT FROM ledger.append(1, $1)', [body]);
        // So that it is looked for at once.
        channel(APPENDS).publish({});
      };
      const entries = await tail(null);
      let unflushed = 0;
      for (let round = 0; round < 3; round++) {
        const next = entries.next();
        let shown = false;
        void next.then(() => {
          shown = true;
        });
        await lazily();
        for (let looks = 0; looks < 10 && !shown; looks++) {
          await sleep(20);
          const wasShown = shown;
          const isFlushed = await ask(url, 'SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() AS it');
          if (isFlushed) break;
          unflushed++;
          expect(wasShown, 'shown, and not on disk').to.equal(false);
        }
        // A commit that waits takes with it all that came before.
        await append(1);
        await next;
        await take(entries, 1);
      }
      expect(unflushed, 'looks at what was not on disk').to.be.greaterThan(0);
    } finally {
      await superuser.query('ALTER SYSTEM RESET wal_writer_delay');
      await superuser.query('SELECT pg_reload_conf()');
      await superuser.end();
    }
  });

  it('ends where an entry is gone, and says which', async () => {
    await append(3);
    const size = await gate.size();
    const url = gate.database.superuserUrl;
    await ask(url, 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await ask(url, `DELETE FROM ledger.entry WHERE index = ${size - 2}`);
    const entries = await tail(size - 3);
    await take(entries, 1);
    const error = await entries.next().catch((thrown: Error) => thrown);
    expect(error)
      .to.be.instanceOf(Error)
      .and.have.property('message')
      .that.includes(`Entry ${size - 2} is not there`);
  });
});
