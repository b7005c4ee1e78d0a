/**
 * A filter says which entries of the log are wanted: those for which every given member is exactly so. It becomes the
 * condition of a statement, over columns that have an index; what cannot be in any entry becomes no statement at all.
 */
import type { EntityManager } from 'typeorm';
import { uuidOrNull } from '../../graphql/id.js';

/** As it was sent. */
export interface EntryFilter {
  readonly subject?: string | null;
  readonly actor?: string | null;
  readonly event?: string | null;
  readonly purpose?: string | null;
  readonly outcome?: string | null;
  /** The first moment. */
  readonly from?: Date | null;
  /** The first moment after. */
  readonly to?: Date | null;
  readonly request?: string | null;
}

export interface Condition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** What an event, an outcome or the key of a purpose can look like. */
const WORD = /^[a-z][a-z.-]{0,99}$/;
const wordOrNull = (text: string) => (WORD.test(text) ? text : null);

const EXACT = {
  subject: uuidOrNull,
  actor: uuidOrNull,
  event: wordOrNull,
  purpose: wordOrNull,
  outcome: wordOrNull,
  request: uuidOrNull,
} as const satisfies { readonly [member in keyof EntryFilter]: (sent: string) => string | null };

const WORDS: ReadonlySet<string> = new Set(['event', 'purpose', 'outcome']);

/** Over `ledger.entry e`, with `log` and its values from $1 on. Null where no entry can be as the filter says. */
export async function conditionOf(rows: EntityManager, log: number, filter: EntryFilter): Promise<Condition | null> {
  const values: unknown[] = [log];
  const parts = ['e.log = $1'];
  const add = (sql: string, value: unknown) => parts.push(`e.${sql} $${values.push(value)}`);
  for (const [column, parse] of Object.entries(EXACT)) {
    const sent = filter[column as keyof typeof EXACT];
    if (sent == null) continue;
    const value = parse(sent);
    if (value === null) return null;
    // Words are written out, so that PostgreSQL plans for this one: rare among millions, or what nearly all entries say.
    // A word has no quote in it.
    if (WORDS.has(column)) parts.push(`e.${column} = '${value}'`);
    else add(`${column} =`, value);
  }
  if (filter.from) {
    add('at >=', filter.from);
    add('index >=', (await indicesAround(rows, log, new Date(filter.from.getTime() - SKEW_MS))).least);
  }
  if (filter.to) {
    add('at <', filter.to);
    add('index <', (await indicesAround(rows, log, new Date(filter.to.getTime() + SKEW_MS))).most);
  }
  return { sql: parts.join(' AND '), values };
}

/**
 * How far the times of two entries can be from their order: each is within 5 s of the database's clock at the moment when
 * the log's head was locked for it, so ten seconds while that clock only goes forward. Ten minutes leave room for one that
 * was set.
 */
const SKEW_MS = 600_000;

/**
 * The place of a time in the log, by bisection over the index: 24 look-ups in a log of ten million. Times are in order but
 * for the skew, so an entry before `least` is not after the time by more than that, and one from `most` on not before it.
 */
async function indicesAround(rows: EntityManager, log: number, at: Date): Promise<{ least: string; most: string }> {
  const [place] = await rows.query(
    `WITH RECURSIVE bisection (step, least, most) AS (
       SELECT 0, 0::bigint,
         coalesce((SELECT e.index + 1 FROM ledger.entry e WHERE e.log = $1 ORDER BY e.index DESC LIMIT 1), 0)
       UNION ALL
       SELECT b.step + 1, CASE WHEN e.at < $2 THEN e.index + 1 ELSE b.least END,
         CASE WHEN e.at < $2 THEN b.most ELSE e.index END
       FROM bisection b CROSS JOIN LATERAL (
         SELECT e.index, e.at FROM ledger.entry e WHERE e.log = $1 AND e.index = (b.least + b.most) / 2
       ) e
       WHERE b.least < b.most
     )
     SELECT b.least, b.most FROM bisection b ORDER BY b.step DESC LIMIT 1`,
    [log, at],
  );
  return place;
}
