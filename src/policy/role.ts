/**
 * A role is what the issuer's token says an actor does. It decides which verbs are open at all; grants decide the rest.
 */
import type { Actor, ActorKind } from '../log/entry.js';
import type { EventName } from '../log/event.js';
import { type Refused, refused } from './refusal.js';

const STAFF_ROLES = ['support-agent', 'privacy-officer', 'security-reviewer'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

const ANY_STAFF: readonly StaffRole[] = ['support-agent', 'privacy-officer'];

/** Who may cause an event at all: staff by role, others by kind. What concerns values is decided further by `decide`. */
const OPEN_TO: { readonly [E in EventName]: readonly (StaffRole | Exclude<ActorKind, 'staff'>)[] } = {
  'agreement.signed': ['privacy-officer', 'system'],
  'agreement.withdrawn': ['privacy-officer', 'system'],
  'category.accepted': ['user'],
  'category.declared': ['system'],
  'category.declined': ['user'],
  'consent.given': ['user'],
  'consent.invalidated': ['privacy-officer'],
  'consent.listed': ANY_STAFF,
  'consent.refused': ['user'],
  'consent.renewed': ['user'],
  'consent.requested': ANY_STAFF,
  'consent.withdrawn': ['user'],
  'cookie-preference.read': ['user', ...ANY_STAFF],
  'cookie-preference.set': ['user'],
  'cookie.declared': ['privacy-officer', 'system'],
  'engagement.begun': ['privacy-officer', 'system'],
  'engagement.ended': ['privacy-officer', 'system'],
  'grant.approved': ['privacy-officer', 'system'],
  'grant.listed': ['privacy-officer'],
  'grant.requested': ANY_STAFF,
  'grant.revoked': ['privacy-officer', 'system'],
  'history.read': ['user'],
  'identity.linked': ['privacy-officer', 'system'],
  'key.destroyed': ['privacy-officer'],
  'legal-basis.declared': ['system'],
  'log.read': ['security-reviewer'],
  'log.verified': ['security-reviewer'],
  'processor.listed': ['security-reviewer', ...ANY_STAFF],
  'processor.registered': ['privacy-officer', 'system'],
  'purpose.declared': ['system'],
  'record.created': ['system', 'user', ...ANY_STAFF],
  'record.erased': ['privacy-officer'],
  'record.listed': ['user', ...ANY_STAFF],
  'record.read': ['user', ...ANY_STAFF],
  'record.updated': ['user', ...ANY_STAFF],
  'refusals.suppressed': ['system'],
  'service.amended': ['privacy-officer', 'system'],
  'service.enrolled': ['privacy-officer', 'system'],
  'staff.listed': ['privacy-officer'],
  'training.completed': ['privacy-officer', 'system'],
  'training.withdrawn': ['privacy-officer', 'system'],
  'user.found': ANY_STAFF,
  'user.listed': ANY_STAFF,
  'user.registered': ['system', ...ANY_STAFF],
};

/** Null if the event is open to the actor. */
export function refusedByRole(actor: Actor, event: EventName): Refused | null {
  // Of a member of the staff the role counts, and only a role of the staff: one called "system" is no system.
  const is = actor.kind === 'staff' ? STAFF_ROLES.find((role) => role === actor.role) : actor.kind;
  const open: readonly (string | undefined)[] = OPEN_TO[event];
  return open.includes(is) ? null : refused('ROLE_NOT_PERMITTED', 'a role that may');
}
