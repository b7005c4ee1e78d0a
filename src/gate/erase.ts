/**
 * Erase: everything held about one person goes, with the key that seals it, in one transaction with the entries that say
 * so. What is left of the sealed values elsewhere (backups, replicas, dead rows) no longer opens once the KEK that wrapped
 * the key is gone as well.
 */
import type { PermittedBody, Pseudonym, RecordVersion } from '../log/entry.js';
import { type Asker, RECORDS_PER_ENTRY } from './asker.js';
import { type ChangeParts, change } from './change.js';

export interface EraseAsk {
  readonly operation: string;
  readonly subject: Pseudonym;
  readonly log: number;
}

/**
 * Answers how many versions of values are gone; 0 for a person of whom nothing was held.
 *
 * @throws Refusal, TryAgain, LedgerFault
 */
export function erase(parts: ChangeParts, asker: Asker, { operation, subject, log }: EraseAsk): Promise<number> {
  return change(parts, asker, { event: 'record.erased', operation, data: null }, async ({ rows }, permitted) => {
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
    const keys = await remove<{ kek: string }>('subject_key', 'subject = $2', 'kek');
    const bodies: PermittedBody[] = [];
    for (let from = 0; from < versions.length; from += RECORDS_PER_ENTRY) {
      const records = versions.slice(from, from + RECORDS_PER_ENTRY);
      bodies.push(permitted.body('record.erased', { subject, records }));
    }
    // Last, for it changes the facts: nothing may be decided after it on what was there before.
    const last = permitted.body('key.destroyed', { subject, details: { keks: keys.map(({ kek }) => kek) } });
    const [first = last, ...rest] = [...bodies, last];
    return { bodies: [first, ...rest], value: versions.length };
  });
}
