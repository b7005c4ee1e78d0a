/**
 * Consents with their whole history, read: what was done, when, and how.
 */
import type { EntityManager } from 'typeorm';
import type { Category, Pseudonym, Purpose } from '../../log/entry.js';
import type { ConsentAct } from '../../policy/consent.js';

/** One thing that became of a consent. */
export interface ConsentChange {
  readonly version: number;
  readonly act: ConsentAct;
  readonly at: Date;
  /** This and the three after it: of what was given or renewed, and null of the rest. */
  readonly channel: string | null;
  readonly service: string | null;
  /** SHA-256 of the exact words that were shown, as UTF-8, in lower-case hex. */
  readonly words: string | null;
  readonly language: string | null;
  /** The first moment at which it is no longer in force; null where it has no end. */
  readonly until: Date | null;
}

export interface ConsentHistory {
  readonly id: string;
  readonly user: Pseudonym;
  readonly purpose: Purpose;
  /** Sorted. */
  readonly categories: readonly Category[];
  /** The first first; never empty. */
  readonly history: readonly ConsentChange[];
}

export function newest({ history }: ConsentHistory): ConsentChange {
  return history.at(-1)!;
}

/** Of whom, and which. What is null counts for nothing. */
export interface Wanted {
  readonly subject?: Pseudonym;
  readonly purpose?: string;
  readonly id?: string;
  readonly after?: string | null;
  readonly limit?: number;
}

type ChangeJson = Omit<ConsentChange, 'at' | 'until'> & { at: string; until: string | null };
type Row = Omit<ConsentHistory, 'history'> & { history: ChangeJson[] };

/** By id. */
export async function readConsents(rows: EntityManager, log: number, wanted: Wanted): Promise<ConsentHistory[]> {
  const { subject = null, purpose = null, id = null, after = null, limit = null } = wanted;
  const found: Row[] = await rows.query(
    `SELECT c.id, c.subject AS user, c.purpose, c.categories, (
       SELECT json_agg(json_build_object('version', v.version, 'act', v.act, 'at', v.at, 'channel', v.channel,
         'service', v.service, 'words', encode(v.words, 'hex'), 'language', v.language, 'until', v.valid_until)
         ORDER BY v.version)
       FROM registry.consent_version v WHERE v.consent = c.id AND v.log = c.log) AS history
     FROM registry.consent c
     WHERE c.log = $1 AND ($2::uuid IS NULL OR c.subject = $2) AND ($3::text IS NULL OR c.purpose = $3)
       AND ($4::uuid IS NULL OR c.id = $4) AND ($5::uuid IS NULL OR c.id > $5)
     ORDER BY c.id LIMIT $6`,
    [log, subject, purpose, id, after, limit],
  );
  return found.map(({ history, ...consent }) => ({
    ...consent,
    history: history.map(({ at, until, ...change }) => ({
      ...change,
      at: new Date(at),
      until: until === null ? null : new Date(until),
    })),
  }));
}
