/**
 * A projection is what a store says of an entry beside its leaf: the columns it answers queries by. The database
 * derives them from the body; the leaf alone is hashed, so each must be held against it.
 */
import type { Deed } from './deed.js';
import { type Finding, findingAt } from './finding.js';

const COLUMNS = ['subject', 'actor', 'event', 'purpose', 'outcome', 'at', 'request'] as const;

/** Strings as they stand in the body (`actor` is the actor's id); null where the body has no such field. */
export type Projection = { readonly [column in (typeof COLUMNS)[number]]: string | null };

/** One for each column that says something else than the body. */
export function projectionFindings(index: number, projection: Projection, deed: Deed): Finding[] {
  return COLUMNS.filter((column) => projection[column] !== deed[column]).map((column) =>
    findingAt('PROJECTION_EDITED', index, shown(column, deed[column]), shown(column, projection[column])),
  );
}

function shown(column: string, value: string | null): string {
  return `${column}: ${value ?? 'nothing'}`;
}
