/**
 * The tail is the log as it grows: from an index on, every entry once, in order, for as long as somebody reads. It is part of
 * a reading session, which is an entry once an hour; that entry is shown like any other, and makes no further one.
 *
 * The table is what is followed: a hint that something came only saves waiting. What can be seen there may not be on disk
 * yet, where somebody commits without waiting for that, so the tail waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Live } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import type { LogIndex } from '../../log/leaf.js';
import { type AuditEntry, auditEntry } from './audit-entry.js';
import { ENTRY_COLUMNS, type EntryRow, indexOf } from './entry.entity.js';
import { readingSession } from './reading-session.js';

/** Entries that are read at once, and so that are held for a reader who takes them one by one. */
const PAGE = 64;

/**
 * @param from null: what is appended from now on
 * @throws Refusal; Fault BAD_INPUT where the log is not that long: whoever saw more of it has seen another
 */
export async function auditTail(
  context: Context,
  from: LogIndex | null,
): Promise<AsyncGenerator<AuditEntry, void, undefined>> {
  const { live, log, rows } = context;
  if (!live) throw new Fault('SUBSCRIPTION_REFUSED');
  const until = await readingSession(context, 'auditTail');
  const [last] = await rows.query('SELECT e.index FROM ledger.entry e WHERE e.log = $1 ORDER BY e.index DESC LIMIT 1', [
    log,
  ]);
  const size = last ? indexOf(last) + 1 : 0;
  if (from !== null && from > size) throw new Fault('BAD_INPUT', { detail: `The log has ${size} entries.` });
  return follow(context, live, from ?? size, until);
}

async function* follow(context: Context, { signal, grown }: Live, from: number, until: Date) {
  let session = until;
  for (let next = from; !signal.aborted; ) {
    if (context.now() >= session) session = await readingSession({ ...context }, 'auditTail');
    const page = await durablePage(context, next, signal);
    for (const row of page) {
      if (signal.aborted) return;
      if (indexOf(row) !== next) {
        throw new Fault('INTERNAL', { detail: `Entry ${next} is not there, although later ones are: verify the log.` });
      }
      yield auditEntry(row);
      next++;
    }
    if (page.length < PAGE) await grown();
  }
}

/** In order. Resolves once they are on disk. */
async function durablePage({ log, rows }: Context, from: number, signal: AbortSignal): Promise<EntryRow[]> {
  const found: (EntryRow & { written: string })[] = await rows.query(
    `SELECT ${ENTRY_COLUMNS}, pg_current_wal_insert_lsn() AS written
     FROM ledger.entry e WHERE e.log = $1 AND e.index >= $2 ORDER BY e.index LIMIT ${PAGE}`,
    [log, from],
  );
  const [first] = found;
  if (first) await flushed(rows, first.written, signal);
  return found;
}

const [LEAST_WAIT_MS, MOST_WAIT_MS] = [2, 200];

/** Whoever is seen to have committed has written no further than this: once it is flushed, so are they. */
async function flushed(rows: Context['rows'], written: string, signal: AbortSignal): Promise<void> {
  for (let wait = LEAST_WAIT_MS; !signal.aborted; wait = Math.min(MOST_WAIT_MS, 2 * wait)) {
    const [answer] = await rows.query(FLUSHED, [written]);
    if (answer.flushed) return;
    await sleep(wait);
  }
}

/**
 * Where all is flushed up to the end of a page of the write-ahead log, what comes next is written behind the next page's
 * header, of 24 or 40 bytes: that header is none of ours.
 */
const FLUSHED = `
  SELECT pg_wal_lsn_diff($1, f.lsn) <= CASE WHEN pg_wal_lsn_diff(f.lsn, '0/0') % 8192 = 0 THEN 40 ELSE 0 END AS flushed
  FROM pg_current_wal_flush_lsn() AS f(lsn)`;
