/**
 * A projection is what a store says of an entry beside its leaf: the index, and the columns it answers queries by. The
 * database derives them from the body; the leaf alone is hashed, so each must be held against it.
 */
import type { Columns } from './deed.js';
import { type Finding, findingAt } from './finding.js';
import type { Place } from './leaf.js';

/** The columns that the leaf decides, as they stand in it (`actor` is the actor's id); null where it has no such field. */
type FromLeaf = { readonly [column in keyof Columns | 'nth']: string | null };

/** The columns that the entries before decide. */
export interface Changes {
  /** The index of the newest entry, this one included, that changed facts about its subject; null where none did. */
  readonly changed: number | null;
  /** The same, about no subject. */
  readonly changedAll: number | null;
}

export interface Projection extends FromLeaf {
  readonly changes: Changes;
}

/** A column's name with what the leaf says, and with what stands in it. */
export type Differing = readonly (readonly [column: string, expected: string | null, found: string | null])[];

/** @param columns null where the body cannot be read: then only the index is held against the leaf */
export function differingFromLeaf(
  { index, history }: Place,
  beside: { readonly index: number; readonly projection?: Projection },
  columns: Columns | null,
): Differing {
  const differing = beside.index === index ? [] : [['index', String(index), String(beside.index)] as const];
  const { projection } = beside;
  if (!projection || !columns) return differing;
  const said: FromLeaf = { ...columns, nth: history ? String(history.nth) : null };
  const names = Object.keys(said) as (keyof FromLeaf)[];
  return [
    ...differing,
    ...names
      .filter((name) => said[name] !== projection[name])
      .map((name) => [name, said[name], projection[name]] as const),
  ];
}

/** One for all columns of an entry; none where nothing differs. */
export function projectionFindings(index: number, differing: Differing): Finding[] {
  if (differing.length === 0) return [];
  const words = (of: 1 | 2) => differing.map((column) => `${column[0]}: ${column[of] ?? 'nothing'}`).join('; ');
  return [findingAt('PROJECTION_EDITED', index, words(1), words(2))];
}
