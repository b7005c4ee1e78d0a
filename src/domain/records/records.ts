/**
 * The verbs of personal-data records: collect, update. Reading is the gate's own verb.
 */

import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Seal } from '../../gate/change.js';
import type { Permit } from '../../gate/permit.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { isSpeakable } from '../../log/canonical.js';
import type { Category, EntryId, Pseudonym, RecordId, RecordVersion } from '../../log/entry.js';
import type { Collected } from '../../policy/decide.js';
import type { WrappedKey } from '../../vault/vault.js';
import { refuseCollection } from '../services/coverage.js';

/** One value to keep, and how it came. */
export interface CollectedValue extends Collected {
  readonly value: string;
}

/** What is to be kept of one person, under one entry. */
export interface Collection {
  readonly subject: Pseudonym;
  readonly key: WrappedKey;
  readonly entry: EntryId;
  readonly records: readonly (CollectedValue & { readonly id: RecordId })[];
}

const LONGEST_VALUE = 10_000;
const MOST_RECORDS = 100;

/** Gives each value the id of its record. @throws Fault BAD_INPUT, which quotes none of them */
export function withIds(records: readonly CollectedValue[]): (CollectedValue & { id: RecordId })[] {
  if (records.length < 1 || records.length > MOST_RECORDS) {
    throw new Fault('BAD_INPUT', { detail: `"records" are from 1 to ${MOST_RECORDS}.` });
  }
  return records.map((record) => {
    checkValue(record.value);
    return { ...record, id: randomUUID() as string as RecordId };
  });
}

function checkValue(value: string): void {
  if (value.length < 1 || value.length > LONGEST_VALUE || !isSpeakable(value) || value.trim() === '') {
    throw new Fault('BAD_INPUT', { detail: `A "value" is text of 1 to ${LONGEST_VALUE} characters.` });
  }
}

export function firstVersions(records: readonly { id: RecordId; category: string }[]): RecordVersion[] {
  return records.map(({ id, category }) => ({ id, category: category as Category, version: 1 }));
}

/** Seals and inserts the first versions of what is collected about one or many people: three statements for all. */
export async function insertRecords(
  rows: EntityManager,
  log: number,
  permit: Permit,
  seal: Seal,
  collections: readonly Collection[],
): Promise<void> {
  const sealed = await Promise.all(
    collections.map(async ({ subject, key, entry, records }) => {
      const versions = firstVersions(records);
      const bytes = await seal.seal(
        key,
        records.map(({ value }, at) => ({ record: versions[at]!, value })),
      );
      return Promise.all(
        records.map(async ({ id, category, channel, value }, at) => ({
          id,
          subject,
          category,
          channel,
          entry,
          sealed: base64(bytes[at]!.bytes),
          digest: permit.isSearchable(category as Category)
            ? base64(await seal.blindIndex(category as Category, value))
            : null,
        })),
      );
    }),
  );
  const all = JSON.stringify(sealed.flat());
  await rows.query(
    `INSERT INTO registry.record (log, id, subject, category, version)
     SELECT $1, r.id, r.subject, r.category, 1 FROM json_to_recordset($2::json) AS r(id uuid, subject uuid, category text)`,
    [log, all],
  );
  await rows.query(
    `INSERT INTO registry.record_version (log, record, version, subject, category, channel, sealed, entry)
     SELECT $1, r.id, 1, r.subject, r.category, r.channel, decode(r.sealed, 'base64'), r.entry
     FROM json_to_recordset($2::json)
       AS r(id uuid, subject uuid, category text, channel text, sealed text, entry uuid)`,
    [log, all],
  );
  await rows.query(
    `INSERT INTO registry.blind_index (log, category, digest, record, subject)
     SELECT $1, r.category, decode(r.digest, 'base64'), r.id, r.subject
     FROM json_to_recordset($2::json) AS r(id uuid, subject uuid, category text, digest text) WHERE r.digest IS NOT NULL`,
    [log, all],
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

export interface CollectAsk {
  readonly user: Pseudonym;
  readonly purpose: string;
  readonly records: readonly CollectedValue[];
}

/**
 * Null for an unknown person, or one whose key was destroyed: nothing can be sealed for them. That is told, and so entered.
 *
 * @throws Refusal; Fault BAD_INPUT
 */
export async function collectPersonalData(
  { gate, log }: Context,
  { user, purpose, records }: CollectAsk,
): Promise<RecordVersion[] | null> {
  const kept = withIds(records);
  const data = { subject: user, purpose, categories: categoriesOf(records), collected: kept };
  const ask = { event: 'record.created', operation: 'collectPersonalData', data } as const;
  return gate.change<RecordVersion[] | null>(ask, async ({ rows }, permit, seal) => {
    const { key } = permit.holdings ?? {};
    if (!key) return { lookedUp: permit.body('record.listed', { details: { found: 0 } }), value: null };
    await refuseCollection(rows, { log, subject: user, categories: data.categories });
    const versions = firstVersions(kept);
    const body = permit.body('record.created', { records: versions });
    await insertRecords(rows, log, permit, seal, [{ subject: user, key, entry: body.id, records: kept }]);
    return { bodies: [body], value: versions };
  });
}

export function categoriesOf(records: readonly CollectedValue[]): string[] {
  return [...new Set(records.map(({ category }) => category))];
}

export interface UpdateAsk {
  readonly record: RecordId;
  readonly purpose: string;
  readonly expectedVersion: number;
  readonly channel: string;
  readonly value: string;
}

/** Null for an unknown record. @throws Fault VERSION_CONFLICT where another version stands */
export async function updatePersonalData(
  { gate }: Context,
  { record, purpose, expectedVersion, channel, value }: UpdateAsk,
): Promise<RecordVersion | null> {
  checkValue(value);
  const operation = 'updatePersonalData';
  const revised = await gate.revise({ operation, record, expected: expectedVersion, value, channel, purpose });
  if (!revised) return null;
  if ('conflict' in revised) {
    throw new Fault('VERSION_CONFLICT', { detail: `Version ${revised.conflict} stands.` });
  }
  return { id: record, category: revised.category as Category, version: revised.version };
}
