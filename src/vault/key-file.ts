/**
 * A key file holds every key of a deployment, as JSON: the KEKs it ever wrapped with and not yet destroyed, which of
 * them wraps now, and the key of its blind indexes.
 *
 *     { "version": 1,
 *       "keks": [{ "id": "2026-11-22-5f1c09ab", "key": "…", "made": "2026-11-22", "retires": "2027-11-22" }],
 *       "current": "2026-11-22-5f1c09ab",
 *       "indexKey": "…" }
 *
 * Keys are 32 bytes in base64, days are UTC. A KEK wraps until the day it retires begins, and opens as long as it
 * stands here; striking it out of every copy of this file is what destroys it. The index key has no successor: with
 * another one, no blind index and no identity is found again.
 */
import { z } from 'zod';
import { VaultError } from './vault-error.js';

const KEY_BYTES = 32;

// Each check says what it wants and never what it got, which may be a key in the wrong place.
const key = z.string('is not text').refine(isKey, 'is not 32 bytes in base64, or is a placeholder');
const day = z.string('is not text').refine(isDay, 'is not a day such as 2026-11-22');
const id = z.string('is not text').regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is not up to 64 of a-z, 0-9 and -');
const kek = z
  .strictObject({ id, key, made: day, retires: day }, 'is not exactly id, key, made and retires')
  .refine(({ made, retires }) => made < retires, 'retires before it is made');
const keyFile = z
  .strictObject(
    {
      version: z.literal(1, 'is not 1'),
      keks: z.array(kek, 'is not a list').min(1, 'is empty'),
      current: id,
      indexKey: key,
    },
    'is not exactly version, keks, current and indexKey',
  )
  .refine(({ keks }) => areDistinct(keks.map((one) => one.id)), 'has two KEKs of one id')
  .refine(({ keks, indexKey }) => areDistinct([indexKey, ...keks.map((one) => one.key)]), 'uses a key twice')
  .refine(({ keks, current }) => keks.some((one) => one.id === current), 'has no KEK of the id that current names');

export type KeyFile = z.infer<typeof keyFile>;

/** That many random bytes. */
export type Random = (bytes: number) => Uint8Array;

/**
 * @param source What the message calls the text: a path or the name of a variable.
 * @throws VaultError KEYS_MALFORMED, naming every fault and quoting nothing.
 */
export function parseKeys(text: string, source: string): KeyFile {
  const parsed = keyFile.safeParse(json(text));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'} ${message}`);
  throw new VaultError('KEYS_MALFORMED', `${source}: ${faults.join('; ')}`);
}

export function formatKeys(keys: KeyFile): string {
  return `${JSON.stringify(keys, null, 2)}\n`;
}

/** Keys for a new deployment. */
export function generateKeys(now: Date, random: Random): KeyFile {
  const first = generateKek(now, random);
  return { version: 1, keks: [first], current: first.id, indexKey: base64(random(KEY_BYTES)) };
}

/** A new KEK to wrap with; the others stay, for what they wrapped. */
export function rotateKeys(keys: KeyFile, now: Date, random: Random): KeyFile {
  const next = generateKek(now, random);
  return { ...keys, keks: [...keys.keks, next], current: next.id };
}

/** Whether it no longer wraps. */
export function isRetired({ retires }: { readonly retires: string }, now: Date): boolean {
  return formatDay(now) >= retires;
}

/** A KEK of a year. */
function generateKek(now: Date, random: Random): KeyFile['keks'][number] {
  const made = formatDay(now);
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + 1);
  const suffix = Buffer.from(random(4)).toString('hex');
  return { id: `${made}-${suffix}`, key: base64(random(KEY_BYTES)), made, retires: formatDay(end) };
}

/** Undefined, which is no key file, for what is not JSON: the parser's own message would quote the text. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES && base64(bytes) === text && bytes.some((byte) => byte !== bytes[0]);
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && formatDay(at) === text;
}

function formatDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
