/**
 * An export source is where a log is exported from: its database, as whoever has a login to it, or a server, as a reviewer.
 */
import type { StoredEntry } from '../log/reading.js';
import type { Named } from './database.js';

export interface ExportSource {
  readonly origin: string;
  /** How many entries it had when it was opened. */
  readonly size: number;
  /** Null where there is no such entry. */
  linkAt(index: number): Promise<string | null>;
  /** Both ends included. @throws CommandFault for what it can tell is wrong with them */
  pages(from: number, last: number): AsyncIterable<readonly StoredEntry[]>;
  /** What it has checked of them, in words; null for nothing. */
  readonly checked: string | null;
}

/** In one snapshot, and as they stand: a damaged log must still be exported, or nobody could be shown the damage. */
export async function fromDatabase<T>(named: Named, use: (source: ExportSource) => Promise<T>): Promise<T> {
  const { withLog } = await import('./database.js');
  const { FIRST_LOG } = await import('../database/name.js');
  const { linkAt, logOrigin, logPages, logSize } = await import('../ledger/log-rows.js');
  return withLog(named, process.env, async (client) =>
    use({
      origin: await logOrigin(client, FIRST_LOG),
      size: await logSize(client, FIRST_LOG),
      linkAt: (index) => linkAt(client, FIRST_LOG, index),
      pages: (from, to) => logPages(client, FIRST_LOG, { from, to }, { projected: false }),
      checked: null,
    }),
  );
}
