/**
 * A row finding is what a walk found wrong with rows, in words: what it means, and what to do.
 */
import type { DoctorFinding } from './finding.js';
import type { Wrong } from './walk.js';

type RowCode =
  | 'VERSION_WITHOUT_ENTRY'
  | 'ENTRY_WITHOUT_VERSION'
  | 'ROW_WITHOUT_ENTRY'
  | 'ENTRY_WITHOUT_ROW'
  | 'NOT_ERASED'
  | 'ERASURE_LEFT'
  | 'KEY_MISSING'
  | 'VALUE_UNSEALED'
  | 'KEY_UNWRAPPED';

const SAYS: Readonly<Record<RowCode, { readonly what: string; readonly remedy: string }>> = {
  VERSION_WITHOUT_ENTRY: {
    what: 'no entry says that this value was recorded',
    remedy: 'somebody wrote it past the log: find out who, and from when the triggers did not hold',
  },
  ENTRY_WITHOUT_VERSION: {
    what: 'an entry says that this value was recorded, and it is not there, nor was it erased',
    remedy: 'somebody deleted it past the log: take it from a backup, if it is owed',
  },
  ROW_WITHOUT_ENTRY: {
    what: 'no entry says this',
    remedy: 'somebody wrote it past the log: find out who, and from when the triggers did not hold',
  },
  ENTRY_WITHOUT_ROW: {
    what: 'an entry says that this person was registered, and nobody is',
    remedy: 'somebody deleted the row past the log: take it from a backup',
  },
  NOT_ERASED: {
    what: 'an entry says that this was erased, and it is there',
    remedy: 'a backup was restored, or the triggers did not hold: erase the person again',
  },
  ERASURE_LEFT: {
    what: 'a deletion was committed that nothing held against its entry',
    remedy:
      'the trigger erased_under_entry was off: find the entry record.erased of the person, or who deleted without one',
  },
  KEY_MISSING: {
    what: 'the person has no key, and no entry says that it was destroyed',
    remedy: 'take it from a backup: values under it do not open',
  },
  VALUE_UNSEALED: {
    what: 'these bytes are no sealed value',
    remedy: 'somebody wrote it past the vault: look whether it is a value in the clear, and record it anew',
  },
  KEY_UNWRAPPED: {
    what: 'these bytes are no wrapped key',
    remedy: 'somebody wrote it past the vault: what it seals is open to whoever has the database',
  },
};

export function rowFinding({ code, count, places }: Wrong): DoctorFinding {
  const { what, remedy } = SAYS[code as RowCode];
  const others = count - 1;
  const first = `${places[0]}${others > 0 ? ` and ${others} more` : ''}`;
  return { code: code as RowCode, what: `${first}: ${what}`, remedy, count, places };
}
