/**
 * A history entry is an entry about a person, as far as their history needs it: where it stands, and the few things that a
 * line of the history says. All of it is read from the leaf; the leaf itself, which may be of 64 KB, is let go.
 */
import type { LoggedBody } from '../../log/body.js';
import type { Actor, Pseudonym } from '../../log/entry.js';
import type { Link, LogIndex } from '../../log/leaf.js';
import { type EntryRow, indexOf, readLeaf } from '../log/entry.entity.js';

export interface HistoryEntry {
  readonly index: LogIndex;
  readonly link: Link;
  /** Null where the leaf was edited so that it cannot be read, or is no longer one about this person in this place. */
  readonly says: Saying | null;
}

export interface Saying {
  /** Which of the entries about the person it is, from 1. */
  readonly nth: number;
  /** RFC 3339. */
  readonly at: string;
  readonly event: string;
  readonly actor: Actor;
  /** Keys, each once: of what was opened, changed or erased; where nothing was, of what was asked for. */
  readonly categories: readonly string[];
  readonly purpose: string | null;
  readonly basis: string | null;
  /** The code of the refusal; null for what was permitted. */
  readonly refusal: string | null;
}

export function historyEntry(row: EntryRow, person: Pseudonym): HistoryEntry {
  const index = indexOf(row);
  const { leaf, body } = readLeaf(row.leaf) ?? {};
  const isTheirs = leaf?.index === index && body?.subject === person;
  const says = isTheirs && leaf?.history && body ? sayingOf(leaf.history.nth, body) : null;
  return { index, link: row.link as Link, says };
}

export function sayingOf(nth: number, body: LoggedBody): Saying {
  const { at, event, actor, asked = [], records, purpose = null, basis = null } = body;
  return {
    nth,
    at,
    event,
    actor,
    categories: [...new Set<string>(records?.map(({ category }) => category) ?? asked)],
    purpose,
    basis,
    refusal: 'refusal' in body ? body.refusal.code : null,
  };
}
