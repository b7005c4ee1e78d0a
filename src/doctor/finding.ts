/**
 * A finding of the doctor's is one thing about a database that would let its log be bypassed without anybody noticing, or
 * that shows that it was: a code, what was found, and what to do. The codes are a closed set.
 */
import type { Kind } from './catalogue.js';

/** What became of an object that the migrations make, or of one that they do not. */
export type ObjectCode = `${Uppercase<Kind>}_${'MISSING' | 'CHANGED' | 'ADDED'}`;

/** A fault has to be put right. A notice is for somebody to know: it may be meant so. */
export const CODES = {
  UNREADABLE: 'fault',
  MIGRATION_MISSING: 'fault',
  MIGRATION_UNKNOWN: 'fault',
  EVENT_CHANGED: 'fault',
  LOGIN_WRITES_LOG: 'fault',
  LOGIN_HOLDS_TOO_MUCH: 'fault',
  LOGIN_UNKNOWN: 'fault',
  SUPERUSER: 'notice',
  REPLICATION_WRITES: 'fault',
  TRIGGERS_OFF: 'fault',
  NOT_DURABLE: 'notice',
  VERSION_WITHOUT_ENTRY: 'fault',
  ENTRY_WITHOUT_VERSION: 'fault',
  ROW_WITHOUT_ENTRY: 'fault',
  ENTRY_WITHOUT_ROW: 'fault',
  NOT_ERASED: 'fault',
  ERASURE_LEFT: 'fault',
  KEY_MISSING: 'fault',
  VALUE_UNSEALED: 'fault',
  KEY_UNWRAPPED: 'fault',
  CLOCK_OFF: 'fault',
  KEK_RETIRED: 'fault',
  KEK_RETIRES_SOON: 'notice',
  KEK_UNKNOWN: 'fault',
  CHECKPOINT_LAGS: 'fault',
  CHECKPOINT_UNSIGNED: 'fault',
  CHECKPOINT_AHEAD: 'fault',
} as const satisfies Record<string, 'fault' | 'notice'>;

export type DoctorCode = ObjectCode | keyof typeof CODES;

export function isFault({ code }: DoctorFinding): boolean {
  return code in CODES ? CODES[code as keyof typeof CODES] === 'fault' : true;
}

export interface DoctorFinding {
  readonly code: DoctorCode;
  /** What was found, in one line. */
  readonly what: string;
  /** What to do, in one line. */
  readonly remedy: string;
  /** The statement that does it, where one does; for a superuser. */
  readonly sql?: string;
  /** Of rows: how many, and some of them. */
  readonly count?: number;
  readonly places?: readonly string[];
}
