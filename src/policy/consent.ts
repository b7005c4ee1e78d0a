/**
 * A consent is what a person agreed to, clearly and in advance: these categories for this purpose (clause 3.1). It is in
 * force from when it was given or renewed until its end, if it has one, unless it was withdrawn or invalidated.
 */
import type { Category, Purpose } from '../log/entry.js';

/** The key of the legal basis that rests on it. */
export const CONSENT_BASIS = 'consent';

/** What a consent can have come to. It expires by the clock alone: nothing is written then. */
export const CONSENT_STATES = [
  'REQUESTED',
  'GIVEN',
  'RENEWED',
  'REFUSED',
  'WITHDRAWN',
  'INVALIDATED',
  'EXPIRED',
] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];
/** What somebody did, and an entry says. */
export type ConsentAct = Exclude<ConsentState, 'EXPIRED'>;

/** A consent of the person's, as it was last changed. */
export interface ConsentFact {
  readonly purpose: Purpose;
  readonly categories: readonly Category[];
  readonly act: ConsentAct;
  /** The first moment at which it is no longer in force; null where it has no end. */
  readonly until: Date | null;
}

/** What it has come to at this moment. */
export function stateOf({ act, until }: Pick<ConsentFact, 'act' | 'until'>, at: Date): ConsentState {
  return (act === 'GIVEN' || act === 'RENEWED') && until !== null && until <= at ? 'EXPIRED' : act;
}

export function isConsenting(consent: Pick<ConsentFact, 'act' | 'until'>, at: Date): boolean {
  const state = stateOf(consent, at);
  return state === 'GIVEN' || state === 'RENEWED';
}
