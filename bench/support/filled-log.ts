/**
 * A filled log: entries that no ledger made, as many as are asked for, by a superuser and in a few statements. They have the
 * columns, the leaves and the indexes of real ones, in the proportions of a log that has grown: everybody registered in its
 * first fifth, reads ever after, a few people and members of staff in very many entries, most in a few; events,
 * purposes and refusals that are common, rare, or common long ago only.
 */
import type pg from 'pg';

/** When the first entry was made, and how many entries each second has. */
export const BEGAN = new Date('2026-01-01T00:00:00Z');
export const ENTRIES_A_SECOND = 1_000;

/** Somebody of these: number 0 is in the most entries, `…999` in none. */
export const somebody = (kind: 'actor' | 'subject', number: number) =>
  `${kind === 'actor' ? 'a' : 'b'}0000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** An `X-Request-Id`: up to a hundred entries have one. */
export const requestOf = (index: number) =>
  `c0000000-0000-4000-8000-${String(Math.floor(index / 7)).padStart(12, '0')}`;

const STEP = 250_000;

/** @param client a superuser's @param tell how many entries there are so far */
export async function fillLog(client: pg.Client, size: number, tell: (entries: number) => void): Promise<void> {
  await client.query('ALTER TABLE ledger.entry SET (autovacuum_enabled = off)');
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid = 'ledger.entry'::regclass AND NOT indisprimary AND NOT EXISTS (
       SELECT FROM pg_constraint c WHERE c.conindid = indexrelid)`,
  );
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  await client.query(`SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`);
  for (let from = 0; from < size; from += STEP) {
    await client.query(ENTRIES, [from, Math.min(size, from + STEP) - 1, size, BEGAN, ENTRIES_A_SECOND]);
    tell(from + STEP);
  }
  for (const { definition } of indexes) await client.query(definition);
  await fillTiles(client, size);
  await client.query('CHECKPOINT');
}

/** As published, but for their hashes. */
async function fillTiles(client: pg.Client, size: number): Promise<void> {
  for (let level = 0, tiles = Math.floor(size / 256); tiles > 0; level++, tiles = Math.floor(tiles / 256)) {
    const below = level === 0 ? 'SELECT index, at AS oldest, at AS newest FROM ledger.entry' : BELOW;
    await client.query(
      `INSERT INTO ledger.tile (level, index, log, hashes, root, oldest, newest)
       SELECT $1::int, b.index / 256, 1, decode(repeat('00', 8192), 'hex'), decode(repeat('00', 32), 'hex'), min(b.oldest), max(b.newest)
       FROM (${below}) b WHERE b.index < $2::bigint * 256 GROUP BY b.index / 256`,
      [level, tiles],
    );
  }
}

const BELOW = 'SELECT index, oldest, newest FROM ledger.tile WHERE level = $1::int - 1';

/** After this its statistics are what autovacuum would have gathered. */
export async function analyzeLog(client: pg.Client): Promise<void> {
  await client.query('VACUUM ANALYZE ledger.entry');
  await client.query('ANALYZE ledger.tile');
}

/** $1 to $2 of $3 entries. */
const ENTRIES = `
  INSERT INTO ledger.entry (log, index, id, link, leaf, subject, nth, actor, event, outcome, purpose, request, at)
  SELECT 1, n.i, n.id, sha256(int8send(n.i)),
    concat(n.i, ' ', repeat('0', 64), CASE WHEN n.subject IS NULL THEN ' - -' ELSE ' 1 -' END, E'\\n',
      '{"actor":{"id":"', n.actor, '","kind":"staff","role":"support-agent"},"asOf":0,"asked":["user.contact.phone_number",',
      '"user.device.ip_address","user.name"],"at":"', to_char(n.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      '","basis":"contract","clause":"5.2","event":"', n.event, '","id":"', n.id,
      '","operation":"user.personalData","outcome":"', n.outcome, '","policy":"2012-01-16"', ',"purpose":"' || n.purpose || '"',
      ',"records":[{"category":"user.contact.phone_number","id":"', gen_random_uuid(), '","version":1},{"category":"user.device.ip_address","id":"',
      gen_random_uuid(), '","version":1},{"category":"user.name","id":"', gen_random_uuid(), '","version":1}]',
      CASE n.outcome WHEN 'refused' THEN ',"refusal":{"code":"NO_NEED_TO_KNOW","missing":["a need-to-know grant"]}' END,
      ',"request":"', n.request, '"', ',"subject":"' || n.subject || '"', ',"v":1}'),
    n.subject, CASE WHEN n.subject IS NOT NULL THEN 1 END, n.actor, n.event, n.outcome, n.purpose, n.request, n.at
  FROM (
    SELECT r.i,
      (lpad(to_hex(1767225600000 + r.i), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid AS id,
      ('a0000000-0000-4000-8000-' || lpad(floor(($3::float8 / 5000 + 1) * power(r.c, 2))::text, 12, '0'))::uuid AS actor,
      CASE WHEN r.a < 0.9 THEN
        ('b0000000-0000-4000-8000-' || lpad(floor(($3::float8 / 50 + 1) * power(r.b, 3))::text, 12, '0'))::uuid END AS subject,
      CASE
        WHEN r.i < $3::float8 / 5 THEN CASE WHEN r.d < 0.5 THEN 'user.registered' ELSE 'record.created' END
        WHEN r.i % 500000 = 499999 THEN 'key.destroyed'
        WHEN r.d < 0.001 THEN 'log.read' WHEN r.d < 0.03 THEN 'record.updated' WHEN r.d < 0.06 THEN 'user.listed'
        ELSE 'record.read' END AS event,
      CASE WHEN r.e < 0.04 AND r.i < $3::float8 * 0.8 THEN 'refused' ELSE 'permitted' END AS outcome,
      CASE WHEN r.i < $3::float8 / 5 THEN 'moving-in' WHEN r.i % 300000 = 299999 THEN 'once' WHEN r.f < 0.9 THEN 'convenience'
        WHEN r.f < 0.95 THEN 'service' END AS purpose,
      ('c0000000-0000-4000-8000-' || lpad((r.i / 7)::text, 12, '0'))::uuid AS request,
      date_trunc('milliseconds', $4::timestamptz + make_interval(secs => r.i / $5::float8 + r.g * 4 - 2)) AS at
    FROM (SELECT i, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, random() AS f, random() AS g
      FROM generate_series($1::bigint, $2::bigint) AS i) r
  ) n`;
