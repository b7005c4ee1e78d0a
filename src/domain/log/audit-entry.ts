/**
 * An audit entry is an entry as a reviewer sees it: the exact leaf, and what it says, read from the leaf and from nothing
 * else.
 */
import { canonical } from '../../log/canonical.js';
import type { Actor } from '../../log/entry.js';
import type { Link, LogIndex } from '../../log/leaf.js';
import { type EntryRow, indexOf, readLeaf } from './entry.entity.js';

/** What a leaf says. */
export interface LeafSays {
  readonly nth: number | null;
  readonly earlier: LogIndex | null;
  readonly at: Date;
  readonly event: string;
  readonly outcome: string;
  readonly actor: Actor;
  readonly subject: string | null;
  readonly purpose: string | null;
  readonly basis: string | null;
  readonly clause: string;
  readonly policy: string;
  readonly asked: readonly string[] | null;
  readonly records: readonly { readonly id: string; readonly category: string; readonly version: number }[] | null;
  readonly refusal: { readonly code: string; readonly missing: readonly string[] } | null;
  readonly request: string;
  readonly operation: string;
  readonly asOf: LogIndex;
  /** Canonical JSON. */
  readonly details: string | null;
}

export type AuditEntry = { readonly index: LogIndex; readonly link: Link; readonly leaf: string } & (
  | LeafSays
  | { readonly [member in keyof LeafSays]: null }
);

/** A leaf that cannot be read says nothing, and is shown all the same: whoever edits one entry must not hide a page. */
export function auditEntry(row: EntryRow): AuditEntry {
  const { link, leaf } = row;
  return { index: indexOf(row), link: link as Link, leaf, ...(sayings(leaf) ?? NOTHING) };
}

function sayings(text: string): LeafSays | null {
  const read = readLeaf(text);
  if (!read) return null;
  const { leaf, body } = read;
  const { at, event, outcome, actor, clause, policy, request, operation, asOf } = body;
  const { subject = null, purpose = null, basis = null, asked = null, records = null, details } = body;
  const { code, missing = [] } = 'refusal' in body ? body.refusal : { code: null };
  return {
    nth: leaf.history?.nth ?? null,
    earlier: leaf.history?.earlier ?? null,
    ...{ at: new Date(at), event, outcome, actor, subject, purpose, basis, clause, policy, asked, records },
    refusal: code === null ? null : { code, missing },
    ...{ request, operation, asOf: asOf as LogIndex },
    details: details ? canonical(details) : null,
  };
}

const NOTHING: { readonly [member in keyof LeafSays]: null } = {
  nth: null,
  earlier: null,
  at: null,
  event: null,
  outcome: null,
  actor: null,
  subject: null,
  purpose: null,
  basis: null,
  clause: null,
  policy: null,
  asked: null,
  records: null,
  refusal: null,
  request: null,
  operation: null,
  asOf: null,
  details: null,
};
