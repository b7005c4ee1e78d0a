/**
 * Actors: from a verified token to our own pseudonym. Users and processors are known because somebody registered them;
 * staff are vouched for by the issuer, and get a pseudonym, with an entry, when they first sign in.
 */
import { randomUUID } from 'node:crypto';
import { actorOf, digestOf, type IdentityKind, linkIdentities } from '../domain/identities/identities.js';
import type { Context } from '../graphql/context.js';
import { LedgerFault } from '../ledger/fault.js';
import type { Actor, Entry, Pseudonym } from '../log/entry.js';
import { Refusal, refused } from '../policy/refusal.js';
import { SYSTEM } from '../policy/system.js';
import type { ActingRole, Caller } from './authentication.js';
import type { Core } from './core.js';

/** What it enters in the log goes to `entries`: the operation that it is done for shows them, and pays for them. */
export type FindActor = (caller: Caller, request: string, entries?: Entry[]) => Promise<Actor>;

/** @throws by FindActor: Refusal ACTOR_UNKNOWN, with its entry; LedgerFault */
export function createActors(core: Core): FindActor {
  // A token that is verified once gives the same caller object, so this lives as long as the token does.
  const known = new WeakMap<Caller, Actor>();
  return async (caller, request, entries = []) => {
    const actor = known.get(caller) ?? (await find(core, caller, core.contextFor({ actor: SYSTEM, request, entries })));
    known.set(caller, actor);
    return actor;
  };
}

async function find(core: Core, caller: Caller, system: Context): Promise<Actor> {
  const role = caller.roles.find((one): one is ActingRole => one !== 'operator')!;
  const kind: IdentityKind = role === 'user' || role === 'processor' ? role : 'staff';
  const digest = await digestOf(core.parts.vault, kind, caller);
  const id = (await actorOf(system.rows, digest)) ?? (await enrol(system, kind, digest));
  return kind === 'staff' ? { id, kind, role } : { id, kind };
}

/** Their first two requests came at once, and the other was quicker. */
class LinkedAlready extends Error {}

async function enrol({ gate, rows }: Context, kind: IdentityKind, digest: Uint8Array): Promise<Pseudonym> {
  const actor = randomUUID() as string as Pseudonym;
  const ask = { event: 'identity.linked', operation: 'signIn', data: null } as const;
  try {
    return await gate.change(ask, async (tx, permit) => {
      if (kind !== 'staff') throw new Refusal(refused('ACTOR_UNKNOWN', 'a registered identity'), null);
      const body = permit.body('identity.linked', { details: { actor, kind } });
      if (!(await linkIdentities(tx.rows, kind, [{ digest, actor, entry: body.id }]))) throw new LinkedAlready();
      return { bodies: [body], value: actor };
    });
  } catch (error) {
    const isLinked = error instanceof LinkedAlready || error instanceof LedgerFault;
    const first = isLinked ? await actorOf(rows, digest) : null;
    if (!first) throw error;
    return first;
  }
}
