/**
 * The tree reader answers for what is published of a log: its tiles, and its checkpoints. Full tiles are rows; a partial one
 * is put together from the links or roots that it will hold.
 */
import type pg from 'pg';
import { TILE_WIDTH, type Tile, type Tiles } from '../log/tile.js';
import type { Hash } from '../log/tree.js';

export interface StagedCheckpoint {
  readonly size: number;
  readonly root: Hash;
  /** The signed note. Null from when size and root are fixed to when it is signed. */
  readonly note: string | null;
  readonly stagedAt: Date;
  /** The lines of the witnesses that have cosigned it so far. */
  readonly cosignatures: readonly string[];
}

export interface SignedCheckpoint extends StagedCheckpoint {
  readonly note: string;
}

export interface TreeReader extends Tiles {
  /** Null while there is none. */
  newestCheckpoint(): Promise<StagedCheckpoint | null>;
  /** The newest that was signed, and cosigned by at least so many witnesses. */
  newestSigned(quorum?: number): Promise<SignedCheckpoint | null>;
  /** The one of exactly this size; null where none was signed. */
  signedAt(size: number): Promise<SignedCheckpoint | null>;
  /** Links of committed entries from an index on, in order and without a gap; fewer than `limit` at the end. */
  links(from: number, limit: number): Promise<Hash[]>;
  /** Leaves from an index on, likewise. */
  leaves(from: number, limit: number): Promise<Uint8Array[]>;
  /** How many entries the log has. */
  size(): Promise<number>;
}

/** A tile that is not published, or an entry missing where one has to be. */
export class NotThere extends Error {
  override readonly name = 'NotThere';
}

interface CheckpointRow {
  readonly size: string;
  readonly root: Buffer;
  readonly note: string | null;
  readonly stagedAt: Date;
  readonly cosignatures: string[];
}

const CHECKPOINT = `
  SELECT c.size, c.root, c.note, c.staged_at AS "stagedAt", ARRAY(
    SELECT s.line FROM ledger.cosignature s WHERE s.size = c.size AND s.log = c.log ORDER BY s.at, s.witness) AS cosignatures
  FROM ledger.checkpoint c`;

/** By the index of cosignatures, from the newest on: checkpoints that nobody cosigned are not looked at. */
const NEWEST_COSIGNED = `
  SELECT s.size FROM ledger.cosignature s WHERE s.log = $1 GROUP BY s.size HAVING count(*) >= $2
  ORDER BY s.size DESC LIMIT 1`;

/** @param pool or one connection, in a transaction of its own */
export function treeReader(pool: Pick<pg.Pool, 'query'>, log: number): TreeReader {
  async function checkpoint(name: string, where: string, values: unknown[]): Promise<StagedCheckpoint | null> {
    const text = `${CHECKPOINT} WHERE c.log = $1 ${where} ORDER BY c.size DESC LIMIT 1`;
    const { rows } = await pool.query<CheckpointRow>({ name, text, values });
    const [row] = rows;
    return row ? { ...row, size: Number(row.size), root: new Uint8Array(row.root) as Hash } : null;
  }

  async function signed(name: string, where: string, values: unknown[]): Promise<SignedCheckpoint | null> {
    const found = await checkpoint(name, where, values);
    return found && { ...found, note: found.note! };
  }

  return {
    newestCheckpoint: () => checkpoint('newest-checkpoint', '', [log]),

    newestSigned: (quorum = 0) =>
      quorum === 0
        ? signed('newest-signed', 'AND c.note IS NOT NULL', [log])
        : signed('newest-cosigned', `AND c.note IS NOT NULL AND c.size = (${NEWEST_COSIGNED})`, [log, quorum]),

    signedAt: (size) => signed('signed-at', 'AND c.note IS NOT NULL AND c.size = $2', [log, size]),

    async read(tiles) {
      const { rows } = await pool.query<{ hashes: Buffer | null }>({
        name: 'tiles',
        text: `
          SELECT CASE
            WHEN w.width = ${TILE_WIDTH} THEN (
              SELECT t.hashes FROM ledger.tile t WHERE t.log = $1 AND t.level = w.level AND t.index = w.index)
            WHEN w.level = 0 THEN (
              SELECT string_agg(e.link, ''::bytea ORDER BY e.index) FROM ledger.entry e
              WHERE e.log = $1 AND e.index >= w.index * ${TILE_WIDTH} AND e.index < w.index * ${TILE_WIDTH} + w.width)
            ELSE (
              SELECT string_agg(t.root, ''::bytea ORDER BY t.index) FROM ledger.tile t
              WHERE t.log = $1 AND t.level = w.level - 1
                AND t.index >= w.index * ${TILE_WIDTH} AND t.index < w.index * ${TILE_WIDTH} + w.width)
            END AS hashes
          FROM json_to_recordset($2::json) AS w(nth int, level smallint, index bigint, width int) ORDER BY w.nth`,
        values: [log, JSON.stringify(tiles.map((tile, nth) => ({ ...tile, nth })))],
      });
      return tiles.map(({ level, index, width }: Tile, nth) => {
        const hashes = rows[nth]?.hashes;
        if (hashes?.length !== width * 32)
          throw new NotThere(`no tile ${index} of level ${level} with ${width} hashes`);
        return new Uint8Array(hashes);
      });
    },

    async links(from, limit) {
      // One value rather than a row each: half the work, here and there.
      const { rows } = await pool.query<{ links: Buffer | null; count: string; last: string | null }>({
        name: 'links',
        text: `SELECT string_agg(e.link, ''::bytea ORDER BY e.index) AS links, count(*), max(e.index) AS last
          FROM (SELECT e.index, e.link FROM ledger.entry e WHERE e.log = $1 AND e.index >= $2 ORDER BY e.index LIMIT $3) e`,
        values: [log, from, limit],
      });
      const { links, count, last } = rows[0]!;
      if (last !== null && Number(last) !== from + Number(count) - 1) {
        throw new NotThere(`not every entry from ${from} to ${last}`);
      }
      const bytes = new Uint8Array(links ?? []);
      return Array.from({ length: Number(count) }, (_, nth) => bytes.subarray(nth * 32, nth * 32 + 32) as Hash);
    },

    async leaves(from, limit) {
      const { rows } = await pool.query<{ index: string; leaf: string }>({
        name: 'leaves',
        text: 'SELECT e.index, e.leaf FROM ledger.entry e WHERE e.log = $1 AND e.index >= $2 ORDER BY e.index LIMIT $3',
        values: [log, from, limit],
      });
      const gap = rows.findIndex(({ index }, nth) => Number(index) !== from + nth);
      if (gap >= 0) throw new NotThere(`no entry ${from + gap}, although there are later ones`);
      return rows.map(({ leaf }) => Buffer.from(leaf));
    },

    async size() {
      const { rows } = await pool.query<{ size: string }>({
        name: 'log-size',
        text: 'SELECT e.index + 1 AS size FROM ledger.entry e WHERE e.log = $1 ORDER BY e.index DESC LIMIT 1',
        values: [log],
      });
      return Number(rows[0]?.size ?? 0);
    },
  };
}
