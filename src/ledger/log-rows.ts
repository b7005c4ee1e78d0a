/**
 * Log rows are the log as its database keeps it, in order: the leaf, its link, and the columns that answer queries.
 *
 * They come by a cursor and not by pages of keys: somebody who drops the primary key could hide a row at the border of a
 * page.
 */
import type pg from 'pg';
import { toUtf8 } from '../log/bytes.js';
import type { Projection } from '../log/projection.js';
import type { StoredEntry } from '../log/reading.js';

const PAGE = 1_000;

/** Both ends included; null: the beginning, or as far as it goes. */
export interface Range {
  readonly from: number;
  readonly to: number | null;
}

export async function logOrigin(client: pg.ClientBase, log: number): Promise<string> {
  const { rows } = await client.query<{ origin: string }>('SELECT origin FROM ledger.head WHERE log = $1', [log]);
  return rows[0]!.origin;
}

/** One more than the newest entry's index; 0 for an empty log. */
export async function logSize(client: pg.ClientBase, log: number): Promise<number> {
  const text = 'SELECT coalesce(max(index) + 1, 0) AS size FROM ledger.entry WHERE log = $1';
  const { rows } = await client.query<{ size: string }>(text, [log]);
  return Number(rows[0]!.size);
}

/** Null where there is no such entry. */
export async function linkAt(client: pg.ClientBase, log: number, index: number): Promise<string | null> {
  const text = `SELECT encode(link, 'hex') AS link FROM ledger.entry WHERE log = $1 AND index = $2`;
  const { rows } = await client.query<{ link: string }>(text, [log, index]);
  return rows[0]?.link ?? null;
}

type Row = readonly [index: string, link: string, leaf: string, ...projection: (string | null)[]];

/** As strings, spelt as in a body: a time that has more than milliseconds keeps them, so that it differs. */
const PROJECTION = `changed, changed_all, id, nth, subject, actor, event, purpose, outcome, request,
  regexp_replace(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '')
    || CASE WHEN extract(year FROM at) < 1 THEN ' BC' ELSE '' END || 'Z'`;

/**
 * Gives `read` one snapshot of the database, however long it looks at it.
 *
 * @param client of a connection that is ended afterwards
 */
export async function inSnapshot<C extends pg.ClientBase, T>(client: C, read: (client: C) => Promise<T>): Promise<T> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // A log may be long, and a page of it slow to come.
  await client.query('SET LOCAL statement_timeout = 0');
  return read(client);
}

/**
 * Pages of the log. The next one is under way while a page is looked at. Where somebody has left no leaf, or no link, it is
 * an empty one.
 *
 * @param client in a transaction
 */
export async function* logPages(
  client: pg.ClientBase,
  log: number,
  { from, to }: Range,
  { projected }: { projected: boolean },
): AsyncGenerator<StoredEntry[], void, undefined> {
  await client.query(`DECLARE entries NO SCROLL CURSOR FOR
    SELECT index, coalesce(encode(link, 'hex'), ''), coalesce(leaf, '')${projected ? `, ${PROJECTION}` : ''} FROM ledger.entry
    WHERE log = ${log}${from > 0 ? ` AND index >= ${from}` : ''}${to === null ? '' : ` AND index <= ${to}`}
    ORDER BY index`);
  let coming = fetchPage(client);
  for (;;) {
    const { rows } = await coming;
    if (rows.length === 0) return;
    coming = fetchPage(client);
    yield rows.map((row) => (projected ? { ...entryOf(row), projection: projectionOf(row) } : entryOf(row)));
  }
}

function fetchPage(client: pg.ClientBase): Promise<pg.QueryArrayResult<Row & unknown[]>> {
  const page = client.query<Row & unknown[]>({ text: `FETCH ${PAGE} FROM entries`, rowMode: 'array' });
  // It fails where it is awaited; until then it may be abandoned.
  page.catch(() => {});
  return page;
}

function entryOf([index, link, leaf]: Row): StoredEntry {
  return { index: Number(index), link, leaf: toUtf8(leaf) };
}

function projectionOf([, , , changed, changedAll, ...columns]: Row): Projection {
  const [id, nth, subject, actor, event, purpose, outcome, request, at] = columns.map((column) => column ?? null);
  const changes = { changed: indexOf(changed), changedAll: indexOf(changedAll) };
  const fromLeaf = { id, nth, subject, actor, event, purpose, outcome, request, at };
  return { ...fromLeaf, changes } as Projection;
}

/** int8, as `pg` gives it. */
function indexOf(text: string | null | undefined): number | null {
  return text == null ? null : Number(text);
}
