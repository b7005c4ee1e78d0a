/**
 * What this version of the code and the database have to agree in: which migrations were made, and which events there are
 * and change facts. An event that were said to change none would let permissions stand after what ended them.
 */
import type pg from 'pg';
import { MIGRATIONS } from '../../migrations/index.js';
import { EVENTS } from '../log/event.js';
import type { DoctorFinding } from './finding.js';

export async function migrationFindings(client: pg.ClientBase): Promise<DoctorFinding[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM public.migration');
  const made = new Set(rows.map(({ name }) => name));
  const known = new Set(MIGRATIONS.map((Migration) => new Migration().name ?? ''));
  const missing = [...known]
    .filter((name) => !made.has(name))
    .map(
      (name): DoctorFinding => ({
        code: 'MIGRATION_MISSING',
        what: `the migration ${name} was not made here`,
        remedy: 'start a server of this version with DATABASE_OWNER_URL',
      }),
    );
  const unknown = [...made]
    .filter((name) => !known.has(name))
    .map(
      (name): DoctorFinding => ({
        code: 'MIGRATION_UNKNOWN',
        what: `the migration ${name} is none of this version's`,
        remedy: "run the doctor of the servers' version",
      }),
    );
  return [...missing, ...unknown];
}

export async function eventFindings(client: pg.ClientBase): Promise<DoctorFinding[]> {
  const { rows } = await client.query<{ name: string; changesFacts: boolean }>(
    'SELECT name, changes_facts AS "changesFacts" FROM ledger.event',
  );
  const found = new Map(rows.map(({ name, changesFacts }) => [name, changesFacts]));
  const known = new Map(Object.entries(EVENTS).map(([name, { changesFacts }]) => [name, changesFacts]));
  const names = [...new Set([...known.keys(), ...found.keys()])].sort();
  return names
    .filter((name) => known.get(name) !== found.get(name))
    .map((name): DoctorFinding => {
      const changes = known.get(name);
      const literal = `'${name.replaceAll("'", "''")}'`;
      const sql =
        changes === undefined
          ? `DELETE FROM ledger.event WHERE name = ${literal}`
          : `INSERT INTO ledger.event (name, changes_facts) VALUES (${literal}, ${changes}) ON CONFLICT (name) DO UPDATE SET changes_facts = ${changes}`;
      return {
        code: 'EVENT_CHANGED',
        what: `the event ${name}: ${said(found.get(name))}, not ${said(changes)}`,
        remedy: sql,
        sql,
      };
    });
}

function said(changes: boolean | undefined): string {
  return changes === undefined ? 'unknown' : changes ? 'changes facts' : 'changes no facts';
}
