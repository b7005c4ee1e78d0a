-- ledger.revise: new versions of values, and their entries, for many changes in one statement.
--
--   select position, index, link from ledger.revise($1 log, $2 changes, $3 bodies)
--
-- `changes` and `bodies` are aligned, a line each; a change is {"record","expected","channel","sealed","digest"} with the
-- bytes in base64 and a null digest where the category is not searchable. A change whose record no longer has the expected
-- version, or whose body is stale, comes back with a null index and nothing of it is written. A body whose id stands
-- already is answered with what stands. Rows are locked in id order, and before the log's head, as every writer does.

CREATE FUNCTION ledger.revise(log integer, changes text, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  batch   record;
  winners bigint[];
  lines   text;
  written ledger.appended[];
BEGIN
  SELECT array_agg(c.record ORDER BY l.position) AS record, array_agg(c.expected ORDER BY l.position) AS expected,
    array_agg(c.channel ORDER BY l.position) AS channel, array_agg(decode(c.sealed, 'base64') ORDER BY l.position) AS sealed,
    array_agg(decode(c.digest, 'base64') ORDER BY l.position) AS digest, array_agg(b.text ORDER BY l.position) AS body,
    array_agg((b.text::json ->> 'id')::uuid ORDER BY l.position) AS entry,
    array_agg((b.text::json ->> 'subject')::uuid ORDER BY l.position) AS subject
  INTO batch
  FROM string_to_table(changes, E'\n') WITH ORDINALITY AS l(text, position)
    CROSS JOIN LATERAL json_to_record(l.text::json) AS c(record uuid, expected integer, channel text, sealed text, digest text)
    JOIN string_to_table(bodies, E'\n') WITH ORDINALITY AS b(text, position) ON b.position = l.position;

  PERFORM FROM registry.record r WHERE r.log = revise.log AND r.id = ANY (batch.record) ORDER BY r.id FOR UPDATE;

  -- The first change of a record wins, if it expects the version that stands; so does every body that stands already.
  SELECT array_agg(n.position ORDER BY n.position) INTO winners FROM (
    SELECT n.position,
      EXISTS (SELECT FROM ledger.entry e WHERE e.log = revise.log AND e.id = n.entry) AS stands,
      r.version = n.expected AND row_number() OVER (PARTITION BY r.id ORDER BY n.position) = 1 AS wins
    FROM unnest(batch.record, batch.expected, batch.entry, batch.subject) WITH ORDINALITY
        AS n(record, expected, entry, subject, position)
      LEFT JOIN registry.record r ON r.log = revise.log AND r.id = n.record AND r.subject = n.subject
  ) n WHERE n.stands OR n.wins;

  SELECT string_agg(batch.body[w.position], E'\n' ORDER BY w.i) INTO lines FROM unnest(winners) WITH ORDINALITY AS w(position, i);
  SELECT array_agg(ROW(winners[a.position], a.index, a.link)::ledger.appended) INTO written
  FROM ledger.append(revise.log, lines) a;

  INSERT INTO registry.record_version (log, record, version, subject, category, channel, sealed, entry)
  SELECT r.log, r.id, r.version + 1, r.subject, r.category, batch.channel[w.position], batch.sealed[w.position],
    batch.entry[w.position]
  FROM unnest(written) w JOIN registry.record r
    ON r.log = revise.log AND r.id = batch.record[w.position] AND r.version = batch.expected[w.position]
  WHERE w.index IS NOT NULL;

  UPDATE registry.blind_index b SET digest = batch.digest[w.position]
  FROM unnest(written) w
  WHERE w.index IS NOT NULL AND b.log = revise.log AND b.record = batch.record[w.position]
    AND batch.digest[w.position] IS NOT NULL;

  UPDATE registry.record r SET version = r.version + 1
  FROM unnest(written) w
  WHERE w.index IS NOT NULL AND r.log = revise.log AND r.id = batch.record[w.position]
    AND r.version = batch.expected[w.position];

  RETURN QUERY
    SELECT p.position, w.index, w.link
    FROM generate_series(1, cardinality(batch.record)::bigint) AS p(position) LEFT JOIN unnest(written) w ON w.position = p.position
    ORDER BY p.position;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.revise(integer, text, text) TO access_ledger_writer;
