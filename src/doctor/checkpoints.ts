/**
 * Whether the log is published: a checkpoint is signed within seconds of an entry, and never covers more than the log has.
 * What is not under a checkpoint could be cut off without anybody being able to show it.
 */
import type pg from 'pg';
import type { DoctorFinding } from './finding.js';

/** CHECKPOINT_SECONDS is a minute at most. */
const MOST_SECONDS = 300;

interface Published {
  readonly log: number;
  readonly size: string;
  /** Of the newest checkpoint that was signed, and that was staged; 0 where there is none. */
  readonly signed: string;
  readonly staged: string;
  /** Seconds since the first entry that no signed checkpoint covers; and since the newest was staged, if it is not signed. */
  readonly waits: number | null;
  readonly unsigned: number | null;
}

const PUBLISHED = `
  SELECT p.*, (SELECT extract(epoch FROM clock_timestamp() - e.at)::float8 FROM ledger.entry e
      WHERE e.log = p.log AND e.index >= p.signed ORDER BY e.index LIMIT 1) AS waits,
    (SELECT extract(epoch FROM clock_timestamp() - c.staged_at)::float8 FROM ledger.checkpoint c
      WHERE c.log = p.log AND c.size = p.staged AND c.note IS NULL) AS unsigned
  FROM (
    SELECT h.log, coalesce((SELECT max(e.index) + 1 FROM ledger.entry e WHERE e.log = h.log), 0) AS size,
      coalesce((SELECT max(c.size) FROM ledger.checkpoint c WHERE c.log = h.log AND c.note IS NOT NULL), 0) AS signed,
      coalesce((SELECT max(c.size) FROM ledger.checkpoint c WHERE c.log = h.log), 0) AS staged
    FROM ledger.head h
  ) p ORDER BY p.log`;

export async function checkpointFindings(client: pg.ClientBase): Promise<DoctorFinding[]> {
  const { rows } = await client.query<Published>(PUBLISHED);
  return rows.flatMap((published) => [...findingsOf(published)]);
}

function* findingsOf({ size, signed, staged, waits, unsigned }: Published): Iterable<DoctorFinding> {
  if (Number(staged) > Number(size)) {
    yield {
      code: 'CHECKPOINT_AHEAD',
      what: `a checkpoint covers ${staged} entries, and the log has ${size}: its tail was cut, or an older backup restored`,
      remedy: 'find the missing entries in the mirror or a backup; until then run no server',
    };
  }
  if (unsigned !== null && unsigned > MOST_SECONDS) {
    yield {
      code: 'CHECKPOINT_UNSIGNED',
      what: `the checkpoint of ${staged} entries was staged ${minutes(unsigned)} ago and is not signed`,
      remedy: "see a server's log for why it does not publish: its next one signs it",
    };
  } else if (waits !== null && waits > MOST_SECONDS) {
    yield {
      code: 'CHECKPOINT_LAGS',
      what: `${Number(size) - Number(signed)} entries are under no signed checkpoint, the first for ${minutes(waits)}`,
      remedy: 'start a server, or see its log for why it does not publish',
    };
  }
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds / 60);
  return whole < 120 ? `${whole} min` : `${Math.floor(whole / 60)} h`;
}
