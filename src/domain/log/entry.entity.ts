/**
 * The row of an entry in the log. What counts of it is the leaf, which the link proves; the columns beside it are for
 * finding it, and prove nothing.
 */
import { BodyError, type LoggedBody, parseBody } from '../../log/body.js';
import { toUtf8 } from '../../log/bytes.js';
import { type Leaf, type LogIndex, parseLeaf } from '../../log/leaf.js';

/** As the database has it. */
export interface EntryRow {
  /** int8, as `pg` gives it. */
  readonly index: string;
  /** Hex. */
  readonly link: string;
  readonly leaf: string;
}

/** The columns of an EntryRow, from `ledger.entry e`. */
export const ENTRY_COLUMNS = `e.index, encode(e.link, 'hex') AS link, e.leaf`;

export function indexOf({ index }: EntryRow): LogIndex {
  return Number(index) as LogIndex;
}

/** Null for a leaf that somebody has edited so that it cannot be read. */
export function readLeaf(text: string): { readonly leaf: Leaf; readonly body: LoggedBody } | null {
  const leaf = parseLeaf(toUtf8(text));
  if (!leaf) return null;
  try {
    return { leaf, body: parseBody(leaf.body) };
  } catch (error) {
    if (error instanceof BodyError) return null;
    throw error;
  }
}
