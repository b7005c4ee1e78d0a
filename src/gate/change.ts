/**
 * Change: a permit, then rows and entries in one transaction; or, for a new version of one value, one statement that is
 * shared with the changes of others.
 */
import type { Change, Tx } from '../ledger/ledger.js';
import type { PermittedBody, Pseudonym, RecordId } from '../log/entry.js';
import { Refusal } from '../policy/refusal.js';
import type { Vault } from '../vault/vault.js';
import type { Asker } from './asker.js';
import { type DeedAsk, enter, type Permit, type PermitParts, permit, refuse } from './permit.js';
import { untilFresh } from './try-again.js';

/** What a verb may do with keys: make one, seal under it, and let it go. */
export type Seal = Pick<Vault, 'newKey' | 'seal' | 'shred' | 'blindIndex' | 'digest'>;

/** What came of it where nothing is to be changed, but the answer tells something: the rows go back, and this is entered. */
export interface LookedUp<T> {
  readonly lookedUp: PermittedBody;
  readonly value: T;
}

export type Work<T> = (tx: Tx, permit: Permit, seal: Seal) => Promise<Change<T> | LookedUp<T>>;

export interface ChangeParts extends PermitParts {
  readonly vault: Vault;
}

/**
 * `work` runs again, in a new transaction, if the facts changed while it ran. A Refusal that it throws becomes an entry.
 *
 * @throws Refusal, TryAgain, LedgerFault, and what `work` throws
 */
export async function change<T>(parts: ChangeParts, asker: Asker, ask: DeedAsk, work: Work<T>): Promise<T> {
  const { value } = await untilFresh(async () => {
    const permitted = await permit(parts, asker, ask);
    const unchanged = new Unchanged<T>();
    const changed = await parts.ledger
      .change(async (tx) => {
        const done = await work(tx, permitted, parts.vault);
        if ('bodies' in done) return done;
        unchanged.outcome = done;
        throw unchanged;
      })
      .catch((error: unknown) => {
        if (error instanceof Refusal && !error.entry) return refuse(parts, asker, permitted.refusal(error.refused));
        if (error !== unchanged) throw error;
        return 'unchanged' as const;
      });
    if (changed === 'stale') return 'stale';
    if (changed !== 'unchanged') {
      asker.entries.push(...changed.entries);
      return changed;
    }
    const { lookedUp, value } = unchanged.outcome!;
    return (await enter(parts, asker, lookedUp)) === 'stale' ? 'stale' : { value };
  });
  return value;
}

/** Thrown to have the ledger roll back; it goes no further than `change`. */
class Unchanged<T> extends Error {
  outcome: LookedUp<T> | null = null;
}

/** A new value for one record. */
export interface Revision {
  readonly operation: string;
  readonly record: RecordId;
  /** The version that the asker saw. */
  readonly expected: number;
  readonly value: string;
  readonly channel: string;
  readonly purpose: string;
}

/** Null where there is no such record; the version that stands where it is not the expected one. */
export type Revised =
  | { readonly subject: Pseudonym; readonly category: string; readonly version: number }
  | { readonly conflict: number }
  | null;

/** @throws Refusal, TryAgain, LedgerFault */
export async function revise(parts: ChangeParts, asker: Asker, revision: Revision): Promise<Revised> {
  const { record, expected, value, channel, purpose, operation } = revision;
  const { revised } = await untilFresh(async (): Promise<{ revised: Revised } | 'stale'> => {
    const data = { subject: null, record, purpose, categories: null, channel };
    const permitted = await permit(parts, asker, { event: 'record.updated', operation, data });
    const held = permitted.holdings?.records.find(({ id }) => id === record);
    const key = permitted.holdings?.key;
    if (!held || !key || held.version !== expected) {
      // To say which version stands, or that none does, is to say what is held.
      const listed = permitted.body('record.listed', held ? {} : { details: { found: 0 } });
      if ((await enter(parts, asker, listed)) === 'stale') return 'stale';
      return { revised: held && key ? { conflict: held.version } : null };
    }
    const next = { id: record, category: held.category, version: expected + 1 };
    const [sealed] = await parts.vault.seal(key, [{ record: next, value }]);
    const digest = permitted.isSearchable(held.category) ? await parts.vault.blindIndex(held.category, value) : null;
    const body = permitted.body('record.updated', { records: [next] });
    const entry = await parts.ledger.revise({ body, record, expected, channel, sealed: sealed!.bytes, digest });
    if (entry === 'stale') return 'stale';
    asker.entries.push(entry);
    return { revised: { subject: key.person, category: held.category, version: next.version } };
  });
  return revised;
}
