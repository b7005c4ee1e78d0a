/**
 * An identity ties who signs in, as the issuer of tokens knows them, to a pseudonym of our own. Only a keyed digest of the
 * token's issuer and subject is kept, so the database does not say who a pseudonym is.
 */
import type { EntityManager } from 'typeorm';
import type { Seal } from '../../gate/change.js';
import { Fault } from '../../graphql/fault.js';
import type { ActorKind, EntryId, Pseudonym } from '../../log/entry.js';

export interface Identity {
  /** `iss` of the token. */
  readonly issuer: string;
  /** `sub` of the token. */
  readonly subject: string;
}

/** One person may be a user and a member of staff: each has a pseudonym of its own. */
export type IdentityKind = Exclude<ActorKind, 'system'>;

export function digestOf(
  { digest }: Pick<Seal, 'digest'>,
  kind: IdentityKind,
  { issuer, subject }: Identity,
): Promise<Uint8Array> {
  return digest('identity', kind, issuer, subject);
}

export interface IdentityLink {
  readonly digest: Uint8Array;
  readonly actor: Pseudonym;
  /** Of the person, the processor, or the member of staff. */
  readonly entry: EntryId;
}

/**
 * False where somebody has one of these identities, also once a transaction that links it ends. Then some may be linked:
 * the transaction is not to be committed.
 *
 * @param log for users: the one they belong to
 */
export async function linkIdentities(
  rows: EntityManager,
  kind: IdentityKind,
  links: readonly IdentityLink[],
  log: number | null = null,
): Promise<boolean> {
  if (links.length === 0) return true;
  const linked: object[] = await rows.query(
    `INSERT INTO registry.identity (digest, actor, kind, log, entry)
     SELECT decode(i.digest, 'base64'), i.actor, $2, $3, i.entry
     FROM json_to_recordset($1::json) AS i(digest text, actor uuid, entry uuid)
     ON CONFLICT (digest) DO NOTHING RETURNING 1`,
    [
      JSON.stringify(links.map((link) => ({ ...link, digest: Buffer.from(link.digest).toString('base64') }))),
      kind,
      log,
    ],
  );
  return linked.length === links.length;
}

/** What it leaves as where one of them is somebody's. */
export function identityTaken(): Fault {
  return new Fault('ALREADY_REGISTERED', { detail: '"identity" is that of another registration.' });
}

export async function actorOf(rows: EntityManager, digest: Uint8Array): Promise<Pseudonym | null> {
  const [row] = await rows.query('SELECT actor FROM registry.identity WHERE digest = $1', [Buffer.from(digest)]);
  return row?.actor ?? null;
}
