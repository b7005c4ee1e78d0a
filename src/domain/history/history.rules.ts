/**
 * A line of a person's history is what one entry about them says; or several that follow each other, where the same kind of
 * actor was refused again and again for the same reason. Of several it keeps the ends, and what all of them say together.
 *
 * Every entry that names the person is in exactly one line, and lines have no gap: `nth` counts down through all of them.
 */
import type { Pseudonym } from '../../log/entry.js';
import type { HistoryEntry, Saying } from './history-entry.js';

/** The entries of one line. */
export interface Run {
  readonly newest: HistoryEntry;
  readonly oldest: HistoryEntry;
  readonly count: number;
  readonly events: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
  readonly actors: ReadonlySet<Pseudonym>;
}

/** A flood of refusals is shown in lines of so many: a page of 200 lines then reads 20,000 entries at most. */
export const LONGEST_RUN = 100;

export function runOf(entry: HistoryEntry): Run {
  const { says } = entry;
  return {
    newest: entry,
    oldest: entry,
    count: 1,
    events: new Set(says && [says.event]),
    categories: new Set(says?.categories),
    purposes: new Set(says?.purpose ? [says.purpose] : []),
    actors: new Set(says && [says.actor.id]),
  };
}

/** The run with the entry before it; null where that begins a line of its own. */
export function extended(run: Run, earlier: HistoryEntry): Run | null {
  const kind = refusalKind(earlier.says);
  if (run.count >= LONGEST_RUN || kind === null || kind !== refusalKind(run.newest.says)) return null;
  const one = runOf(earlier);
  return {
    newest: run.newest,
    oldest: earlier,
    count: run.count + 1,
    events: union(run.events, one.events),
    categories: union(run.categories, one.categories),
    purposes: union(run.purposes, one.purposes),
    actors: union(run.actors, one.actors),
  };
}

/** Who was refused, and why; null for what was not refused. */
function refusalKind(says: Saying | null): string | null {
  if (!says || says.refusal === null) return null;
  // Users are the person or somebody else; organisations are told apart. Staff are not: their role is what is shown.
  const who = says.actor.kind === 'staff' ? says.actor.role : says.actor.id;
  return JSON.stringify([says.actor.kind, who, says.refusal]);
}

/** The same set where nothing is new, as in most of a flood. */
function union<T>(all: ReadonlySet<T>, more: ReadonlySet<T>): ReadonlySet<T> {
  return [...more].every((one) => all.has(one)) ? all : new Set([...all, ...more]);
}
