/**
 * A walk is a table read from its first block to its last, some blocks at a time, in the order in which it lies on the disk:
 * no index is trusted or needed, nothing is read twice, and how far it has come is known. Each stretch is one statement,
 * which answers with what it counted and not with rows, so a walk over ten million rows takes no more memory than one over
 * ten.
 */
import type pg from 'pg';

/** Blocks of 8 KB: some thousands of entries. */
const BLOCKS = 1_024;

export interface Walk {
  /** Of a schema of ours. */
  readonly table: string;
  /** What it looks for, where that needs more than the table. */
  readonly title?: string;
  /**
   * What is wrong in a stretch: selects `code` and `place` from `stretch`, the rows at hand under their own names.
   * Everything else is to be looked up by key.
   */
  readonly wrong: string;
  /** Which rows are looked at, by their own columns; all, if it is not said. */
  readonly where?: string;
}

/** Rows that have something wrong: what, how many, and where some of them are. */
export interface Wrong {
  readonly code: string;
  readonly count: number;
  readonly places: readonly string[];
}

/** As many places as are told of one code. */
export const MOST_PLACES = 20;

/**
 * @param client in a snapshot
 * @param blocks how many the table has
 * @param onRows is told how many rows were read so far, and the share of the table
 * @param stretch in blocks
 */
export async function walk(
  client: pg.ClientBase,
  { table, wrong, where = 'true' }: Walk,
  blocks: number,
  onRows: (rows: number, share: number) => void,
  stretch = BLOCKS,
): Promise<{ rows: number; wrong: Wrong[] }> {
  const statement = `
    WITH stretch AS MATERIALIZED (
      SELECT * FROM ${table} WHERE ctid >= $1::tid AND ctid < $2::tid AND (${where})
    ), wrong AS (${wrong})
    SELECT code, count(*)::int AS count, (array_agg(place ORDER BY place))[1:${MOST_PLACES}] AS places FROM wrong GROUP BY code
    UNION ALL SELECT NULL, (SELECT count(*)::int FROM stretch), NULL`;
  const found = new Map<string, Wrong>();
  let rows = 0;
  for (let from = 0; from < blocks; from += stretch) {
    const answer = await client.query<{ code: string | null; count: number; places: string[] }>(statement, [
      `(${from},0)`,
      `(${from + stretch},0)`,
    ]);
    for (const { code, count, places } of answer.rows) {
      if (code === null) rows += count;
      else found.set(code, together(found.get(code), { code, count, places }));
    }
    onRows(rows, Math.min(1, (from + stretch) / blocks));
  }
  return { rows, wrong: [...found.values()] };
}

export async function blocksOf(client: pg.ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<{ blocks: string }>(
    "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::int AS blocks",
    [table],
  );
  return Number(rows[0]!.blocks);
}

function together(before: Wrong | undefined, { code, count, places }: Wrong): Wrong {
  if (!before) return { code, count, places };
  return { code, count: before.count + count, places: [...before.places, ...places].slice(0, MOST_PLACES) };
}
