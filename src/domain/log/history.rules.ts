/**
 * A line of a person's history is what one entry about them says; or several that follow each other, where the same kind of
 * actor was refused again and again for the same reason.
 *
 * Every entry that names the person is in exactly one line, and lines have no gap: `nth` counts down through all of them.
 */
import type { LoggedBody } from '../../log/body.js';
import type { Link, LogIndex } from '../../log/leaf.js';

/** An entry about the person. The body is null where the leaf was edited so that it cannot be read. */
export interface HistoryEntry {
  readonly index: LogIndex;
  readonly link: Link;
  readonly nth: number;
  readonly body: LoggedBody | null;
}

/** Newest first; at least one. */
export type Run = readonly [HistoryEntry, ...HistoryEntry[]];

/** A flood of refusals is shown in lines of so many, so that a page has an end. */
export const LONGEST_RUN = 500;

/** Whether an entry belongs into the line of the ones after it. */
export function continues(run: Run, earlier: HistoryEntry): boolean {
  const kind = refusalKind(earlier.body);
  return run.length < LONGEST_RUN && kind !== null && kind === refusalKind(run[0].body);
}

/** Who was refused, and why; null for what was not refused. */
function refusalKind(body: LoggedBody | null): string | null {
  if (!body || !('refusal' in body)) return null;
  // Users are the person or somebody else; organisations are told apart. Staff are not: their role is what is shown.
  const who = body.actor.kind === 'staff' ? body.actor.role : body.actor.id;
  return JSON.stringify([body.actor.kind, who, body.refusal.code]);
}
