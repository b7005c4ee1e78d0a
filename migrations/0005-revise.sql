-- ledger.revise: new versions of values, and their entries, for many changes in one statement.
--
--   select position, index, link from ledger.revise($1 log, $2 changes, $3 bodies)
--
-- `changes` and `bodies` are aligned, a line each; a change is {"record","expected","channel","sealed","digest"} with the
-- bytes in base64 and a null digest where the category is not searchable. A change whose record no longer has the expected
-- version, or whose body is stale, comes back with a null index and nothing of it is written. A body whose id stands
-- already is answered with what stands, and changes nothing. A body says exactly what is changed, or AL005 fails all.
-- Rows are locked in id order, and before the log's head, as every writer does; indexes before records, as an erasure does.

-- One change: what it asks for, and what its body says of it.
CREATE TYPE ledger.change AS (
  position bigint, record uuid, expected integer, channel text, sealed bytea, digest bytea,
  body text, entry uuid, subject uuid, records text, stands boolean, category text
);

CREATE FUNCTION ledger.revise(log integer, changes text, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  asked    ledger.change[];
  sent     ledger.change[] := '{}';
  made     ledger.change[] := '{}';
  change   ledger.change;
  held     record;
  moved    uuid[] := '{}';
  appended ledger.appended;
  answers  ledger.appended[] := '{}';
BEGIN
  SELECT array_agg(ROW(l.position, c.record, c.expected, c.channel, decode(c.sealed, 'base64'), decode(c.digest, 'base64'),
    l.body, b.id, CASE WHEN b.outcome = 'permitted' AND b.event = 'record.updated' THEN b.subject END, b.records::text,
    NULL, NULL)::ledger.change ORDER BY l.position)
  INTO asked
  FROM ROWS FROM (string_to_table(changes, E'\n'), string_to_table(bodies, E'\n')) WITH ORDINALITY AS l(change, body, position)
    CROSS JOIN LATERAL json_to_record(l.change::json) AS c(record uuid, expected integer, channel text, sealed text, digest text)
    CROSS JOIN LATERAL json_populate_record(NULL::ledger.body, l.body::json) b;

  PERFORM FROM registry.blind_index b
    WHERE b.log = revise.log AND b.record = ANY (ARRAY(SELECT c.record FROM unnest(asked) c)) ORDER BY b.record FOR UPDATE;
  PERFORM FROM registry.record r
    WHERE r.log = revise.log AND r.id = ANY (ARRAY(SELECT c.record FROM unnest(asked) c)) ORDER BY r.id FOR UPDATE;

  -- The first change of a record wins, if it expects the version that stands. Bodies that stand are sent to be answered.
  FOREACH change IN ARRAY asked LOOP
    change.stands := EXISTS (SELECT FROM ledger.entry e WHERE e.log = revise.log AND e.id = change.entry);
    IF NOT change.stands THEN
      SELECT r.subject, r.category, r.version,
        EXISTS (SELECT FROM registry.blind_index b WHERE b.log = revise.log AND b.record = change.record) AS found
      INTO held FROM registry.record r WHERE r.log = revise.log AND r.id = change.record;
      CONTINUE WHEN held.version IS DISTINCT FROM change.expected OR change.record = ANY (moved);
      IF (change.subject = held.subject AND (change.digest IS NOT NULL) = held.found AND change.records = concat(
        '[{"category":"', held.category, '","id":"', change.record, '","version":', change.expected + 1, '}]')) IS NOT TRUE
      THEN
        RAISE EXCEPTION 'a body that says something else than its change' USING ERRCODE = 'AL005';
      END IF;
      moved := moved || change.record;
      change.category := held.category;
    END IF;
    sent := sent || change;
  END LOOP;

  FOR appended IN
    SELECT a.* FROM ledger.append(revise.log,
      (SELECT string_agg(c.body, E'\n' ORDER BY c.position) FROM unnest(sent) c)) a
    WHERE cardinality(sent) > 0
  LOOP
    change := sent[appended.position];
    answers := answers || ROW(change.position, appended.index, appended.link)::ledger.appended;
    CONTINUE WHEN change.stands OR appended.index IS NULL;
    made := made || change;
    UPDATE registry.record r SET version = r.version + 1 WHERE r.log = revise.log AND r.id = change.record;
    IF change.digest IS NOT NULL THEN
      UPDATE registry.blind_index b SET digest = change.digest WHERE b.log = revise.log AND b.record = change.record;
    END IF;
  END LOOP;
  INSERT INTO registry.record_version (log, record, version, subject, category, channel, sealed, entry)
  SELECT revise.log, c.record, c.expected + 1, c.subject, c.category, c.channel, c.sealed, c.entry FROM unnest(made) c;

  RETURN QUERY
    SELECT c.position, a.index, a.link FROM unnest(asked) c LEFT JOIN unnest(answers) a ON a.position = c.position
    ORDER BY c.position;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.revise(integer, text, text) TO access_ledger_writer;
