/**
 * Something declared is a legal basis, a data category, a purpose, a service or a cookie: what the policy says exists. It is declared
 * once, under one key, and never differently: declaring it again as it stands does nothing, and writes no entry.
 */
import type { EntityManager } from 'typeorm';

export type DeclaredKind = 'legal basis' | 'category' | 'purpose' | 'service' | 'cookie';

/** The key stands, and says something else. Declared things are no one's data, so the message may name them. */
export class DeclaredDifferently extends Error {
  override readonly name = 'DeclaredDifferently';
  readonly code = 'DECLARED_DIFFERENTLY';
  constructor(
    readonly kind: DeclaredKind,
    readonly key: string,
    /** The names of the members that differ. */
    readonly members: readonly string[],
  ) {
    super(`The ${kind} "${key}" is declared already, with another ${members.join(', ')}.`);
  }
}

/** What `insert` throws when somebody else was quicker: the row stands, and nothing of ours is written. */
export class StandsAlready extends Error {
  override readonly name = 'StandsAlready';
}

export interface Declaring<T> {
  readonly kind: DeclaredKind;
  readonly wanted: T;
  /** What stands under the key, in the shape of `wanted`; null if nothing does. */
  readonly read: () => Promise<T | null>;
  /** @throws StandsAlready */
  readonly declare: () => Promise<void>;
}

/** @throws DeclaredDifferently, and what `declare` throws */
export async function declareOnce<T extends { readonly key: string }>(declaring: Declaring<T>): Promise<void> {
  const { kind, wanted, read, declare } = declaring;
  let stands = await read();
  if (!stands) {
    try {
      return await declare();
    } catch (error) {
      if (!(error instanceof StandsAlready)) throw error;
      stands = await read();
    }
  }
  const members = (Object.keys(wanted) as (keyof T & string)[]).filter(
    (member) => JSON.stringify(stands?.[member]) !== JSON.stringify(wanted[member]),
  );
  if (members.length > 0) throw new DeclaredDifferently(kind, wanted.key, members);
}

/** Inserts one row. @throws StandsAlready if its key stands, also once a transaction that is inserting it has ended */
export async function insertOnce(rows: EntityManager, table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  const inserted: object[] = await rows.query(
    `INSERT INTO registry.${table} (${columns.join(', ')}) VALUES (${columns.map((_, at) => `$${at + 1}`).join(', ')})
     ON CONFLICT DO NOTHING RETURNING 1`,
    Object.values(row),
  );
  if (inserted.length === 0) throw new StandsAlready();
}
