/**
 * A ledger fault is why nothing was answered: the database is out of reach, or it will not have what we sent. Neither is a
 * decision, and nothing opens after one. Whether an entry stands after UNAVAILABLE is unknown; if it does, it counts.
 */
import { sqlStateOf } from '../database/fault.js';

export type LedgerFaultCode = 'UNAVAILABLE' | 'BODY_REFUSED' | 'CLOCK_OFF' | 'ID_TAKEN';

export class LedgerFault extends Error {
  override readonly name = 'LedgerFault';
  /** @param sqlState five characters, never PostgreSQL's own message: that may quote a row. */
  constructor(
    readonly code: LedgerFaultCode,
    readonly sqlState: string | null = null,
  ) {
    super(SAID[code]);
  }
}

const SAID: Record<LedgerFaultCode, string> = {
  UNAVAILABLE: 'the database is out of reach, or did not answer in time',
  BODY_REFUSED: 'the database refused what was to be written',
  CLOCK_OFF: 'more than 5 s, by the database’s clock, between a decision and its entry',
  ID_TAKEN: 'the id of an entry stands already, with another body',
};

/** What ledger.append and the triggers raise (migrations/0003-append.sql). */
const OURS: Record<string, LedgerFaultCode> = { AL002: 'CLOCK_OFF', AL003: 'ID_TAKEN' };

export const STALE = 'AL001';

/**
 * Whether values were kept of a person while the person was erased: of the two, the other came first (constraints of
 * migrations/0004-registry.sql).
 */
export function isErasureRace(error: unknown): boolean {
  if (sqlStateOf(error) !== '23503' || !(error instanceof Error) || !('constraint' in error)) return false;
  return /^(record_under_key|version_of_record|index_of_record)$/.test(String(error.constraint));
}

export function faultOf(error: unknown): LedgerFault {
  if (error instanceof LedgerFault) return error;
  const state = sqlStateOf(error);
  if (state !== null && OURS[state]) return new LedgerFault(OURS[state], state);
  // Class 22 and 23: what we sent is wrong. The rest is the database's: a full disk, a timeout, a lost connection.
  const refused = state !== null && (/^2[23]/.test(state) || state.startsWith('AL'));
  return new LedgerFault(refused ? 'BODY_REFUSED' : 'UNAVAILABLE', state);
}
