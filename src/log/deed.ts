/**
 * A deed is what of a body the verifier needs: who did what, to whom, with which records, on facts of what age.
 *
 * A body as our writers write them is matched whole by one regular expression, made from the table of fields, and needs
 * no parsing; that is four times as fast. Any other is parsed, and that parser alone decides what is a body.
 */
import { BODY, type LoggedBody, parseBody } from './body.js';
import { NotCanonical, parseCanonical } from './canonical.js';
import { plainSource } from './field.js';

export interface Deed {
  /** Of the actor. */
  readonly actor: string;
  readonly asOf: number;
  readonly at: string;
  readonly event: string;
  readonly outcome: string;
  readonly purpose: string | null;
  /** Their ids. */
  readonly records: readonly string[];
  readonly request: string;
  readonly subject: string | null;
}

/** @throws BodyError */
export function parseDeed(body: string): Deed {
  return plainDeed(body) ?? deedOf(parseBody(body));
}

export function deedOf({ actor, asOf, at, event, outcome, purpose, records, request, subject }: LoggedBody): Deed {
  return {
    actor: actor.id,
    asOf,
    at,
    event,
    outcome,
    purpose: purpose ?? null,
    records: records?.map(({ id }) => id) ?? [],
    request,
    subject: subject ?? null,
  };
}

const CAPTURED = [
  'actor',
  'asOf',
  'at',
  'details',
  'event',
  'outcome',
  'purpose',
  'records',
  'refusal',
  'request',
  'subject',
];
const PLAIN = new RegExp(`^${plainSource(BODY, CAPTURED)}$`);
const ID = '"id":"';
const UUID_CHARS = 36;

/** @returns null for a body that has to be parsed to know what it is */
function plainDeed(body: string): Deed | null {
  const match = PLAIN.exec(body);
  if (!match) return null;
  const [, actor, asOf, at, details, event, outcome, purpose, records, refusal, request, subject] = match;
  if ((unquoted(outcome!) === 'refused') !== (refusal !== undefined)) return null;
  if (details !== undefined && !isCanonical(details)) return null;
  return {
    actor: idAt(actor!, actor!.indexOf(ID)),
    asOf: Number(asOf),
    at: unquoted(at!),
    event: unquoted(event!),
    outcome: unquoted(outcome!),
    purpose: purpose === undefined ? null : unquoted(purpose),
    records: records === undefined ? [] : idsIn(records),
    request: unquoted(request!),
    subject: subject === undefined ? null : unquoted(subject),
  };
}

function isCanonical(json: string): boolean {
  try {
    parseCanonical(json);
    return true;
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
