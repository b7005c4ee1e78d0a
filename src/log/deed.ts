/**
 * A deed is what of a body the verifier follows from entry to entry: what was done to whom, with which records, on facts of
 * what age. Columns are what a store says of it beside the leaf.
 *
 * A body as our writers write them is matched whole by one regular expression, made from the table of fields, and needs
 * no parsing; that is four times as fast. Any other is parsed, and that parser alone decides what is a body.
 */
import { BODY, type LoggedBody, parseBody } from './body.js';
import { NotCanonical, parseCanonical } from './canonical.js';
import { plainSource, tokens } from './field.js';

export interface Deed {
  readonly asOf: number;
  readonly event: string;
  readonly permitted: boolean;
  /** Their ids. */
  readonly records: readonly string[];
  readonly subject: string | null;
}

/** Strings as they stand in the body (`actor` is the actor's id); null where the body has no such field. */
export interface Columns {
  readonly actor: string;
  readonly at: string;
  readonly event: string;
  readonly id: string;
  readonly outcome: string;
  readonly purpose: string | null;
  readonly request: string;
  readonly subject: string | null;
}

/** @throws BodyError */
export function parseDeed(body: string): Deed {
  const plain = matchPlain(body);
  return plain ? plainDeed(plain) : deedOf(parseBody(body));
}

/** @throws BodyError */
export function parseColumns(body: string): Columns {
  const plain = matchPlain(body);
  return plain ? plainColumns(plain) : columnsOf(parseBody(body));
}

export function deedOf({ asOf, event, outcome, records, subject }: LoggedBody): Deed {
  const ids = records?.map(({ id }) => id) ?? [];
  return { asOf, event, permitted: outcome === 'permitted', records: ids, subject: subject ?? null };
}

export function columnsOf({ actor, at, event, id, outcome, purpose, request, subject }: LoggedBody): Columns {
  return { actor: actor.id, at, event, id, outcome, purpose: purpose ?? null, request, subject: subject ?? null };
}

const CAPTURED = [
  'actor',
  'asOf',
  'at',
  'details',
  'event',
  'id',
  'outcome',
  'purpose',
  'records',
  'refusal',
  'request',
  'subject',
] as const;

/** As they are spelt, at the index of their name in CAPTURED, plus one. */
type Plain = readonly (string | undefined)[];

const PLAIN = new RegExp(`^${plainSource(BODY, CAPTURED)}$`);
const PERMITTED = '"permitted"';
const ID = '"id":"';
const UUID_CHARS = 36;
/** `details` stands within the body. */
const WITHIN = 1;

/** @returns null for a body that has to be parsed to know what it is */
function matchPlain(body: string): Plain | null {
  const plain: Plain | null = PLAIN.exec(body);
  if (!plain) return null;
  const [, , , , details, , , outcome, , , refusal] = plain;
  if ((outcome === PERMITTED) === (refusal !== undefined)) return null;
  return details === undefined || isOfTokens(details) ? plain : null;
}

function plainDeed([, , asOf, , , event, , outcome, , records, , , subject]: Plain): Deed {
  return {
    asOf: Number(asOf),
    event: unquoted(event!),
    permitted: outcome === PERMITTED,
    records: records === undefined ? [] : idsIn(records),
    subject: subject === undefined ? null : unquoted(subject),
  };
}

function plainColumns([, actor, , at, , event, id, outcome, purpose, , , request, subject]: Plain): Columns {
  return {
    actor: idAt(actor!, actor!.indexOf(ID)),
    at: unquoted(at!),
    event: unquoted(event!),
    id: unquoted(id!),
    outcome: unquoted(outcome!),
    purpose: purpose === undefined ? null : unquoted(purpose),
    request: unquoted(request!),
    subject: subject === undefined ? null : unquoted(subject),
  };
}

function isOfTokens(json: string): boolean {
  try {
    return tokens.holds(parseCanonical(json, WITHIN));
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    return false;
  }
}

function unquoted(word: string): string {
  return word.slice(1, -1);
}

/** The values of `id` members: no other text between here holds a quote. */
function idsIn(records: string): string[] {
  const ids: string[] = [];
  for (let at = records.indexOf(ID); at >= 0; at = records.indexOf(ID, at + UUID_CHARS)) ids.push(idAt(records, at));
  return ids;
}

function idAt(text: string, at: number): string {
  return text.slice(at + ID.length, at + ID.length + UUID_CHARS);
}
