/**
 * The rules of a need-to-know grant's term: it begins now or later, and ends within a year or so, so that whether somebody
 * still needs to know is asked again.
 */
import { isInForce, type Term } from '../../policy/term.js';

const DAY_MS = 24 * 3_600_000;
export const LONGEST_GRANT_DAYS = 366;

export type TermFault = 'BACKDATED' | 'ENDS_BEFORE_IT_BEGINS' | 'TOO_LONG';

/** Null for a term that may be granted at this moment. */
export function termFault({ from, until }: Term, now: Date): TermFault | null {
  if (from < now) return 'BACKDATED';
  if (until <= from) return 'ENDS_BEFORE_IT_BEGINS';
  return until.getTime() - now.getTime() > LONGEST_GRANT_DAYS * DAY_MS ? 'TOO_LONG' : null;
}

/** Whether anything may be read by it at this moment, as far as it goes. */
export function isStanding(grant: Term & { readonly revokedAt: Date | null }, now: Date): boolean {
  return grant.revokedAt === null && isInForce(grant, now);
}
