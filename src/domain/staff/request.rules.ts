/**
 * The lifecycle of need to know: requested, approved by somebody else, and in the end expired or revoked. A grant that an
 * officer gives unasked begins as approved.
 */
export const NEED_TO_KNOW_STATES = ['REQUESTED', 'APPROVED', 'EXPIRED', 'REVOKED'] as const;
export type NeedToKnowState = (typeof NEED_TO_KNOW_STATES)[number];

/** Which states may follow which. Time brings EXPIRED; what is approved or revoked, a privacy officer does. */
export const NEXT: { readonly [S in NeedToKnowState]: readonly NeedToKnowState[] } = {
  REQUESTED: ['APPROVED', 'EXPIRED'],
  APPROVED: ['EXPIRED', 'REVOKED'],
  EXPIRED: [],
  REVOKED: [],
};

/** @param grant what approved it; null for what is only requested */
export function needToKnowState(
  until: Date,
  grant: { readonly revokedAt: Date | null } | null,
  now: Date,
): NeedToKnowState {
  if (grant?.revokedAt) return 'REVOKED';
  if (until <= now) return 'EXPIRED';
  return grant ? 'APPROVED' : 'REQUESTED';
}
