/**
 * What is held about a person, read in the same statement as the facts: the wrapped key and the current records, sealed.
 */
import type { FactSource } from '../../gate/fact-source.js';
import { type Holdings, TooMuchAtOnce } from '../../gate/holdings.js';
import type { Category, Pseudonym, RecordId } from '../../log/entry.js';

type Row = [id: RecordId, category: Category, version: number, channel: string, sealed: string | null];
type Cell = {
  subject: Pseudonym;
  kek: string | null;
  wrapped: string | null;
  held: { bytes: number | null; records: Row[] | null };
  budget: number | null;
} | null;

/** The LIMIT has each version looked up by its key, also by a plan that was made while the tables were empty. */
export const holdingsFact: FactSource<Holdings> = {
  sql: `SELECT json_build_object('subject', s.id, 'kek', k.kek, 'wrapped', encode(k.wrapped, 'base64'), 'budget', ask.bytes,
          'held', (
            SELECT json_build_object('bytes', sum(octet_length(v.sealed)), 'records',
              CASE WHEN coalesce(sum(octet_length(v.sealed)) <= ask.bytes, true) THEN
                json_agg(json_build_array(r.id, r.category, r.version, v.channel,
                  CASE WHEN ask.bytes IS NOT NULL THEN encode(v.sealed, 'base64') END) ORDER BY r.category, r.id) END)
            FROM registry.record r
              CROSS JOIN LATERAL (SELECT v.channel, v.sealed FROM registry.record_version v
                WHERE v.record = r.id AND v.log = $1 AND v.version = r.version LIMIT 1) v
            WHERE r.log = $1 AND r.subject = s.id AND r.category = ANY (ask.categories)))
        FROM registry.subject s LEFT JOIN registry.subject_key k ON k.log = s.log AND k.subject = s.id
        WHERE s.log = $1 AND s.id = ask.subject`,
  parse: (json) => {
    const cell = json as Cell;
    if (!cell) return null;
    const { subject, kek, wrapped, held, budget } = cell;
    if (budget !== null && (held.bytes ?? 0) > budget) throw new TooMuchAtOnce();
    return {
      subject,
      key: kek === null || wrapped === null ? null : { person: subject, kek, bytes: Buffer.from(wrapped, 'base64') },
      records: (held.records ?? []).map(([id, category, version, channel, sealed]) => ({
        id,
        category,
        version,
        channel,
        sealed: sealed === null ? null : Buffer.from(sealed, 'base64'),
      })),
    };
  },
};
