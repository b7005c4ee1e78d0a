/**
 * The context of one GraphQL operation. Resolvers have no state of their own: verbs are functions of a context and an input.
 */
import type { EntityManager } from 'typeorm';
import type { Gate } from '../gate/gate.js';
import type { Prover } from '../ledger/prover.js';
import type { Actor, Entry } from '../log/entry.js';
import type { VerifierKey } from '../log/note-key.js';

/** What a subscription follows the log by. */
export interface Live {
  /** Aborted when nobody waits for events any more. */
  readonly signal: AbortSignal;
  /** Resolves when the log may have grown since the last call, at once when aborted. */
  grown(): Promise<void>;
}

export interface Context {
  /** The id we gave the request. */
  readonly request: string;
  readonly actor: Actor;
  /** The log that the deployment's people belong to. */
  readonly log: number;
  /** By which what that log signed is known. */
  readonly logKey: VerifierKey;
  now(): Date;
  /** What must not stand in a URL is refused then. */
  readonly overGet: boolean;
  /** Rows to read: the connection's role can do nothing else. */
  readonly rows: EntityManager;
  readonly gate: Gate;
  /** Proofs out of what is published of the log. */
  readonly prover: Prover;
  /** What the operation has caused so far. */
  readonly entries: Entry[];
  /** Null but for subscriptions. */
  readonly live: Live | null;
}
