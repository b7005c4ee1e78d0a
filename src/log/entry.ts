/**
 * An entry is one fact of the log: who did what, about whom, for what purpose, on what ground, and with what outcome.
 * Its body is canonical JSON, and holds no personal value, no name and no text that a person wrote.
 *
 *     {"actor":{"id":"3b0c…","kind":"staff","role":"support-agent"},"asOf":42,…,"v":1}
 *
 * The fields are the contract of schema/log-format.md, "Body fields".
 */
import { toUtf8 } from './bytes.js';
import { canonical, type Json } from './canonical.js';
import type { EventName } from './event.js';
import { type Link, type LogIndex, MAX_BODY_BYTES } from './leaf.js';

declare const brand: unique symbol;

/** A random uuid of our own that stands for a person. */
export type Pseudonym = string & { readonly [brand]: 'Pseudonym' };
/** A uuid; it belongs to the subject of its `record.created` entry, always. */
export type RecordId = string & { readonly [brand]: 'RecordId' };
/** A declared data category: a fideslang key such as `user.contact.email`. */
export type Category = string & { readonly [brand]: 'Category' };
/** The key of a declared purpose, such as `convenience`. */
export type Purpose = string & { readonly [brand]: 'Purpose' };
/** UUIDv7: `append` is idempotent by it, and rows reference their entry by it. Never shown outside the leaf. */
export type EntryId = string & { readonly [brand]: 'EntryId' };

/** Exactly one value, without saying the value. */
export interface RecordVersion {
  readonly id: RecordId;
  readonly category: Category;
  readonly version: number;
}

export type ActorKind = 'user' | 'staff' | 'processor' | 'system';

export interface Actor {
  readonly id: Pseudonym;
  readonly kind: ActorKind;
  readonly role?: string;
  readonly onBehalfOf?: Pseudonym;
}

export interface About {
  readonly id: EntryId;
  /** The log's size in the snapshot in which the facts of the decision were read. */
  readonly asOf: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly event: EventName;
  readonly actor: Actor;
  readonly subject?: Pseudonym;
  readonly purpose?: Purpose;
  readonly basis?: string;
  readonly asked?: readonly Category[];
  /** Exactly the records whose values were opened, changed or erased. */
  readonly records?: readonly RecordVersion[];
  /** The clause of the policy that the decision rests on. */
  readonly clause: string;
  /** The policy version in force. */
  readonly policy: string;
  readonly request: string;
  /** The name of our root field, never the client's operation name. */
  readonly operation: string;
  /** Ids, counts and deadlines of the event. */
  readonly details?: { readonly [key: string]: Json };
}

export interface PermittedBody extends About {
  readonly outcome: 'permitted';
}

export interface RefusedBody extends About {
  readonly outcome: 'refused';
  readonly refusal: { readonly code: string; readonly missing?: readonly string[] };
}

export type Body = PermittedBody | RefusedBody;

/** All of an entry that leaves the process: what `extensions.ledger` shows, and what a reviewer may hold as evidence. */
export interface Entry {
  readonly index: LogIndex;
  readonly link: Link;
}

/** The version of the table of body fields. */
export const BODY_VERSION = 1;

/** A body over the limit of a leaf. Its writer splits it before it is queued. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/**
 * The canonical bytes of a body, as text. Members are named here in their order, which makes it four times as fast.
 *
 * @throws NotCanonical, BodyTooLarge
 */
export function formatBody(body: Body): string {
  const members = {
    actor: body.actor,
    asOf: body.asOf,
    asked: body.asked,
    at: body.at,
    basis: body.basis,
    clause: body.clause,
    details: body.details,
    event: body.event,
    id: body.id,
    operation: body.operation,
    outcome: body.outcome,
    policy: body.policy,
    purpose: body.purpose,
    records: body.records,
    refusal: body.outcome === 'refused' ? body.refusal : undefined,
    request: body.request,
    subject: body.subject,
    v: BODY_VERSION,
  } satisfies Record<keyof RefusedBody | 'v', unknown>;
  const text = canonical(members as unknown as Json);
  if (toUtf8(text).length > MAX_BODY_BYTES) throw new BodyTooLarge(`a body of more than ${MAX_BODY_BYTES} bytes`);
  return text;
}
