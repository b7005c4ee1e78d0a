/**
 * The ledger is the only writer: of the log, and of every row that a person's data or a decision is in.
 *
 *     const [appended] = await ledger.append([body]);     after COMMIT: an entry, and the receipt that opens what it names
 *     const changed = await ledger.change(async (tx) => …);  rows and entries commit together, or not at all
 *
 * Two or more processes may do this on one database: the lock on the log's head puts their entries in one order.
 */

import { channel } from 'node:diagnostics_channel';
import type pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { isConflict, isDatabaseError, isDefinite, sqlStateOf } from '../database/fault.js';
import { grouping } from '../database/grouping.js';
import { type Body, type Entry, formatBody, type PermittedBody, type RecordId } from '../log/entry.js';
import type { Link, LogIndex } from '../log/leaf.js';
import { faultOf, isErasureRace, LedgerFault, STALE } from './fault.js';
import { issueReceipt, type Receipt } from './receipt.js';

/** The receipt is null for a refusal, which opens nothing. Stale: not written, for its facts have changed since. */
export type Appended = { readonly entry: Entry; readonly receipt: Receipt | null } | 'stale';

/** Rows to read and write inside the transaction. Dead once `work` has returned. */
export interface Tx {
  readonly rows: EntityManager;
}

export interface Change<T> {
  readonly bodies: readonly [PermittedBody, ...PermittedBody[]];
  readonly value: T;
}

/** A new version of one value. */
export interface ValueChange {
  readonly body: PermittedBody;
  readonly record: RecordId;
  /** The version that must stand for this one to follow it. */
  readonly expected: number;
  readonly channel: string;
  readonly sealed: Uint8Array;
  /** Null where the category is not searchable. */
  readonly digest: Uint8Array | null;
}

export interface Ledger {
  /**
   * Resolves after COMMIT, in order. Idempotent by the bodies' ids.
   *
   * @throws NotCanonical, BodyTooLarge before anything is written; LedgerFault
   */
  append(bodies: readonly Body[]): Promise<Appended[]>;
  /**
   * Commits what `work` wrote together with the entries it returns, or neither. The log's head is locked for the last
   * round trip only. `work` may be run again by the caller after 'stale', which is also what a deadlock is, and the
   * loser of an erasure and a collection at once.
   *
   * @throws what `work` throws, after rolling back; LedgerFault
   */
  change<T>(work: (tx: Tx) => Promise<Change<T>>): Promise<{ value: T; entries: Entry[] } | 'stale'>;
  /** New versions of values, grouped like appends. Stale: the version or the facts are not what they were. */
  revise(change: ValueChange): Promise<Entry | 'stale'>;
}

export interface LedgerOptions {
  readonly log: number;
  /** Connections of the writer's role; nothing else holds one. */
  readonly pool: pg.Pool;
  readonly source: DataSource;
}

interface Row {
  readonly position: string;
  readonly index: string | null;
  readonly link: string | null;
}

/** As many entries as share one transaction. */
const FULL_GROUP = 200;

const unanswered = () => new LedgerFault('UNAVAILABLE');

/** What is told of each group that was sent. */
export const APPENDS = 'access-ledger:append';
const appends = channel(APPENDS);

export function createLedger({ log, pool, source }: LedgerOptions): Ledger {
  const appendGroup = grouping<readonly string[], Row[]>({
    send: (items) => timed(items.length, () => appendLines(items), written),
    weight: (lines) => lines.length,
    fullGroup: FULL_GROUP,
    lanes: 2,
    unanswered,
  });
  const reviseGroup = grouping<Line, Row>({
    send: (items) => timed(items.length, () => reviseLines(items), written),
    weight: () => 1,
    fullGroup: FULL_GROUP,
    lanes: 1,
    unanswered,
  });

  async function appendLines(items: readonly (readonly string[])[]): Promise<Row[][]> {
    const { rows } = await pool.query<Row>({
      name: 'append',
      text: 'SELECT position, index, link FROM ledger.append($1, $2)',
      values: [log, items.flat().join('\n')],
    });
    let next = 0;
    return items.map((lines) => {
      next += lines.length;
      return rows.slice(next - lines.length, next);
    });
  }

  async function reviseLines(items: readonly Line[]): Promise<Row[]> {
    const { rows } = await pool.query<Row>({
      name: 'revise',
      text: 'SELECT position, index, link FROM ledger.revise($1, $2, $3)',
      values: [log, items.map((item) => item.change).join('\n'), items.map((item) => item.body).join('\n')],
    });
    return rows;
  }

  return {
    async append(bodies) {
      if (bodies.length === 0) return [];
      const rows = await appendGroup(bodies.map(formatBody)).catch(rethrow);
      return bodies.map((body, at) => {
        const entry = entryOf(rows[at]!);
        if (!entry) return 'stale';
        return { entry, receipt: body.outcome === 'permitted' ? issueReceipt(body) : null };
      });
    },

    async revise(change) {
      const line = { body: formatBody(change.body), change: JSON.stringify(changeLine(change)) };
      return entryOf(await reviseGroup(line).catch(rethrow)) ?? 'stale';
    },

    async change(work) {
      const runner = source.createQueryRunner();
      try {
        await runner.startTransaction('READ COMMITTED').catch(rethrow);
        const { bodies, value } = await work({ rows: runner.manager });
        const client: pg.PoolClient = await runner.connect();
        const entries = await timed(
          1,
          () => commit(client, bodies),
          (made) => (made === 'stale' ? null : made.length),
        );
        return entries === 'stale' ? 'stale' : { value, entries };
      } catch (error) {
        if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => {});
        if (isConflict(error) || isErasureRace(error)) return 'stale';
        throw isDatabaseError(error) ? faultOf(error) : error;
      } finally {
        await runner.release();
      }
    },
  };

  /** `append; commit` in one round trip. PostgreSQL answers the COMMIT of a failed transaction with the tag ROLLBACK. */
  async function commit(client: pg.PoolClient, bodies: readonly PermittedBody[]): Promise<Entry[] | 'stale'> {
    const lines = bodies.map(formatBody).join('\n');
    const [appended, committed] = await Promise.allSettled([
      client.query<Row>({
        name: 'append-strict',
        text: 'SELECT position, index, link FROM ledger.append_strict($1, $2)',
        values: [log, lines],
      }),
      client.query('COMMIT'),
    ]);
    if (appended.status === 'fulfilled' && committed.status === 'fulfilled' && committed.value.command === 'COMMIT') {
      return appended.value.rows.map((row) => entryOf(row)!);
    }
    const error =
      appended.status === 'rejected' ? appended.reason : committed.status === 'rejected' && committed.reason;
    if (sqlStateOf(error) === STALE || isConflict(error)) return 'stale';
    if (isDefinite(error)) throw faultOf(error);
    return whatBecameOf(bodies);
  }

  /** The connection broke, or was ended, at the COMMIT. If one entry stands, all do, with their rows. */
  async function whatBecameOf(bodies: readonly PermittedBody[]): Promise<Entry[]> {
    const { rows } = await pool
      .query<Row & { id: string }>({
        text: 'SELECT id, index, link FROM ledger.standing($1, $2)',
        values: [log, bodies.map((body) => body.id)],
      })
      .catch(rethrow);
    const standing = new Map(rows.map((row) => [row.id, row]));
    return bodies.map((body) => {
      const row = standing.get(body.id);
      if (!row) throw new LedgerFault('UNAVAILABLE');
      return entryOf(row)!;
    });
  }
}

interface Line {
  readonly body: string;
  readonly change: string;
}

function changeLine({ record, expected, channel: from, sealed, digest }: ValueChange): object {
  return {
    record,
    expected,
    channel: from,
    sealed: Buffer.from(sealed).toString('base64'),
    digest: digest && Buffer.from(digest).toString('base64'),
  };
}

function entryOf({ index, link }: Pick<Row, 'index' | 'link'>): Entry | null {
  return index === null ? null : { index: Number(index) as LogIndex, link: link as Link };
}

function rethrow(error: unknown): never {
  throw faultOf(error);
}

/** How many entries answer what was sent: stale bodies have none, and one that was sent twice has one. */
function written(rows: readonly (Row | readonly Row[])[]): number {
  return new Set(rows.flat().flatMap(({ index }) => index ?? [])).size;
}

/**
 * Publishes how long a COMMIT took, however it ended.
 *
 * @param entriesOf how many entries were committed; null where nothing was
 */
async function timed<T>(group: number, write: () => Promise<T>, entriesOf: (result: T) => number | null): Promise<T> {
  const began = performance.now();
  let outcome = 'failed';
  let entries = 0;
  try {
    const result = await write();
    const made = entriesOf(result);
    outcome = made === null ? 'rolled-back' : 'committed';
    entries = made ?? 0;
    return result;
  } finally {
    if (appends.hasSubscribers) appends.publish({ entries, group, outcome, ms: performance.now() - began });
  }
}
