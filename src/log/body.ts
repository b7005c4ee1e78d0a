/**
 * A body as a reader takes it: strictly by the table of schema/log-format.md, "Body fields". What a body says that the
 * table does not know, no verifier could judge and no person foresee: in version 1, only `details` is open.
 * Events are open too: a log may be younger than its verifier.
 */
import { type Json, NotCanonical, parseCanonical } from './canonical.js';
import { BODY_VERSION, type PermittedBody, type RefusedBody } from './entry.js';

/** A body that was read from a log. It may name an event that this version does not know. */
export type LoggedBody = (Omit<PermittedBody, 'event'> | Omit<RefusedBody, 'event'>) & {
  readonly event: string;
  readonly v: typeof BODY_VERSION;
};

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

/** What a field must be: the test, and the words for it. */
interface Rule {
  readonly holds: (value: Json) => boolean;
  readonly says: string;
}

type Members = { readonly [key: string]: Json };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const EVENT = /^[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const KINDS: readonly Json[] = ['user', 'staff', 'processor', 'system'];

const name: Rule = { holds: (v) => typeof v === 'string' && v !== '', says: 'a string that is not empty' };
const names: Rule = { holds: (v) => Array.isArray(v) && v.every(name.holds), says: 'strings that are not empty' };
const uuid: Rule = { holds: (v) => typeof v === 'string' && UUID.test(v), says: 'a lower-case uuid' };
const uuid7: Rule = { holds: (v) => typeof v === 'string' && UUID_V7.test(v), says: 'a lower-case UUIDv7' };
const count: Rule = { holds: (v) => typeof v === 'number' && v >= 0, says: 'an integer from 0' };
const version: Rule = { holds: (v) => typeof v === 'number' && v >= 1, says: 'an integer from 1' };
const time: Rule = { holds: isTime, says: 'a time, RFC 3339 in UTC with milliseconds' };
const anything: Rule = { holds: isMembers, says: 'an object' };
const oneOf = (values: readonly Json[]): Rule => ({ holds: (v) => values.includes(v), says: values.join(' or ') });

const ACTOR = table({ id: uuid, kind: oneOf(KINDS) }, { onBehalfOf: uuid, role: name });
const RECORD = table({ category: name, id: uuid, version }, {});
const REFUSAL = table({ code: name }, { missing: names });
const BODY = table(
  {
    actor: { holds: (v) => faultOf(v, ACTOR) === null, says: '{id, kind, role?, onBehalfOf?}' },
    asOf: count,
    at: time,
    clause: name,
    event: { holds: (v) => typeof v === 'string' && EVENT.test(v), says: 'noun.verb' },
    id: uuid7,
    operation: name,
    outcome: oneOf(['permitted', 'refused']),
    policy: name,
    request: uuid,
    v: oneOf([BODY_VERSION]),
  },
  {
    asked: names,
    basis: name,
    details: anything,
    purpose: name,
    records: {
      holds: (v) => Array.isArray(v) && v.every((r) => faultOf(r, RECORD) === null),
      says: '[{category, id, version}]',
    },
    refusal: { holds: (v) => faultOf(v, REFUSAL) === null, says: '{code, missing?}' },
    subject: uuid,
  },
);

/** @throws BodyError. It names the field, never its value. */
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

interface Table {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly required: readonly string[];
}

function table(required: Record<string, Rule>, optional: Record<string, Rule>): Table {
  return { rules: new Map(Object.entries({ ...required, ...optional })), required: Object.keys(required) };
}

/** What the first field that breaks its rule should have been; null where none does. */
function faultOf(value: Json, { rules, required }: Table): string | null {
  if (!isMembers(value)) return 'an object';
  for (const key of required) if (!Object.hasOwn(value, key)) return `a field ${key}`;
  for (const key of Object.keys(value)) {
    const rule = rules.get(key);
    if (!rule) return `no fields but ${[...rules.keys()].sort().join(', ')}`;
    if (!rule.holds(value[key]!)) return `${key}: ${rule.says}`;
  }
  return null;
}

function isMembers(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: Json): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  const instant = new Date(value);
  // A 30th of February parses as a day in March.
  return !Number.isNaN(instant.getTime()) && instant.toISOString() === value;
}
