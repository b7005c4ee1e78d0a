/**
 * A filter says which entries of the log are wanted: those for which every given member is exactly so. It becomes the
 * condition of a statement, over columns that have an index; what cannot be in any entry becomes no statement at all.
 */
import { uuidOrNull } from '../../graphql/id.js';
import { endBefore, firstFrom } from './time-bounds.js';

/** As it was sent. */
export interface EntryFilter {
  readonly subject?: string | null;
  readonly actor?: string | null;
  readonly event?: string | null;
  readonly purpose?: string | null;
  readonly outcome?: string | null;
  /** The first moment. */
  readonly from?: Date | null;
  /** The first moment after. */
  readonly to?: Date | null;
  readonly request?: string | null;
}

export interface Condition {
  readonly sql: string;
  /** Newest first, as the index has it that the condition is answered from. */
  readonly order: string;
  readonly values: readonly unknown[];
}

/** What an event, an outcome or the key of a purpose can look like. */
const WORD = /^[a-z][a-z.-]{0,99}$/;
const wordOrNull = (text: string) => (WORD.test(text) ? text : null);

const EXACT = {
  subject: uuidOrNull,
  actor: uuidOrNull,
  event: wordOrNull,
  purpose: wordOrNull,
  outcome: wordOrNull,
  request: uuidOrNull,
} as const satisfies { readonly [member in keyof EntryFilter]: (sent: string) => string | null };

const WORDS: ReadonlySet<string> = new Set(['event', 'purpose', 'outcome']);

/**
 * Over `ledger.entry e`, with `log` and its values from $1 on, and perhaps some entries from other times than are asked for
 * left to be passed over. Null where no entry can be as the filter says.
 */
export function conditionOf(log: number, filter: EntryFilter): Condition | null {
  const values: unknown[] = [log];
  const parts = ['e.log = $1'];
  const place = (value: unknown) => `$${values.push(value)}`;
  for (const [column, parse] of Object.entries(EXACT)) {
    const sent = filter[column as keyof typeof EXACT];
    if (sent == null) continue;
    const value = parse(sent);
    if (value === null) return null;
    // Words are written out, so that PostgreSQL plans for this one: rare among millions, or what nearly all entries say.
    // A word has no quote in it.
    parts.push(`e.${column} = ${WORDS.has(column) ? `'${value}'` : place(value)}`);
  }
  if (filter.from) {
    const at = place(filter.from);
    parts.push(`e.at >= ${at}`, `e.index >= ${firstFrom('$1', at)}`);
  }
  if (filter.to) {
    const at = place(filter.to);
    parts.push(`e.at < ${at}`, `e.index < ${endBefore('$1', at)}`);
  }
  return { sql: parts.join(' AND '), order: orderOf(filter), values };
}

/** Only those indexes that hold what the filter names are in this order: see migrations/0002-log.sql. */
function orderOf({ actor, event, purpose, outcome }: EntryFilter): string {
  const isIndexed = actor != null || event != null || purpose != null || outcome === 'refused';
  return isIndexed ? 'e.index DESC NULLS LAST' : 'e.index DESC';
}
