/**
 * A reading session is an hour in which a reviewer reads the log, or a person what the log says of them, opened by one
 * entry: `log.read`, or `history.read`. What is fetched in it makes no entries: a reader whose reading makes entries would
 * have to read those too, without end.
 *
 * The log itself says whether a session is open. So it holds for every server, and ends when its hour does.
 */
import type { Context } from '../../graphql/context.js';
import { refusedByRole } from '../../policy/role.js';
import { firstFrom } from './time-bounds.js';

const HOUR_MS = 3_600_000;

/** The event of the entry that opens one. */
type Session = 'log.read' | 'history.read';

/** What one operation fetches at once is one reading. */
const opening: Readonly<Record<Session, WeakMap<Context, Promise<Date>>>> = {
  'log.read': new WeakMap(),
  'history.read': new WeakMap(),
};

/**
 * Returns once the reviewer's reading stands in the log.
 *
 * @returns the moment from which on it needs another
 * @throws Refusal, with its entry, for whoever may not read it
 */
export function readingSession(context: Context, operation: string): Promise<Date> {
  return session(context, 'log.read', operation);
}

/** The same for a person who reads of themselves. */
export function historySession(context: Context, operation: string): Promise<Date> {
  return session(context, 'history.read', operation);
}

function session(context: Context, event: Session, operation: string): Promise<Date> {
  const known = opening[event].get(context) ?? open(context, event, operation);
  opening[event].set(context, known);
  return known;
}

/** What this process looks for or enters now, by event and actor: what one reader fetches side by side is one reading. */
const underWay = new WeakMap<Context['rows'], Map<string, Promise<Date>>>();

async function open(context: Context, event: Session, operation: string): Promise<Date> {
  const { actor, rows } = context;
  // A session that somebody opened as a reviewer is nothing to them in another role.
  if (refusedByRole(actor, event)) return enter(context, event, operation);
  const all = underWay.get(rows) ?? new Map<string, Promise<Date>>();
  underWay.set(rows, all);
  const key = `${event} ${actor.id}`;
  const begun = all.get(key) ?? findOrEnter(context, event, operation).finally(() => all.delete(key));
  all.set(key, begun);
  return begun;
}

async function findOrEnter(context: Context, event: Session, operation: string): Promise<Date> {
  const opened = await openedAt(context, event);
  return opened ? new Date(opened.getTime() + HOUR_MS) : enter(context, event, operation);
}

async function enter({ actor, gate, now }: Context, event: Session, operation: string): Promise<Date> {
  const until = new Date(now().getTime() + HOUR_MS);
  const about = event === 'history.read' ? { subject: actor.id } : {};
  await gate.note({ event, operation, data: null }, { ...about, details: { until: until.toISOString() } });
  return until;
}

/**
 * Within the last hour. Others read the log too, so only what was entered since is looked through. An engagement that ends
 * closes it (clause 5.2): whether they may open another, the gate says.
 */
async function openedAt({ actor, log, now, rows }: Context, event: Session): Promise<Date | null> {
  const [newest] = await rows.query(
    `SELECT e.at FROM ledger.entry e
     WHERE e.log = $1 AND e.event = '${event}' AND e.actor = $3 AND e.outcome = 'permitted' AND e.at > $2
       AND e.index >= ${firstFrom('$1', '$2')}
       AND NOT EXISTS (SELECT FROM registry.engagement g WHERE g.staff = $3
         AND least(g.ended_at, g.valid_until) BETWEEN e.at AND $4)
     ORDER BY e.index DESC NULLS LAST LIMIT 1`,
    [log, new Date(now().getTime() - HOUR_MS), actor.id, now()],
  );
  return newest?.at ?? null;
}
