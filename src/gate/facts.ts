/**
 * Reading facts: one statement for a whole batch of asks, one JSON cell back. See fact-source.ts for how it is made.
 */
import type pg from 'pg';
import { faultOf } from '../ledger/fault.js';
import type { Pseudonym, RecordId } from '../log/entry.js';
import type { Facts } from '../policy/decide.js';
import type { FactSources } from './fact-source.js';
import type { Holdings } from './holdings.js';

export interface Question {
  /** Null for a person that is not known yet. */
  readonly subject: Pseudonym | null;
  /** One record, instead of a person and categories: it has one of each. */
  readonly record?: RecordId;
  readonly purpose: string;
  readonly categories: readonly string[] | null;
  /** Whether the sealed values are wanted too. */
  readonly values: boolean;
}

export interface Answer {
  readonly facts: Facts;
  readonly holdings: Holdings;
}

export interface Snapshot {
  /** The log's size in the snapshot that all answers were read in. */
  readonly asOf: number;
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
}

export type ReadFacts = (actor: Pseudonym, questions: readonly Question[]) => Promise<Snapshot>;

interface Cell {
  asOf: number;
  aims: Record<string, unknown>[];
  asks: unknown[];
}

export function factReader(pool: pg.Pool, log: number, sources: FactSources): ReadFacts {
  const { holdings, ...aimed } = sources;
  const members = Object.entries(aimed).map(([name, source]) => `'${name}', (${source.sql})`);
  const text = `
    WITH aim AS MATERIALIZED (
      SELECT a.position, a.purpose, CASE WHEN a.record IS NULL THEN a.categories
        ELSE ARRAY(SELECT r.category FROM registry.record r WHERE r.log = $1 AND r.id = a.record) END AS categories,
        (SELECT r.subject FROM registry.record r WHERE r.log = $1 AND r.id = a.record) AS subject
      FROM json_to_recordset($3::json) AS a(position int, purpose text, categories text[], record uuid)
    ), ask AS MATERIALIZED (
      SELECT q.position, coalesce(q.subject, aim.subject) AS subject, aim.purpose, aim.categories, q.values
      FROM json_to_recordset($4::json) AS q(position int, subject uuid, aim int, values boolean)
        JOIN aim ON aim.position = q.aim
    )
    SELECT json_build_object(
      'asOf', coalesce((SELECT e.index + 1 FROM ledger.entry e WHERE e.log = $1 ORDER BY e.index DESC LIMIT 1), 0),
      'aims', (SELECT json_agg(json_build_object(${members.join(', ')}) ORDER BY aim.position)
        FROM aim, (SELECT $2::uuid AS id) AS actor),
      'asks', (SELECT json_agg((${holdings.sql}) ORDER BY ask.position) FROM ask)
    ) AS cell`;

  return async (actor, questions) => {
    const aims = new Map<string, object & { position: number }>();
    const asks = questions.map(({ subject, record, values, ...asked }, position) => {
      const purpose = keyOrNone(asked.purpose);
      const categories = asked.categories?.map(keyOrNone) ?? null;
      const key = JSON.stringify([purpose, categories, record]);
      const aim = aims.get(key) ?? { position: aims.size, purpose, categories, record };
      aims.set(key, aim);
      return { position, subject, aim: aim.position, values };
    });
    const values = [log, actor, JSON.stringify([...aims.values()]), JSON.stringify(asks)];
    const { rows } = await pool.query<{ cell: Cell }>({ name: 'facts', text, values }).catch((error: unknown) => {
      throw faultOf(error);
    });
    const cell = rows[0]!.cell;
    const facts = (cell.aims ?? []).map(
      (aim) =>
        Object.fromEntries(
          Object.entries(aimed).map(([name, source]) => [name, source.parse(aim[name])]),
        ) as object as Facts,
    );
    return {
      asOf: cell.asOf,
      answers: asks.map(({ aim }, at) => ({ facts: facts[aim]!, holdings: holdings.parse(cell.asks[at]) })),
    };
  };
}

/** What can be a declared key at all. Other text never reaches the database: it could not even be compared with one. */
const KEY = /^[a-z][a-z_.-]{0,99}$/;

export function keyOrNone(text: string): string {
  return KEY.test(text) ? text : '';
}
