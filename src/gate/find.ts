/**
 * Find: from a value to the person, by blind index. The entry comes first, whether anybody is found or not, for a miss
 * tells something as well.
 */
import type pg from 'pg';
import { faultOf } from '../ledger/fault.js';
import type { Category, Pseudonym } from '../log/entry.js';
import { CONSENT_BASIS } from '../policy/consent.js';
import { refused } from '../policy/refusal.js';
import type { Vault } from '../vault/vault.js';
import type { Asker } from './asker.js';
import { enter, type PermitParts, permit, refuse } from './permit.js';
import { untilFresh } from './try-again.js';

export interface FindParts extends PermitParts {
  readonly vault: Vault;
  readonly log: number;
  readonly pool: pg.Pool;
}

export interface FindAsk {
  readonly operation: string;
  readonly category: string;
  readonly value: string;
  readonly purpose: string;
}

/** Nobody, one person, or the fact that it is several: then the value does not say who is meant. */
export type Found = { readonly person: Pseudonym } | 'nobody' | 'several';

const NOBODY_CONSENTED = refused('CONSENT_MISSING', 'a consent in force');

/** @throws Refusal, TryAgain, LedgerFault */
export function find(parts: FindParts, asker: Asker, { operation, category, value, purpose }: FindAsk): Promise<Found> {
  return untilFresh(async () => {
    const data = { subject: null, purpose, categories: [category] };
    const permitted = await permit(parts, asker, { event: 'user.found', operation, data });
    // Permitted, so it is declared and searchable.
    const digest = await parts.vault.blindIndex(category as Category, value);
    const people = await peopleWith(parts, category, digest);
    const [person] = people;
    const said = people.length === 1 && person ? { subject: person } : { details: { found: people.length } };
    if (permitted.basis === CONSENT_BASIS) {
      // Only who consented is found; who did not is told like nobody.
      if (people.length !== 1 || !person) return refuse(parts, asker, permitted.refusal(NOBODY_CONSENTED));
      const ofPerson = await permit(parts, asker, {
        event: 'user.found',
        operation,
        data: { ...data, subject: person },
      });
      return (await enter(parts, asker, ofPerson.body('user.found'))) === 'stale' ? 'stale' : { person };
    }
    if ((await enter(parts, asker, permitted.body('user.found', said))) === 'stale') return 'stale';
    if (!person) return 'nobody';
    return people.length === 1 ? { person } : 'several';
  });
}

/** At most two: the second says that the value is ambiguous. */
async function peopleWith({ pool, log }: FindParts, category: string, digest: Uint8Array): Promise<Pseudonym[]> {
  const text = `SELECT DISTINCT b.subject FROM registry.blind_index b
    WHERE b.log = $1 AND b.category = $2 AND b.digest = $3 LIMIT 2`;
  const { rows } = await pool
    .query<{ subject: Pseudonym }>({ name: 'find', text, values: [log, category, Buffer.from(digest)] })
    .catch((error: unknown) => {
      throw faultOf(error);
    });
  return rows.map((row) => row.subject);
}
