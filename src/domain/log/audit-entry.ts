/**
 * An audit entry is an entry as a reviewer sees it: the exact leaf, and what it says, read from the leaf and from nothing
 * else. The columns beside a leaf are for finding it; they prove nothing.
 */
import { BodyError, parseBody } from '../../log/body.js';
import { toUtf8 } from '../../log/bytes.js';
import { canonical } from '../../log/canonical.js';
import type { Actor } from '../../log/entry.js';
import { type Link, type LogIndex, parseLeaf } from '../../log/leaf.js';

/** As the database has it. */
export interface EntryRow {
  /** int8, as `pg` gives it. */
  readonly index: string;
  /** Hex. */
  readonly link: string;
  readonly leaf: string;
}

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
export function auditEntry({ index, link, leaf }: EntryRow): AuditEntry {
  return { index: Number(index) as LogIndex, link: link as Link, leaf, ...(sayings(leaf) ?? NOTHING) };
}

function sayings(text: string): LeafSays | null {
  const leaf = parseLeaf(toUtf8(text));
  const body = leaf && bodyOrNull(leaf.body);
  if (!leaf || !body) return null;
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

export function bodyOrNull(text: string): ReturnType<typeof parseBody> | null {
  try {
    return parseBody(text);
  } catch (error) {
    if (error instanceof BodyError) return null;
    throw error;
  }
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
