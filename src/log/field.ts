/**
 * A field rule says what a field of a body must be, in three ways that agree: a test of its value, words for a finding,
 * and the source of a RegExp that matches how such values are usually spelt in canonical JSON.
 *
 * The third is there for speed: a body matched whole need not be parsed. It may leave out values that are rare; it must
 * never match what the test does not pass.
 */
import type { Json } from './canonical.js';

export interface Rule {
  readonly holds: (value: Json) => boolean;
  readonly says: string;
  readonly plain: string;
}

/** The members that an object may have, in canonical order. The first must be a required one. */
export interface Members {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly required: readonly string[];
}

export function members(required: Record<string, Rule>, optional: Record<string, Rule> = {}): Members {
  const rules = Object.entries({ ...required, ...optional }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { rules: new Map(rules), required: Object.keys(required) };
}

const HEX = '[0-9a-f]';
const CLOCK = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}';
/** Days that such a month has in every year. */
const DAY = '(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)';

export const uuid = spelt(`${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`, 'a lower-case uuid');

export const uuid7 = spelt(`${HEX}{8}-${HEX}{4}-7${HEX}{3}-[89ab]${HEX}{3}-${HEX}{12}`, 'a lower-case UUIDv7');

export const nounVerb = spelt('[a-z]+(?:-[a-z]+)*\\.[a-z]+(?:-[a-z]+)*', 'noun.verb');

/** Of a purpose, a legal basis, a role. */
export const key = spelt('[a-z][a-z-]*', 'lower-case letters and hyphens');

export const category = spelt('[a-z][a-z_]*(?:\\.[a-z][a-z_]*)*', 'lower-case words, joined by dots');

export const clause = spelt('[0-9]+(?:\\.[0-9]+)*', 'the number of a clause');

/** Of a GraphQL field, or what the server calls its own doing. */
export const fieldName = spelt('[a-z][A-Za-z0-9]*', 'letters and digits');

export const day = spelt('[0-9]{4}-[0-9]{2}-[0-9]{2}', 'a day, such as 2012-01-16');

export const code = spelt('[A-Z]+(?:_[A-Z]+)*', 'upper-case words, joined by underscores');

export const phrase = spelt('[a-z]+(?:[ -][a-z]+)*', 'lower-case words');

const commonTime = spelt(`(?!0000)[0-9]{4}-${DAY}T${CLOCK}Z`, 'a time, RFC 3339 in UTC with milliseconds');
const leapDay = spelt(`(?!0000)[0-9]{4}-02-29T${CLOCK}Z`, commonTime.says);

export const time: Rule = {
  ...commonTime,
  holds: (value) => commonTime.holds(value) || (leapDay.holds(value) && isLeap(Number((value as string).slice(0, 4)))),
};

/** Canonical JSON has safe integers only. In the usual spelling: below 10^15. */
export const count: Rule = {
  holds: (value) => typeof value === 'number' && value >= 0,
  says: 'an integer from 0',
  plain: '(?:0|[1-9][0-9]{0,14})',
};

export const version: Rule = {
  holds: (value) => typeof value === 'number' && value >= 1,
  says: 'an integer from 1',
  plain: '[1-9][0-9]{0,14}',
};

const TOKEN = /^[A-Za-z0-9._:+/=-]+$/;

/**
 * An object of any members, but no text that a person wrote: every string in it, names of members included, is a token.
 * Its usual spelling is no proof that it is one: whoever matches it parses it.
 */
export const tokens: Rule = {
  holds: (value) => isObject(value) && isOfTokens(value),
  says: 'an object whose strings are of letters, digits and . _ : + / = -',
  plain: '\\{.*\\}',
};

function isOfTokens(value: Json): boolean {
  if (typeof value === 'string') return TOKEN.test(value);
  if (Array.isArray(value)) return value.every(isOfTokens);
  return !isObject(value) || Object.entries(value).every(([name, member]) => TOKEN.test(name) && isOfTokens(member));
}

export function exactly(value: number): Rule {
  return { holds: (given) => given === value, says: String(value), plain: String(value) };
}

export function oneOf(...words: readonly string[]): Rule {
  return spelt(`(?:${words.join('|')})`, words.join(' or '));
}

export function listOf({ holds, says, plain }: Rule): Rule {
  return {
    holds: (value) => Array.isArray(value) && value.every(holds),
    says: `an array, each ${says}`,
    plain: `\\[(?:${plain}(?:,${plain})*)?\\]`,
  };
}

export function object(of: Members): Rule {
  return {
    holds: (value) => faultOf(value, of) === null,
    says: `an object of ${[...of.rules.keys()].join(', ')}`,
    plain: plainSource(of),
  };
}

/** What the first member that breaks its rule should have been; null where none does. */
export function faultOf(value: Json, { rules, required }: Members): string | null {
  if (!isObject(value)) return 'an object';
  for (const key of required) if (!Object.hasOwn(value, key)) return `a member ${key}`;
  for (const [key, member] of Object.entries(value)) {
    const rule = rules.get(key);
    if (!rule) return `no members but ${[...rules.keys()].join(', ')}`;
    if (!rule.holds(member)) return `${key}: ${rule.says}`;
  }
  return null;
}

/** The usual spelling of an object; the values of the members named are captured as they are spelt. */
export function plainSource({ rules, required }: Members, captured: readonly string[] = []): string {
  const spelled = [...rules].map(([key, { plain }], i) => {
    const member = `${i > 0 ? ',' : ''}"${key}":${captured.includes(key) ? `(${plain})` : plain}`;
    return required.includes(key) ? member : `(?:${member})?`;
  });
  return `\\{${spelled.join('')}\\}`;
}

function spelt(source: string, says: string): Rule {
  const whole = new RegExp(`^${source}$`);
  return { holds: (value) => typeof value === 'string' && whole.test(value), says, plain: `"${source}"` };
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
