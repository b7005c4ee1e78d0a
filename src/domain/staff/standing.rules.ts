/**
 * The rules of a standing: for which terms it may be recorded, and its lifecycle.
 */
import { isInForce, type Term } from '../../policy/term.js';

export const STANDING_KINDS = ['engagement', 'agreement', 'training'] as const;
export type StandingKind = (typeof STANDING_KINDS)[number];

/** As it is recorded: null for one without term. */
export interface OpenTerm {
  readonly from: Date;
  readonly until: Date | null;
}

const DAY_MS = 24 * 3_600_000;
export const LONGEST_TRAINING_DAYS = 731;

export type StandingFault = 'NOT_YET' | 'ENDS_BEFORE_IT_BEGINS' | 'OVER' | 'OPEN_ENDED' | 'TOO_LONG';

/**
 * Null for a term that may be recorded at this moment. It may have begun before: it counts from its entry on. What is signed
 * or completed has been so already; and no training is current for more than two years.
 */
export function standingFault(kind: StandingKind, { from, until }: OpenTerm, now: Date): StandingFault | null {
  if (kind !== 'engagement' && from > now) return 'NOT_YET';
  if (until === null) return kind === 'training' ? 'OPEN_ENDED' : null;
  if (until <= from) return 'ENDS_BEFORE_IT_BEGINS';
  if (until <= now) return 'OVER';
  const isLong = until.getTime() - from.getTime() > LONGEST_TRAINING_DAYS * DAY_MS;
  return kind === 'training' && isLong ? 'TOO_LONG' : null;
}

/** The last moment that a Date can say. */
const NEVER = new Date(8.64e15);

export function termOf({ from, until }: OpenTerm): Term {
  return { from, until: until ?? NEVER };
}

export const STANDING_STATES = ['AHEAD', 'IN_FORCE', 'EXPIRED', 'ENDED'] as const;
export type StandingState = (typeof STANDING_STATES)[number];

/** Which states may follow which. Time brings all but ENDED, which a privacy officer does. */
export const NEXT: { readonly [S in StandingState]: readonly StandingState[] } = {
  AHEAD: ['IN_FORCE', 'ENDED'],
  IN_FORCE: ['EXPIRED', 'ENDED'],
  EXPIRED: [],
  ENDED: [],
};

export function stateOf(standing: OpenTerm & { readonly endedAt: Date | null }, now: Date): StandingState {
  if (standing.endedAt) return 'ENDED';
  if (now < standing.from) return 'AHEAD';
  return isInForce(termOf(standing), now) ? 'IN_FORCE' : 'EXPIRED';
}
