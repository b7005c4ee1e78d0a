-- ledger.append: the only writer of the log. Composes leaves, computes links, inserts, derives the queryable columns.
--
--   select position, index, link from ledger.append($1 log, $2 bodies)
--
-- `bodies` is canonical JSON, one body a line. One row comes back for each, in order; a stale body, whose facts were read
-- before something changed them, comes back with a null index and is not written; with ledger.append_strict it fails all.
-- A body whose id stands already is answered with what stands, whatever changed or how long ago that was.
--
--   AL001 a stale body (append_strict)      AL004 no such log, or a transaction that is not READ COMMITTED
--   AL002 the time is over 5 s off          AL005 a body that cannot be an entry
--   AL003 the id stands, with another body
--
-- A body's time is held against the moment at which the log's head was ours, so that no permission is entered long after
-- it was decided because it had to wait.

CREATE TYPE ledger.appended AS (position bigint, index bigint, link text);

-- The members of a body (schema/log-format.md, "Body fields").
CREATE TYPE ledger.body AS (
  actor json, "asOf" bigint, asked json, at timestamptz, basis json, clause json, details json, event text, id uuid,
  operation json, outcome text, policy json, purpose text, records json, refusal json, request uuid, subject uuid
);

-- How a body of these members is spelt: what is spelt otherwise, or says more, no verifier would take for one. Names are
-- strings, so their first character is a quote; what is in actor (after its id), asked, details, records and refusal is
-- taken as it is.
CREATE FUNCTION ledger.spelt(b ledger.body) RETURNS text LANGUAGE sql STABLE
RETURN concat('{"actor":{"id":"', substr((b).actor::text, 8, 36)::uuid, '","kind":"', substr((b).actor::text, 54),
  ',"asOf":', (b)."asOf", ',"asked":' || (b).asked::text,
  ',"at":"', to_char((b).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '"', ',"basis":"' || substr((b).basis::text, 2),
  ',"clause":"', substr((b).clause::text, 2), ',"details":' || (b).details::text, ',"event":"', (b).event, '","id":"', (b).id,
  '","operation":"', substr((b).operation::text, 2), ',"outcome":"', (b).outcome, '","policy":"', substr((b).policy::text, 2),
  ',"purpose":' || to_json((b).purpose)::text, ',"records":' || (b).records::text,
  CASE (b).outcome WHEN 'refused' THEN ',"refusal":' END, CASE (b).outcome WHEN 'refused' THEN (b).refusal END,
  ',"request":"', (b).request, '"', ',"subject":"' || (b).subject || '"', ',"v":1}');

-- One by one: the reference, and the path for bodies that change facts, for ids that stand, and for a few.
CREATE FUNCTION ledger.append_each(log integer, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  line    record;
  body    record;
  about   record;
  latest  record;
  stands  record;
  changes boolean;
  leaf    text;
  hash    bytea;
  changed bigint;
  locked  timestamptz := clock_timestamp();
BEGIN
  SELECT e.index, encode(e.link, 'hex') AS link, e.changed_all INTO latest
  FROM ledger.entry e WHERE e.log = append_each.log ORDER BY e.index DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT -1::bigint AS index, encode(sha256(''), 'hex') AS link, NULL::bigint AS changed_all INTO latest;
  END IF;

  FOR line IN SELECT l.text, l.position FROM string_to_table(bodies, E'\n') WITH ORDINALITY AS l(text, position) LOOP
    SELECT b.*, substr(b.actor::text, 8, 36) AS actor_id, ledger.spelt(b) = line.text AS spelt INTO body
    FROM json_populate_record(NULL::ledger.body, line.text::json) b;

    SELECT e.index, encode(e.link, 'hex') AS link, substr(e.leaf, strpos(e.leaf, E'\n') + 1) AS body INTO stands
    FROM ledger.entry e WHERE e.log = append_each.log AND e.id = body.id;
    IF FOUND THEN
      IF stands.body <> line.text THEN
        RAISE EXCEPTION 'the id of an entry stands with another body' USING ERRCODE = 'AL003';
      END IF;
      RETURN NEXT ROW(line.position, stands.index, stands.link)::ledger.appended;
      CONTINUE;
    END IF;

    SELECT e.changes_facts AND body.outcome = 'permitted' INTO changes FROM ledger.event e WHERE e.name = body.event;
    IF changes IS NULL OR body.spelt IS NOT TRUE OR body."asOf" < 0 OR body."asOf" > latest.index + 1 THEN
      RAISE EXCEPTION 'a body that cannot be an entry' USING ERRCODE = 'AL005';
    END IF;
    IF body.at NOT BETWEEN locked - interval '5 s' AND locked + interval '5 s' THEN
      RAISE EXCEPTION 'a body whose time is more than 5 s off' USING ERRCODE = 'AL002';
    END IF;

    SELECT e.index, e.nth, e.changed INTO about
    FROM ledger.entry e WHERE e.log = append_each.log AND e.subject = body.subject ORDER BY e.index DESC LIMIT 1;
    IF body."asOf" <= greatest(about.changed, latest.changed_all) THEN
      RETURN NEXT ROW(line.position, NULL, NULL)::ledger.appended;
      CONTINUE;
    END IF;

    leaf := concat(latest.index + 1, ' ', latest.link, ' ',
      CASE WHEN body.subject IS NULL THEN '- -' ELSE concat(coalesce(about.nth, 0) + 1, ' ', coalesce(about.index::text, '-')) END,
      E'\n', line.text);
    hash := sha256('\x00'::bytea || convert_to(leaf, 'UTF8'));
    latest.index := latest.index + 1;
    latest.link := encode(hash, 'hex');
    changed := about.changed;
    IF changes AND body.subject IS NOT NULL THEN changed := latest.index; END IF;
    IF changes AND body.subject IS NULL THEN latest.changed_all := latest.index; END IF;

    INSERT INTO ledger.entry
      (log, index, id, link, leaf, subject, nth, actor, event, outcome, purpose, request, at, changed, changed_all)
    VALUES (append_each.log, latest.index, body.id, hash, leaf, body.subject,
      CASE WHEN body.subject IS NOT NULL THEN coalesce(about.nth, 0) + 1 END,
      body.actor_id::uuid, body.event, body.outcome, body.purpose, body.request, body.at, changed, latest.changed_all);
    RETURN NEXT ROW(line.position, latest.index, latest.link)::ledger.appended;
  END LOOP;
END
$$;

-- All at once, for bodies that change no facts and stand nowhere: none of them can make another stale. Others go one by one.
CREATE FUNCTION ledger.append_all(log integer, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  latest record;
  batch  record;
  leaves text[];
  hashes bytea[];
  leaf   text;
  link   text;
  hash   bytea;
  locked timestamptz := clock_timestamp();
BEGIN
  SELECT e.index, encode(e.link, 'hex') AS link, e.changed_all INTO latest
  FROM ledger.entry e WHERE e.log = append_all.log ORDER BY e.index DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT -1::bigint AS index, encode(sha256(''), 'hex') AS link, NULL::bigint AS changed_all INTO latest;
  END IF;

  WITH body AS MATERIALIZED (
    SELECT l.position, l.text, b.id, b."asOf", b.at, b.event, b.outcome, b.subject,
      substr(b.actor::text, 8, 36)::uuid AS actor, b.purpose, b.request,
      e.changes_facts AND b.outcome = 'permitted' AS changes_facts,
      ledger.spelt(b) = l.text AS spelt,
      -- A subquery, so that it is looked up by the index whatever is known of the table when this is planned.
      (SELECT e.index FROM ledger.entry e WHERE e.log = append_all.log AND e.id = b.id) AS stands
    FROM string_to_table(bodies, E'\n') WITH ORDINALITY AS l(text, position)
      CROSS JOIN LATERAL json_populate_record(NULL::ledger.body, l.text::json) b
      LEFT JOIN ledger.event e ON e.name = b.event
  ), about AS (
    SELECT s.subject, e.index, e.nth, e.changed
    FROM (SELECT DISTINCT b.subject FROM body b WHERE b.subject IS NOT NULL) s CROSS JOIN LATERAL (
      SELECT e.index, e.nth, e.changed FROM ledger.entry e
      WHERE e.log = append_all.log AND e.subject = s.subject ORDER BY e.index DESC LIMIT 1
    ) e
  ), fresh AS (
    SELECT b.*, a.changed, a.index AS about_index, coalesce(a.nth, 0) AS about_nth,
      latest.index + row_number() OVER (ORDER BY b.position) AS index
    FROM body b LEFT JOIN about a ON a.subject = b.subject
    WHERE b."asOf" > greatest(a.changed, latest.changed_all, -1)
  ), placed AS (
    SELECT f.*, f.about_nth + row_number() OVER history AS nth,
      coalesce(lag(f.index) OVER history, f.about_index) AS earlier
    FROM fresh f WINDOW history AS (PARTITION BY f.subject ORDER BY f.position)
  )
  SELECT
    (SELECT count(b.stands) > 0 OR bool_or(b.changes_facts) OR count(DISTINCT b.id) < count(*) FROM body b) AS mixed,
    (SELECT count(*) = count(*) FILTER (WHERE b.spelt AND b.changes_facts IS NOT NULL AND b."asOf" BETWEEN 0 AND latest.index + 1)
      FROM body b) AS valid,
    (SELECT bool_and(b.at BETWEEN locked - interval '5 s' AND locked + interval '5 s') FROM body b) AS timely,
    array_agg(p.position) AS position, array_agg(p.text) AS text, array_agg(p.id) AS id, array_agg(p.subject) AS subject,
    array_agg(CASE WHEN p.subject IS NOT NULL THEN p.nth END) AS nth,
    array_agg(CASE WHEN p.subject IS NULL THEN '- -' ELSE concat(p.nth, ' ', coalesce(p.earlier::text, '-')) END) AS history,
    array_agg(p.actor) AS actor, array_agg(p.event) AS event, array_agg(p.outcome) AS outcome,
    array_agg(p.purpose) AS purpose, array_agg(p.request) AS request, array_agg(p.at) AS at, array_agg(p.changed) AS changed
  INTO batch FROM (SELECT * FROM placed ORDER BY position) p;

  IF batch.mixed THEN
    RETURN QUERY SELECT a.* FROM ledger.append_each(append_all.log, bodies) a;
    RETURN;
  END IF;
  IF NOT batch.valid THEN RAISE EXCEPTION 'a body that cannot be an entry' USING ERRCODE = 'AL005'; END IF;
  IF NOT batch.timely THEN RAISE EXCEPTION 'a body whose time is more than 5 s off' USING ERRCODE = 'AL002'; END IF;

  link := latest.link;
  FOR i IN 1 .. coalesce(cardinality(batch.text), 0) LOOP
    leaf := concat(latest.index + i, ' ', link, ' ', batch.history[i], E'\n', batch.text[i]);
    hash := sha256('\x00'::bytea || convert_to(leaf, 'UTF8'));
    link := encode(hash, 'hex');
    leaves[i] := leaf;
    hashes[i] := hash;
  END LOOP;

  INSERT INTO ledger.entry
    (log, index, id, link, leaf, subject, nth, actor, event, outcome, purpose, request, at, changed, changed_all)
  SELECT append_all.log, latest.index + n.i, n.id, n.hash, n.leaf, n.subject, n.nth, n.actor, n.event, n.outcome, n.purpose,
    n.request, n.at, n.changed, latest.changed_all
  FROM unnest(batch.id, hashes, leaves, batch.subject, batch.nth, batch.actor, batch.event, batch.outcome, batch.purpose,
    batch.request, batch.at, batch.changed) WITH ORDINALITY
    AS n(id, hash, leaf, subject, nth, actor, event, outcome, purpose, request, at, changed, i);

  RETURN QUERY
    SELECT l.position, latest.index + n.i, encode(n.hash, 'hex')
    FROM generate_series(1, (SELECT count(*) FROM string_to_table(bodies, E'\n'))) AS l(position)
      LEFT JOIN unnest(batch.position, hashes) WITH ORDINALITY AS n(position, hash, i) ON n.position = l.position
    ORDER BY l.position;
END
$$;

CREATE FUNCTION ledger.append(log integer, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a log is written in READ COMMITTED, so that the last entry is read after the lock' USING ERRCODE = 'AL004';
  END IF;
  PERFORM FROM ledger.head h WHERE h.log = append.log FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such log' USING ERRCODE = 'AL004'; END IF;

  IF strpos(bodies, E'\n') = 0 THEN
    RETURN QUERY SELECT a.* FROM ledger.append_each(append.log, bodies) a;
  ELSE
    -- No exception is caught here: in a subtransaction, entries would not be known as this transaction's (0004-registry.sql).
    RETURN QUERY SELECT a.* FROM ledger.append_all(append.log, bodies) a;
  END IF;
END
$$;

-- The same, for a transaction that stands or falls with its entries.
CREATE FUNCTION ledger.append_strict(log integer, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  appended ledger.appended;
BEGIN
  FOR appended IN SELECT a.* FROM ledger.append(append_strict.log, bodies) a LOOP
    IF appended.index IS NULL THEN RAISE EXCEPTION 'a stale body' USING ERRCODE = 'AL001'; END IF;
    RETURN NEXT appended;
  END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.append(integer, text), ledger.append_strict(integer, text) TO access_ledger_writer;

-- Which of these entries stand, once every writer before us is done: what became of a COMMIT that was never answered.
CREATE FUNCTION ledger.standing(log integer, ids uuid[]) RETURNS TABLE (id uuid, index bigint, link text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM ledger.head h WHERE h.log = standing.log FOR UPDATE;
  RETURN QUERY SELECT e.id, e.index, encode(e.link, 'hex') FROM ledger.entry e
    WHERE e.log = standing.log AND e.id = ANY (standing.ids);
END
$$;

GRANT EXECUTE ON FUNCTION ledger.standing(integer, uuid[]) TO access_ledger_writer;
