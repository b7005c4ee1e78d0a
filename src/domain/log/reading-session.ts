/**
 * A reading session is an hour in which a reviewer reads the log, opened by one `log.read` entry. What is fetched in it
 * makes no entries: a reader whose reading makes entries would have to read those too, without end.
 *
 * The log itself says whether a session is open. So it holds for every server, and ends when its hour does.
 */
import type { Context } from '../../graphql/context.js';
import { refusedByRole } from '../../policy/role.js';

const HOUR_MS = 3_600_000;

/** What one operation fetches at once is one reading. */
const opening = new WeakMap<Context, Promise<void>>();

/** Returns once the actor's reading stands in the log. @throws Refusal, with its entry, for whoever may not read it */
export function readingSession(context: Context, operation: string): Promise<void> {
  const known = opening.get(context) ?? open(context, operation);
  opening.set(context, known);
  return known;
}

async function open(context: Context, operation: string): Promise<void> {
  const { actor, gate, now } = context;
  // A session that somebody opened as a reviewer is nothing to them in another role.
  if (!refusedByRole(actor, 'log.read') && (await isOpen(context))) return;
  const until = new Date(now().getTime() + HOUR_MS).toISOString();
  await gate.note({ event: 'log.read', operation, data: null }, { details: { until } });
}

async function isOpen({ actor, log, now, rows }: Context): Promise<boolean> {
  const [newest] = await rows.query(
    `SELECT e.at FROM ledger.entry e
     WHERE e.log = $1 AND e.actor = $2 AND e.event = 'log.read' AND e.outcome = 'permitted'
     ORDER BY e.index DESC LIMIT 1`,
    [log, actor.id],
  );
  return newest !== undefined && now().getTime() - newest.at.getTime() < HOUR_MS;
}
