/**
 * Time bounds are where in the log a time can be. Entries stand in the order in which they were appended, and their times
 * need not: clocks differ by seconds, and can be set. Each full tile knows its oldest and its newest time, and so does each
 * tile of tiles, so a bound is found by going down the tree, 256 rows a level at most, whatever the clocks did.
 *
 * They are scalar subqueries: `log` and `at` are placeholders such as `$1`.
 */
import { TILE_WIDTH } from '../../log/tile.js';

/** The index before which no entry is of this time or later. It may be that of a tile's beginning. */
export function firstFrom(log: string, at: string): string {
  const place = placeOf(`t.newest >= ${at}`, log, 'ASC');
  return `(${place} SELECT coalesce((SELECT p.index * ${TILE_WIDTH} FROM place p WHERE p.level = 0), ${beyondTiles(log)}))`;
}

/** The index from which on no entry is earlier than this time. It may be that of a tile's end. */
export function endBefore(log: string, at: string): string {
  return `(${placeOf(`t.oldest < ${at}`, log, 'DESC')} SELECT coalesce(
    (SELECT e.index + 1 FROM ledger.entry e WHERE e.log = ${log} AND e.index >= ${beyondTiles(log)} AND e.at < ${at}
     ORDER BY e.index DESC LIMIT 1),
    (SELECT (p.index + 1) * ${TILE_WIDTH} FROM place p WHERE p.level = 0), 0))`;
}

/** Entries from here on are in no full tile: those of the last seconds. */
function beyondTiles(log: string): string {
  return coveredBy('0', log);
}

/** How far the full tiles of the level above reach: `level` is an expression. */
function coveredBy(level: string, log: string): string {
  return `coalesce((SELECT c.index + 1 FROM ledger.tile c WHERE c.log = ${log} AND c.level = ${level}
    ORDER BY c.index DESC LIMIT 1), 0) * ${TILE_WIDTH}`;
}

/**
 * The first or the last tile of level 0 that has such times. It is looked for on the right edge of the tree, among the tiles
 * of each level that no tile above covers, and then below the one that was found.
 */
function placeOf(has: string, log: string, order: 'ASC' | 'DESC'): string {
  const oldestFirst = order === 'ASC';
  return `WITH RECURSIVE place (level, index) AS (
    (SELECT t.level, t.index FROM generate_series(0, 6) AS l(level) CROSS JOIN LATERAL (
       SELECT t.level, t.index FROM ledger.tile t
       WHERE t.log = ${log} AND t.level = l.level AND t.index >= ${coveredBy('l.level + 1', log)} AND ${has}
       ORDER BY t.index ${order} LIMIT 1) t
     ORDER BY t.level ${oldestFirst ? 'DESC' : 'ASC'} LIMIT 1)
    UNION ALL
    SELECT t.level, t.index FROM place p CROSS JOIN LATERAL (
      SELECT t.level, t.index FROM ledger.tile t
      WHERE t.log = ${log} AND t.level = p.level - 1 AND t.index >= p.index * ${TILE_WIDTH}
        AND t.index < (p.index + 1) * ${TILE_WIDTH} AND ${has}
      ORDER BY t.index ${order} LIMIT 1) t
  )`;
}
