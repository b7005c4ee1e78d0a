/**
 * A sealed value is one version of one record, in an envelope under its person's key, bound to the log, the person,
 * the record, its category and its version: put into any other row, it does not open.
 */
import type { Pseudonym, RecordVersion } from '../log/entry.js';
import { openEnvelope, sealEnvelope } from './envelope.js';
import { VaultError } from './vault-error.js';

export interface Sealed {
  readonly record: RecordVersion;
  /** An envelope of the value's UTF-8. */
  readonly bytes: Uint8Array;
}

export interface Clear {
  readonly record: RecordVersion;
  readonly value: string;
}

/** @throws VaultError VALUE_NOT_TEXT, and then nothing is sealed. */
export function sealValues(key: Uint8Array, log: string, person: Pseudonym, clear: readonly Clear[]): Sealed[] {
  if (clear.some(({ value }) => LONE_SURROGATE.test(value))) throw new VaultError('VALUE_NOT_TEXT');
  const placeOf = placesOf(log, person);
  return clear.map(({ record, value }) => ({ record, bytes: sealEnvelope(key, placeOf(record), Buffer.from(value)) }));
}

/**
 * In the order given; all of them or none.
 *
 * @throws VaultError SEAL_BROKEN
 */
export function openValues(key: Uint8Array, log: string, person: Pseudonym, sealed: readonly Sealed[]): string[] {
  const placeOf = placesOf(log, person);
  return sealed.map(({ record, bytes }) => openEnvelope(key, placeOf(record), bytes).toString());
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The log and the person as a JSON array, then the record, each text behind its length: two places never have the same
 * bytes. What the values of one person share is written once; JSON throughout would cost a list of people 10 %.
 */
function placesOf(log: string, person: Pseudonym): (record: RecordVersion) => Uint8Array {
  const shared = JSON.stringify(['access-ledger value 1', log, person]);
  return ({ id, category, version }) =>
    Buffer.from(`${shared}${id.length}:${id}${category.length}:${category}${version}`);
}
