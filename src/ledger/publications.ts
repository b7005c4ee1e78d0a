/**
 * Publications are what the writer's role may write of what is published: by the functions of migrations/0006-publish.sql,
 * and by nothing else.
 */
import type pg from 'pg';
import { sqlStateOf } from '../database/fault.js';
import { toHex } from '../log/bytes.js';
import type { FullTile } from '../log/tile-edge.js';
import type { Hash } from '../log/tree.js';
import { faultOf } from './fault.js';

export interface Publications {
  /** Whether this holder publishes for the next so many seconds. */
  lease(seconds: number): Promise<boolean>;
  release(): Promise<void>;
  /** Fixes a size and its root, durably. @returns whether this holder still publishes, and nothing larger was staged */
  stage(size: number, root: Hash, tiles: readonly FullTile[]): Promise<boolean>;
  /** Keeps the signature of what was staged. */
  sign(size: number, note: string): Promise<void>;
  /** Keeps a witness's cosignature: the line, and the name and id of its key. */
  cosign(size: number, witness: string, line: string): Promise<void>;
}

const NOT_OURS_TO_STAGE = new Set(['AL007', 'AL008']);

/** @throws by its verbs: LedgerFault */
export function publications(pool: pg.Pool, log: number, holder: string): Publications {
  const call = async (text: string, values: unknown[]) => {
    const { rows } = await pool.query<{ answer: unknown }>({ text, values });
    return rows[0]!.answer;
  };
  const rethrow = (error: unknown): never => {
    throw faultOf(error);
  };
  return {
    lease: (seconds) =>
      call('SELECT ledger.lease($1, $2, $3) AS answer', [log, holder, seconds]).then(Boolean, rethrow),
    async release() {
      await call('SELECT ledger.release($1, $2) AS answer', [log, holder]).catch(rethrow);
    },
    async stage(size, root, tiles) {
      const roots = tiles.map(({ level, index, root: hash }) => ({ level, index, root: toHex(hash) }));
      try {
        await call('SELECT ledger.stage($1, $2, $3, $4, $5) AS answer', [
          log,
          holder,
          size,
          root,
          JSON.stringify(roots),
        ]);
        return true;
      } catch (error) {
        if (NOT_OURS_TO_STAGE.has(sqlStateOf(error) ?? '')) return false;
        throw faultOf(error);
      }
    },
    async sign(size, note) {
      await call('SELECT ledger.sign($1, $2, $3) AS answer', [log, size, note]).catch(rethrow);
    },
    async cosign(size, witness, line) {
      await call('SELECT ledger.cosign($1, $2, $3, $4) AS answer', [log, size, witness, line]).catch(rethrow);
    },
  };
}
