/**
 * Actors: from a verified token to our own pseudonym. Users and processors are known because somebody registered them;
 * staff are vouched for by the issuer, and get a pseudonym, with an entry, when they first sign in.
 */
import { randomUUID } from 'node:crypto';
import { actorOf, digestOf, type IdentityKind, linkIdentities } from '../domain/identities/identities.js';
import { Fault } from '../graphql/fault.js';
import { LedgerFault } from '../ledger/fault.js';
import type { Actor, Pseudonym } from '../log/entry.js';
import { Refusal, refused } from '../policy/refusal.js';
import { SYSTEM } from '../policy/system.js';
import type { ActingRole, Caller } from './authentication.js';
import type { Core } from './core.js';

export type FindActor = (caller: Caller, request: string) => Promise<Actor>;

/** @throws by FindActor: Refusal ACTOR_UNKNOWN, with its entry; LedgerFault */
export function createActors(core: Core): FindActor {
  // A token that is verified once gives the same caller object, so this lives as long as the token does.
  const known = new WeakMap<Caller, Actor>();
  return async (caller, request) => {
    const actor = known.get(caller) ?? (await find(core, caller, request));
    known.set(caller, actor);
    return actor;
  };
}

async function find(core: Core, caller: Caller, request: string): Promise<Actor> {
  const role = caller.roles.find((one): one is ActingRole => one !== 'operator')!;
  const kind: IdentityKind = role === 'user' || role === 'processor' ? role : 'staff';
  const digest = await digestOf(core.parts.vault, kind, caller);
  const id = (await actorOf(core.rows.manager, digest)) ?? (await enrol(core, kind, digest, request));
  return kind === 'staff' ? { id, kind, role } : { id, kind };
}

async function enrol(core: Core, kind: IdentityKind, digest: Uint8Array, request: string): Promise<Pseudonym> {
  const { gate } = core.contextFor({ actor: SYSTEM, request });
  const actor = randomUUID() as string as Pseudonym;
  const ask = { event: 'identity.linked', operation: 'signIn', data: null } as const;
  try {
    return await gate.change(ask, async ({ rows }, permit) => {
      if (kind !== 'staff') throw new Refusal(refused('ACTOR_UNKNOWN', 'a registered identity'), null);
      const body = permit.body('identity.linked', { details: { actor, kind } });
      await linkIdentities(rows, kind, [{ digest, actor, entry: body.id }]);
      return { bodies: [body], value: actor };
    });
  } catch (error) {
    // Their first two requests came at once, and the other was quicker.
    const first =
      error instanceof Fault || error instanceof LedgerFault ? await actorOf(core.rows.manager, digest) : null;
    if (!first) throw error;
    return first;
  }
}
