/**
 * The system acts where no person does: when it declares what the policy says, and when it lets somebody sign in for the
 * first time. Its pseudonym is the same in every deployment.
 */
import type { Actor, Pseudonym } from '../log/entry.js';

export const SYSTEM: Actor = { id: '00000000-0000-4000-8000-000000000000' as Pseudonym, kind: 'system' };
