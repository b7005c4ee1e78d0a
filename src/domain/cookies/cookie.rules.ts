/**
 * The rules of cookies (clause 4.2). A preference has no lifecycle: any may follow any, and whoever has set none is asked.
 */
import { together } from '../../policy/decide.js';
import { type Refused, refused } from '../../policy/refusal.js';

export const COOKIE_CATEGORIES = ['ESSENTIAL', 'PREFERENCES', 'STATISTICS', 'MARKETING'] as const;
export type CookieCategory = (typeof COOKIE_CATEGORIES)[number];

/** Of the cookies that are not essential. To ask is to set each only once the person agrees to it. */
export const COOKIE_PREFERENCES = ['ACCEPT_ALL', 'REJECT_ALL', 'ASK'] as const;
export type CookiePreference = (typeof COOKIE_PREFERENCES)[number];

export const COOKIE_ANSWERS = ['ALLOWED', 'ASK', 'REFUSED'] as const;
export type CookieAnswer = (typeof COOKIE_ANSWERS)[number];

export interface CookieFacts {
  /** Whether the service is enrolled under the policy in force. */
  readonly covered: boolean;
  /** Null for a cookie that the service has not declared. */
  readonly category: CookieCategory | null;
  readonly preference: CookiePreference | null;
}

export interface CookieVerdict {
  readonly answer: CookieAnswer;
  /** Where it is refused. */
  readonly refusal: Refused | null;
}

export function judgeCookie({ covered, category, preference }: CookieFacts): CookieVerdict {
  const optional = category !== null && category !== 'ESSENTIAL';
  const unmet = [
    ...(covered ? [] : [refused('SERVICE_NOT_COVERED', 'an enrolled service')]),
    ...(category === null ? [refused('COOKIE_NOT_DECLARED', 'a declared cookie')] : []),
    ...(optional && preference === 'REJECT_ALL'
      ? [refused('COOKIE_REJECTED', 'a preference that accepts the cookie')]
      : []),
  ];
  if (unmet.length > 0) return { answer: 'REFUSED', refusal: together(unmet) };
  return { answer: optional && preference !== 'ACCEPT_ALL' ? 'ASK' : 'ALLOWED', refusal: null };
}
