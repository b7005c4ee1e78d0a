-- ledger.revise: new versions of values, and their entries, for many changes in one statement.
--
--   select position, index, link from ledger.revise($1 log, $2 changes, $3 bodies)
--
-- `changes` and `bodies` are aligned, a line each; a change is {"record","expected","channel","sealed","digest"} with the
-- bytes in base64 and a null digest where the category is not searchable. A change whose record no longer has the expected
-- version, or whose body is stale, comes back with a null index and nothing of it is written. A body whose id stands
-- already is answered with what stands, and changes nothing. A body says exactly what is changed, or AL005 fails all.
-- Rows are locked in id order, and before the log's head, as every writer does; indexes before records, as an erasure does.

CREATE FUNCTION ledger.revise(log integer, changes text, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  batch   record;
  sent    record;
  written ledger.appended[];
BEGIN
  SELECT array_agg(c.record ORDER BY l.position) AS record, array_agg(c.expected ORDER BY l.position) AS expected,
    array_agg(c.channel ORDER BY l.position) AS channel, array_agg(decode(c.sealed, 'base64') ORDER BY l.position) AS sealed,
    array_agg(decode(c.digest, 'base64') ORDER BY l.position) AS digest, array_agg(l.body ORDER BY l.position) AS body,
    array_agg(b.id ORDER BY l.position) AS entry,
    array_agg(CASE WHEN b.outcome = 'permitted' AND b.event = 'record.updated' THEN b.subject END ORDER BY l.position) AS subject,
    array_agg(b.records::text ORDER BY l.position) AS records
  INTO batch
  FROM ROWS FROM (string_to_table(changes, E'\n'), string_to_table(bodies, E'\n')) WITH ORDINALITY AS l(text, body, position)
    CROSS JOIN LATERAL json_to_record(l.text::json) AS c(record uuid, expected integer, channel text, sealed text, digest text)
    CROSS JOIN LATERAL json_populate_record(NULL::ledger.body, l.body::json) b;

  PERFORM FROM registry.blind_index b WHERE b.log = revise.log AND b.record = ANY (batch.record) ORDER BY b.record FOR UPDATE;
  PERFORM FROM registry.record r WHERE r.log = revise.log AND r.id = ANY (batch.record) ORDER BY r.id FOR UPDATE;

  -- The first change of a record wins, if it expects the version that stands. Bodies that stand are sent to be answered.
  SELECT array_agg(n.position ORDER BY n.position) AS positions,
    string_agg(batch.body[n.position], E'\n' ORDER BY n.position) AS bodies,
    array_agg(n.stands ORDER BY n.position) AS stand,
    bool_and(n.stands OR n.says) AS says
  INTO sent FROM (
    SELECT n.*,
      n.version = n.expected AND row_number() OVER (PARTITION BY n.record, n.stands, n.version = n.expected ORDER BY n.position) = 1
        AS wins,
      coalesce(n.subject = n.holder AND (n.digest IS NOT NULL) = n.found AND n.records = concat(
        '[{"category":"', n.category, '","id":"', n.record, '","version":', n.expected + 1, '}]'), false) AS says
    FROM (
      SELECT n.*, r.version, r.category, r.subject AS holder,
        EXISTS (SELECT FROM registry.blind_index b WHERE b.log = revise.log AND b.record = n.record) AS found,
        (SELECT e.index FROM ledger.entry e WHERE e.log = revise.log AND e.id = n.entry) IS NOT NULL AS stands
      FROM unnest(batch.record, batch.expected, batch.entry, batch.subject, batch.records, batch.digest) WITH ORDINALITY
          AS n(record, expected, entry, subject, records, digest, position)
        LEFT JOIN registry.record r ON r.log = revise.log AND r.id = n.record
    ) n
  ) n WHERE n.stands OR n.wins;

  IF NOT sent.says THEN RAISE EXCEPTION 'a body that says something else than its change' USING ERRCODE = 'AL005'; END IF;
  IF sent.bodies IS NOT NULL THEN
    SELECT array_agg(ROW(sent.positions[a.position], a.index, a.link)::ledger.appended) INTO written
    FROM ledger.append(revise.log, sent.bodies) a;
  END IF;

  -- Only what is inserted here moves the record on.
  WITH made AS (
    INSERT INTO registry.record_version (log, record, version, subject, category, channel, sealed, entry)
    SELECT r.log, r.id, r.version + 1, r.subject, r.category, batch.channel[s.position], batch.sealed[s.position],
      batch.entry[s.position]
    FROM unnest(sent.positions, sent.stand) AS s(position, stands) JOIN unnest(written) w ON w.position = s.position
      JOIN registry.record r ON r.log = revise.log AND r.id = batch.record[s.position] AND r.version = batch.expected[s.position]
    WHERE NOT s.stands AND w.index IS NOT NULL
    RETURNING record, version, entry
  ), found AS (
    UPDATE registry.blind_index b SET digest = batch.digest[array_position(batch.entry, m.entry)]
    FROM made m WHERE b.log = revise.log AND b.record = m.record
  )
  UPDATE registry.record r SET version = m.version FROM made m WHERE r.log = revise.log AND r.id = m.record;

  RETURN QUERY
    SELECT p.position, w.index, w.link
    FROM generate_series(1, cardinality(batch.record)::bigint) AS p(position) LEFT JOIN unnest(written) w ON w.position = p.position
    ORDER BY p.position;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.revise(integer, text, text) TO access_ledger_writer;
