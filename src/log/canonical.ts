/**
 * Canonical JSON (RFC 8785): one spelling for one value, so that a body can be hashed, compared and re-made.
 *
 *     canonical({ v: 1, event: 'record.read' })  →  {"event":"record.read","v":1}
 *
 * Narrower than the RFC where I-JSON and PostgreSQL are: no U+0000, no lone surrogate, only safe integers.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Why a value has no canonical form here. It never quotes the value, which may be personal. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is what is looked for
const UNSPEAKABLE = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Members sorted by UTF-16 code units, no white space, the shortest escapes; members that are undefined are left out.
 *
 * @throws NotCanonical for a number that is no safe integer, and for strings that are not I-JSON or hold U+0000.
 */
export function canonical(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value === 'string') return canonicalString(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = value as { readonly [key: string]: Json | undefined };
  const written: string[] = [];
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) written.push(`${canonicalString(key)}:${canonical(member)}`);
  }
  return `{${written.join()}}`;
}

function canonicalNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new NotCanonical('a number that is no integer within ±(2^53−1)');
  return String(value);
}

function canonicalString(value: string): string {
  if (UNSPEAKABLE.test(value)) throw new NotCanonical('a string with U+0000 or a lone surrogate');
  return JSON.stringify(value);
}
