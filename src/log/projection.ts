/**
 * A projection is what a store says of an entry beside its leaf: the columns it answers queries by. The database
 * derives them from the body; the leaf alone is hashed, so each must be held against it.
 */
import type { LoggedBody } from './body.js';
import { type Finding, findingAt } from './finding.js';

/** Strings as they stand in the body; null where the body has no such field. */
export interface Projection {
  readonly subject: string | null;
  /** The actor's id. */
  readonly actor: string | null;
  readonly event: string | null;
  readonly purpose: string | null;
  readonly outcome: string | null;
  /** RFC 3339, UTC, milliseconds, as in the body. */
  readonly at: string | null;
  readonly request: string | null;
}

export function projectionOf(body: LoggedBody): Projection {
  return {
    subject: body.subject ?? null,
    actor: body.actor.id,
    event: body.event,
    purpose: body.purpose ?? null,
    outcome: body.outcome,
    at: body.at,
    request: body.request,
  };
}

/** One for each column that says something else than the body. */
export function projectionFindings(index: number, projection: Projection, body: LoggedBody): Finding[] {
  const expected = projectionOf(body);
  const columns = Object.keys(expected) as (keyof Projection)[];
  return columns
    .filter((column) => projection[column] !== expected[column])
    .map((column) =>
      findingAt('PROJECTION_EDITED', index, shown(column, expected[column]), shown(column, projection[column])),
    );
}

function shown(column: string, value: string | null): string {
  return `${column}: ${value ?? 'nothing'}`;
}
