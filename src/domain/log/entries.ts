/**
 * The verbs by which reviewers read the log: search, look up, see its head. Each is part of a reading session.
 */
import { type Connection, isIndex, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import type { Link, LogIndex } from '../../log/leaf.js';
import { type AuditEntry, auditEntry } from './audit-entry.js';
import { ENTRY_COLUMNS, type EntryRow } from './entry.entity.js';
import { conditionOf, type EntryFilter } from './entry-filter.js';
import { readingSession } from './reading-session.js';

const ENTRY = `SELECT ${ENTRY_COLUMNS} FROM ledger.entry e`;

/** Newest first. @throws Refusal; Fault BAD_INPUT */
export async function auditEntries(
  context: Context,
  filter: EntryFilter,
  args: PageArgs,
): Promise<Connection<AuditEntry>> {
  await readingSession(context, 'auditEntries');
  const { rows, log } = context;
  const condition = conditionOf(log, filter);
  return page<AuditEntry>(
    args,
    ({ index }) => String(index),
    async (after, limit) => {
      if (!condition) return [];
      const values = [...condition.values, after, limit];
      const found: EntryRow[] = await rows.query(
        `${ENTRY} WHERE ${condition.sql} AND e.index < coalesce($${values.length - 1}, 9223372036854775807)
         ORDER BY ${condition.order} LIMIT $${values.length}`,
        values,
      );
      return found.map(auditEntry);
    },
    isIndex,
  );
}

/** Null where the log is not that long. @throws Refusal */
export async function auditEntryAt(context: Context, index: LogIndex): Promise<AuditEntry | null> {
  await readingSession(context, 'auditEntry');
  const [row] = await context.rows.query(`${ENTRY} WHERE e.log = $1 AND e.index = $2`, [context.log, index]);
  return row ? auditEntry(row) : null;
}

export interface LogHead {
  readonly size: LogIndex;
  /** Of the newest entry, as its link. */
  readonly index: LogIndex;
  readonly link: Link;
  readonly origin: string;
}

/** @throws Refusal */
export async function logHead(context: Context): Promise<LogHead> {
  await readingSession(context, 'logHead');
  const [head] = await context.rows.query(
    `SELECT h.origin, e.index, encode(e.link, 'hex') AS link
     FROM ledger.head h JOIN ledger.entry e ON e.log = h.log WHERE h.log = $1 ORDER BY e.index DESC LIMIT 1`,
    [context.log],
  );
  const index = Number(head.index) as LogIndex;
  return { ...head, index, size: index + 1 };
}
