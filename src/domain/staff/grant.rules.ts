/**
 * The rules of a need-to-know grant's term: it begins now or later, and ends within a year or so, so that whether somebody
 * still needs to know is asked again.
 */

const DAY_MS = 24 * 3_600_000;
export const LONGEST_GRANT_DAYS = 366;

export interface Term {
  readonly from: Date;
  readonly until: Date;
}

export type TermFault = 'BACKDATED' | 'ENDS_BEFORE_IT_BEGINS' | 'TOO_LONG';

/** Null for a term that may be granted at this moment. */
export function termFault({ from, until }: Term, now: Date): TermFault | null {
  if (from < now) return 'BACKDATED';
  if (until <= from) return 'ENDS_BEFORE_IT_BEGINS';
  return until.getTime() - now.getTime() > LONGEST_GRANT_DAYS * DAY_MS ? 'TOO_LONG' : null;
}

/** The last moment of a grant is the one before `until`. */
export function isInForce({ from, until, revokedAt }: Term & { readonly revokedAt: Date | null }, now: Date): boolean {
  return revokedAt === null && from <= now && now < until;
}
