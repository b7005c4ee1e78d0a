/**
 * The lifecycle of a consent (clause 3.1): what it may come to next, and by whom. The database holds the same.
 */
import type { ConsentState } from '../../policy/consent.js';

export const CONSENT_STEPS: { readonly [S in ConsentState]: readonly ConsentState[] } = {
  REQUESTED: ['GIVEN', 'REFUSED'],
  GIVEN: ['RENEWED', 'WITHDRAWN', 'INVALIDATED', 'EXPIRED'],
  RENEWED: ['RENEWED', 'WITHDRAWN', 'INVALIDATED', 'EXPIRED'],
  REFUSED: [],
  WITHDRAWN: [],
  INVALIDATED: [],
  EXPIRED: [],
};

/** A person may give it unasked. */
export const FIRST_STATES: readonly ConsentState[] = ['REQUESTED', 'GIVEN'];

export function mayBecome(state: ConsentState | null, next: ConsentState): boolean {
  return (state === null ? FIRST_STATES : CONSENT_STEPS[state]).includes(next);
}

export type EndFault = 'ENDS_BEFORE_IT_BEGINS';

/** Null for an end that a consent given at this moment may have. */
export function endFault(until: Date | null, now: Date): EndFault | null {
  return until !== null && until <= now ? 'ENDS_BEFORE_IT_BEGINS' : null;
}
