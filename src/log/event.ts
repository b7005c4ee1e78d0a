/**
 * An event is what an entry says happened: `noun.verb`. Every event of the system stands here, once, with the clause
 * of the policy it comes from and whether it changes facts.
 *
 * A fact-changing event ends what was decided before it: no permission may stand after it that rests on facts read
 * before it. The database holds the same table (`ledger.event`); a test compares the two.
 */

export const EVENTS = {
  'agreement.signed': { clause: '5.2', changesFacts: true },
  'agreement.withdrawn': { clause: '5.2', changesFacts: true },
  'category.accepted': { clause: '4.1', changesFacts: true },
  'category.declared': { clause: '2.1', changesFacts: true },
  'category.declined': { clause: '4.1', changesFacts: true },
  'consent.given': { clause: '3.1', changesFacts: true },
  'consent.invalidated': { clause: '3.1', changesFacts: true },
  'consent.listed': { clause: '3.1', changesFacts: false },
  'consent.refused': { clause: '3.1', changesFacts: true },
  'consent.renewed': { clause: '3.1', changesFacts: true },
  'consent.requested': { clause: '3.1', changesFacts: true },
  'consent.withdrawn': { clause: '3.1', changesFacts: true },
  'cookie-preference.read': { clause: '4.2', changesFacts: false },
  'cookie-preference.set': { clause: '4.2', changesFacts: true },
  'cookie.declared': { clause: '4.2', changesFacts: true },
  'engagement.begun': { clause: '5.2', changesFacts: true },
  'engagement.ended': { clause: '5.2', changesFacts: true },
  'grant.approved': { clause: '5.2', changesFacts: true },
  'grant.listed': { clause: '5.2', changesFacts: false },
  'grant.requested': { clause: '5.2', changesFacts: false },
  'grant.revoked': { clause: '5.2', changesFacts: true },
  'history.read': { clause: '6.4', changesFacts: false },
  'identity.linked': { clause: '5.2', changesFacts: false },
  'key.destroyed': { clause: '6.3', changesFacts: true },
  'legal-basis.declared': { clause: '3.1', changesFacts: true },
  'log.read': { clause: '5.1', changesFacts: false },
  'log.verified': { clause: '5.1', changesFacts: false },
  'processor.listed': { clause: '6.1', changesFacts: false },
  'processor.registered': { clause: '6.1', changesFacts: true },
  'purpose.declared': { clause: '3.1', changesFacts: true },
  'record.created': { clause: '2.2', changesFacts: false },
  'record.erased': { clause: '6.3', changesFacts: false },
  'record.listed': { clause: '5.2', changesFacts: false },
  'record.read': { clause: '5.2', changesFacts: false },
  'record.updated': { clause: '6.4', changesFacts: false },
  'refusals.suppressed': { clause: '5.1', changesFacts: false },
  'service.amended': { clause: '4.1', changesFacts: true },
  'service.enrolled': { clause: '8.2', changesFacts: true },
  'staff.listed': { clause: '5.2', changesFacts: false },
  'training.completed': { clause: '5.2', changesFacts: true },
  'training.withdrawn': { clause: '5.2', changesFacts: true },
  'user.found': { clause: '5.2', changesFacts: false },
  'user.listed': { clause: '5.2', changesFacts: false },
  'user.registered': { clause: '2.2', changesFacts: false },
} as const satisfies Record<string, { clause: string; changesFacts: boolean }>;

export type EventName = keyof typeof EVENTS;

/** A verifier accepts events that it does not know, and knows nothing of their facts. */
export function isKnown(event: string): event is EventName {
  return Object.hasOwn(EVENTS, event);
}

/** False for events that are not known. */
export function changesFacts(event: string): boolean {
  return isKnown(event) && EVENTS[event].changesFacts;
}
