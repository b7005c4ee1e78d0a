/**
 * The normal form of a value is the one spelling that stands for all its spellings when a value is looked up.
 *
 *     user.contact.email          ' Ana@BÜCHER.example'  →  ana@xn--bcher-kva.example
 *     user.contact.phone_number   '+49 (0)30 / 123-456'  →  +4930123456
 *     any other                   'Ａna  PEREIRA '        →  ana pereira
 *
 * Two values of different people must not meet in one form, so where in doubt it keeps them apart: no full case folding
 * (it makes one of `straße@` and `strasse@`), no dots or `+tags` dropped from an address, no guess at a country's prefix.
 * Blind indexes are made of these forms: whoever changes one re-makes the indexes that stand.
 */
import { domainToASCII } from 'node:url';
import type { Category } from '../log/entry.js';

/** Which form a category has is said by its last part, as fideslang names them. */
const FORMS = new Map([
  ['email', emailForm],
  ['phone_number', phoneForm],
  ['fax_number', phoneForm],
]);

/** Total and idempotent. What does not look like its category (a phone number with letters) takes the general form. */
export function normalForm(category: Category, value: string): string {
  const text = textForm(value);
  return FORMS.get(category.slice(category.lastIndexOf('.') + 1))?.(text) ?? text;
}

/** NFKC, lower case, nothing invisible, single spaces. A second NFKC, for what is left may compose only now. */
function textForm(value: string): string {
  const folded = value
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return folded.normalize('NFKC').replace(/\s+/gu, ' ').trim();
}

/** A domain in any script and its `xn--` spelling (IDNA, UTS #46) are one. The local part keeps its dots and tags. */
function emailForm(text: string): string | null {
  const [, local, domain] = /^([^@]+)@([^@]+)$/u.exec(text.replace(/\s/gu, '')) ?? [];
  if (local === undefined || domain === undefined) return null;
  const host = (ASCII.test(domain) ? domain : domainToASCII(domain) || domain).replace(/(?<!\.)\.+$/, '');
  return host ? `${local}@${host}` : null;
}

const ASCII = /^\p{ASCII}*$/u;
const DIALLED = /^\+?[\d\s().·•/\p{Dash_Punctuation}]+$/u;

/** Digits, after a `+` where there was one. A `(0)` after a country's code is never dialled with it. */
function phoneForm(text: string): string | null {
  if (!DIALLED.test(text) || !/\d/.test(text)) return null;
  return text.startsWith('+') ? `+${digits(text.replace(/\(\s*0\s*\)/, ''))}` : digits(text);
}

function digits(text: string): string {
  return text.replace(/[^0-9]/g, '');
}
