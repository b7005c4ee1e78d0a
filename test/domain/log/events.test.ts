import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { EVENTS, type EventName } from '../../../src/log/event.js';
import { refusedByRole } from '../../../src/policy/role.js';
import { type TestLedger, testLedger } from '../../support/ledger.js';

describe('events', () => {
  let test: TestLedger;
  before(async () => {
    test = await testLedger();
  });
  after(() => test.close());

  it('are the same in the code and in the database', async () => {
    const rows = await test.sql<{ name: string; changes_facts: boolean }>(
      'SELECT name, changes_facts FROM ledger.event',
    );
    const inCode = Object.entries(EVENTS).map(([name, { changesFacts }]) => [name, changesFacts]);
    expect(Object.fromEntries(rows.map((row) => [row.name, row.changes_facts]))).to.deep.equal(
      Object.fromEntries(inCode),
    );
  });

  it('are each open to somebody, and none to everybody', () => {
    const id = randomUUID() as string as Pseudonym;
    const actors: Actor[] = [
      { id, kind: 'user' },
      { id, kind: 'processor' },
      { id, kind: 'system' },
      { id, kind: 'staff' },
      ...['support-agent', 'privacy-officer', 'security-reviewer', 'user', 'system'].map(
        (role): Actor => ({ id, kind: 'staff', role }),
      ),
    ];
    for (const event of Object.keys(EVENTS) as EventName[]) {
      const open = actors.filter((actor) => refusedByRole(actor, event) === null);
      expect(open.length, event).to.be.within(1, 4);
      const imposters = open.filter(({ kind, role }) => kind === 'staff' && !role?.includes('-'));
      expect(imposters, event).to.deep.equal([]);
    }
  });
});
