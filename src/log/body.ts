/**
 * A body as a reader takes it: strictly by the table of schema/log-format.md, "Body fields". What a body says that the
 * table does not know, no verifier could judge and no person foresee: in version 1, only `details` has members of any name.
 * Events are open too: a log may be younger than its verifier. No field takes free text: what a person wrote, an e-mail
 * address say, is found in whichever it was put.
 */
import { type Json, NotCanonical, parseCanonical } from './canonical.js';
import { BODY_VERSION, type PermittedBody, type RefusedBody } from './entry.js';
import {
  category,
  clause,
  code,
  count,
  day,
  exactly,
  faultOf,
  fieldName,
  key,
  listOf,
  members,
  nounVerb,
  object,
  oneOf,
  phrase,
  time,
  tokens,
  uuid,
  uuid7,
  version,
} from './field.js';

/** A body that was read from a log. It may name an event that this version does not know. */
export type LoggedBody = (Omit<PermittedBody, 'event'> | Omit<RefusedBody, 'event'>) & {
  readonly event: string;
  readonly v: typeof BODY_VERSION;
};

/** Names the field that is wrong, never its value. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  constructor(
    readonly code: 'BODY_NOT_CANONICAL' | 'LEAF_MALFORMED',
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${expected}, found ${found}`);
  }
}

const ACTOR = members(
  { id: uuid, kind: oneOf('user', 'staff', 'processor', 'system') },
  { onBehalfOf: uuid, role: key },
);
const RECORD = members({ category, id: uuid, version });
const REFUSAL = members({ code }, { missing: listOf(phrase) });

/** The table of version 1. */
export const BODY = members(
  {
    actor: object(ACTOR),
    asOf: count,
    at: time,
    clause,
    event: nounVerb,
    id: uuid7,
    operation: fieldName,
    outcome: oneOf('permitted', 'refused'),
    policy: day,
    request: uuid,
    v: exactly(BODY_VERSION),
  },
  {
    asked: listOf(category),
    basis: key,
    details: tokens,
    purpose: key,
    records: listOf(object(RECORD)),
    refusal: object(REFUSAL),
    subject: uuid,
  },
);

/** @throws BodyError */
export function parseBody(text: string): LoggedBody {
  const value = parse(text);
  const fault = faultOf(value, BODY);
  if (fault) throw new BodyError('LEAF_MALFORMED', fault, 'something else');
  const body = value as unknown as LoggedBody;
  if ('refusal' in body !== (body.outcome === 'refused')) {
    throw new BodyError('LEAF_MALFORMED', 'a refusal where the outcome is refused, and only there', body.outcome);
  }
  return body;
}

function parse(text: string): Json {
  try {
    return parseCanonical(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new BodyError('BODY_NOT_CANONICAL', 'canonical JSON (RFC 8785)', error.message);
  }
}
