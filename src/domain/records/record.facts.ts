/**
 * What is held about a person, read in the same statement as the facts: the wrapped key and the current records, sealed.
 */
import type { FactSource } from '../../gate/fact-source.js';
import type { Holdings } from '../../gate/holdings.js';
import type { Category, Pseudonym, RecordId } from '../../log/entry.js';

type Row = [id: RecordId, category: Category, version: number, channel: string, sealed: string | null];
type Cell = { subject: Pseudonym; kek: string | null; wrapped: string | null; records: Row[] | null } | null;

export const holdingsFact: FactSource<Holdings> = {
  sql: `SELECT json_build_object('subject', s.id, 'kek', k.kek, 'wrapped', encode(k.wrapped, 'base64'), 'records', (
          SELECT json_agg(json_build_array(r.id, r.category, r.version, v.channel,
              CASE WHEN ask.values THEN encode(v.sealed, 'base64') END) ORDER BY r.category, r.id)
          FROM registry.record r
            JOIN registry.record_version v ON v.log = r.log AND v.record = r.id AND v.version = r.version
          WHERE r.log = $1 AND r.subject = s.id AND (r.category = ANY (ask.categories) OR ask.categories IS NULL AND
            r.category IN (SELECT c.category FROM registry.purpose_category c WHERE c.purpose = ask.purpose))))
        FROM registry.subject s LEFT JOIN registry.subject_key k ON k.log = s.log AND k.subject = s.id
        WHERE s.log = $1 AND s.id = ask.subject`,
  parse: (json) => {
    const cell = json as Cell;
    if (!cell) return null;
    return {
      subject: cell.subject,
      key:
        cell.kek === null || cell.wrapped === null
          ? null
          : { person: cell.subject, kek: cell.kek, bytes: Buffer.from(cell.wrapped, 'base64') },
      records: (cell.records ?? []).map(([id, category, version, channel, sealed]) => ({
        id,
        category,
        version,
        channel,
        sealed: sealed === null ? null : Buffer.from(sealed, 'base64'),
      })),
    };
  },
};
