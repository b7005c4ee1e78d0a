/**
 * Canonical JSON (RFC 8785): one spelling for one value, so that a body can be hashed, compared and re-made.
 *
 *     canonical({ v: 1, event: 'record.read' })  →  {"event":"record.read","v":1}
 *
 * Narrower than the RFC: no U+0000, which PostgreSQL cannot keep; no lone surrogate, which UTF-8 cannot; only safe integers;
 * and nested no deeper than MAX_DEPTH, so that no reader runs out of stack over what an attacker wrote.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Why a value has no canonical form here. It never quotes the value, which may be personal. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

/** How many arrays and objects may stand within each other. */
export const MAX_DEPTH = 64;

// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is what is looked for
const UNSPEAKABLE = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether JSON can carry the text here. Noncharacters such as U+FFFF are text like any other: RFC 8785 and PostgreSQL take them. */
export function isSpeakable(text: string): boolean {
  return !UNSPEAKABLE.test(text);
}

/**
 * Members sorted by UTF-16 code units, no white space, the shortest escapes; members that are undefined are left out.
 *
 * The engine's own JSON writer agrees on every value that `isPlain`, but for strings that it can only escape, and is
 * three times as fast: verifying a log spends its time here.
 *
 * @param within how many arrays and objects the value stands
 * @throws NotCanonical for a number that is no safe integer, for strings with U+0000 or a lone surrogate, and for a value
 * nested deeper than MAX_DEPTH.
 */
export function canonical(value: Json, within = 0): string {
  if (isPlain(value, within)) {
    const text = JSON.stringify(value);
    if (!text.includes('\\u')) return text;
  }
  return write(value, within);
}

function write(value: Json, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value === 'string') return canonicalString(value);
  if (depth === MAX_DEPTH) throw new NotCanonical(`a value nested deeper than ${MAX_DEPTH}`);
  if (Array.isArray(value)) return `[${value.map((element) => write(element, depth + 1)).join()}]`;
  const members = value as { readonly [key: string]: Json | undefined };
  const written: string[] = [];
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) written.push(`${canonicalString(key)}:${write(member, depth + 1)}`);
  }
  return `{${written.join()}}`;
}

function canonicalNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new NotCanonical('a number that is no integer within ±(2^53−1)');
  return String(value);
}

function canonicalString(value: string): string {
  if (!isSpeakable(value)) throw new NotCanonical('a string with U+0000 or a lone surrogate');
  return JSON.stringify(value);
}

/**
 * Parses exactly what `canonical` writes, and nothing else: `canonical(parseCanonical(text))` is `text`.
 *
 * @param within how many arrays and objects the text stands
 * @throws NotCanonical for any other text
 */
export function parseCanonical(text: string, within = 0): Json {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    throw new NotCanonical('no JSON');
  }
  if (canonical(value, within) !== text) throw new NotCanonical('JSON in another spelling');
  return value;
}

/** Members in order, safe integers only, not too deep. */
function isPlain(value: Json, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isPlain(element, depth + 1));
  let before: string | null = null;
  const members = value as { readonly [key: string]: Json };
  for (const key of Object.keys(members)) {
    if (before !== null && key < before) return false;
    if (!isPlain(members[key]!, depth + 1)) return false;
    before = key;
  }
  return true;
}
