/**
 * Erase: everything held about one person goes, with the key that seals it, in one transaction with the entries that say
 * so. What is left of the sealed values elsewhere (backups, replicas, dead rows) no longer opens once the KEK that wrapped
 * the key is gone as well: the last entry says which it was, and when it retires.
 */
import type { PermittedBody, Pseudonym, RecordVersion } from '../log/entry.js';
import { type Asker, RECORDS_PER_ENTRY } from './asker.js';
import { type ChangeParts, change, type LookedUp } from './change.js';
import type { Permit } from './permit.js';

export interface EraseAsk {
  readonly operation: string;
  readonly subject: Pseudonym;
  readonly log: number;
}

/**
 * Answers how many versions of values are gone: 0 where nothing was held, or was erased before. Null for an unknown person,
 * who is not for the log.
 *
 * @throws Refusal, TryAgain, LedgerFault
 */
export function erase(parts: ChangeParts, asker: Asker, { operation, subject, log }: EraseAsk): Promise<number | null> {
  const ask = { event: 'record.erased', operation, data: null } as const;
  return change<number | null>(parts, asker, ask, async ({ rows }, permitted, vault) => {
    const [known] = await rows.query('SELECT FROM registry.subject WHERE log = $1 AND id = $2', [log, subject]);
    if (!known) return nothingHeld(permitted, null);

    const remove = async <Row>(from: string, which: string, returning: string): Promise<Row[]> => {
      const [removed] = await rows.query(
        `DELETE FROM registry.${from} WHERE log = $1 AND ${which} RETURNING ${returning}`,
        [log, subject],
      );
      return removed;
    };
    // An array, so that what hangs on records is found by their ids, and not by reading it all.
    const ofRecords = 'record = ANY (ARRAY(SELECT r.id FROM registry.record r WHERE r.log = $1 AND r.subject = $2))';
    await remove('blind_index', ofRecords, 'record');
    const versions = await remove<RecordVersion>('record_version', ofRecords, 'record AS id, category, version');
    await remove('record', 'subject = $2', 'id');
    const [key] = await remove<{ kek: string; wrapped: Buffer }>('subject_key', 'subject = $2', 'kek, wrapped');
    // Nothing is held without a key: it was all erased before.
    if (!key) return nothingHeld(permitted, subject);

    const bodies: PermittedBody[] = [];
    for (let from = 0; from < versions.length; from += RECORDS_PER_ENTRY) {
      const records = versions.slice(from, from + RECORDS_PER_ENTRY);
      bodies.push(permitted.body('record.erased', { subject, records }));
    }
    const { kek, retires } = await vault.shred({ person: subject, kek: key.kek, bytes: key.wrapped });
    // Last, for it changes the facts: nothing may be decided after it on what was there before.
    const last = permitted.body('key.destroyed', { subject, details: { kek, retires } });
    const [first = last, ...rest] = [...bodies, last];
    return { bodies: [first, ...rest], value: versions.length };
  });
}

function nothingHeld(permitted: Permit, subject: Pseudonym | null): LookedUp<number | null> {
  const lookedUp = permitted.body('record.listed', { ...(subject && { subject }), details: { found: 0 } });
  return { lookedUp, value: subject && 0 };
}
