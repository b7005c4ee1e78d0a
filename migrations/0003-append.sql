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
--
-- Three statements do the work, whatever the number of bodies: one takes them in, one looks up what stands of each, one
-- inserts. Between, they are gone through in order: what a body needs to know of those before it in the batch is kept in
-- arrays, and a lone body pays for no sorting.

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

-- A body taken in.
CREATE TYPE ledger.draft AS (
  position integer, can_be boolean, id uuid, "asOf" bigint, at timestamptz, event text, outcome text, subject uuid, actor uuid,
  purpose text, request uuid, changes boolean
);

-- What stands about a subject: its newest entry, how many there are, and the newest that changed facts.
CREATE TYPE ledger.about AS (index bigint, nth bigint, changed bigint);

CREATE FUNCTION ledger.append(log integer, bodies text) RETURNS SETOF ledger.appended
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  lines    text[] := string_to_array(bodies, E'\n');
  drafts   ledger.draft[];
  locked   timestamptz;
  latest   record;
  draft    record;
  leaf     text;
  hash     bytea;
  entry    ledger.entry;
  -- Of this batch: the entries with their ids, and what then stands about the subjects.
  entries  ledger.entry[] := '{}';
  ids      uuid[] := '{}';
  subjects uuid[] := '{}';
  abouts   ledger.about[] := '{}';
  about    ledger.about;
  known    integer;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a log is written in READ COMMITTED, so that the last entry is read after the lock' USING ERRCODE = 'AL004';
  END IF;

  -- What needs no look at the log is done before it is locked.
  drafts := ARRAY(
    SELECT ROW(l.position, ledger.spelt(b) = l.text AND e.name IS NOT NULL AND b."asOf" >= 0, b.id, b."asOf", b.at, b.event,
      b.outcome, b.subject, substr(b.actor::text, 8, 36), b.purpose, b.request, e.changes_facts AND b.outcome = 'permitted')::ledger.draft
    FROM unnest(lines) WITH ORDINALITY AS l(text, position)
      CROSS JOIN LATERAL json_populate_record(NULL::ledger.body, l.text::json) b
      LEFT JOIN ledger.event e ON e.name = b.event
  );

  PERFORM FROM ledger.head h WHERE h.log = append.log FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such log' USING ERRCODE = 'AL004'; END IF;
  locked := clock_timestamp();
  SELECT e.index, encode(e.link, 'hex') AS link, e.changed_all INTO latest
  FROM ledger.entry e WHERE e.log = append.log ORDER BY e.index DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT -1::bigint AS index, encode(sha256(''), 'hex') AS link, NULL::bigint AS changed_all INTO latest;
  END IF;

  FOR draft IN
    SELECT d.*, s.entry AS standing, ROW(a.index, a.nth, a.changed)::ledger.about AS about
    FROM unnest(drafts) d
      LEFT JOIN LATERAL (SELECT e AS entry FROM ledger.entry e WHERE e.log = append.log AND e.id = d.id LIMIT 1) s ON true
      LEFT JOIN LATERAL (SELECT e.index, e.nth, e.changed FROM ledger.entry e
        WHERE e.log = append.log AND e.subject = d.subject ORDER BY e.index DESC LIMIT 1) a ON true
    ORDER BY d.position
  LOOP
    entry := coalesce(entries[array_position(ids, draft.id)], draft.standing);
    IF entry.index IS NOT NULL THEN
      IF substr(entry.leaf, strpos(entry.leaf, E'\n') + 1) <> lines[draft.position] THEN
        RAISE EXCEPTION 'the id of an entry stands with another body' USING ERRCODE = 'AL003';
      END IF;
      RETURN NEXT ROW(draft.position, entry.index, encode(entry.link, 'hex'))::ledger.appended;
      CONTINUE;
    END IF;

    IF draft.can_be IS NOT TRUE OR draft."asOf" > latest.index + 1 THEN
      RAISE EXCEPTION 'a body that cannot be an entry' USING ERRCODE = 'AL005';
    END IF;
    IF draft.at NOT BETWEEN locked - interval '5 s' AND locked + interval '5 s' THEN
      RAISE EXCEPTION 'a body whose time is more than 5 s off' USING ERRCODE = 'AL002';
    END IF;
    known := array_position(subjects, draft.subject);
    about := coalesce(abouts[known], draft.about);
    IF draft."asOf" <= greatest(about.changed, latest.changed_all) THEN
      RETURN NEXT ROW(draft.position, NULL, NULL)::ledger.appended;
      CONTINUE;
    END IF;

    leaf := concat(latest.index + 1, ' ', latest.link, ' ',
      CASE WHEN draft.subject IS NULL THEN '- -' ELSE concat(coalesce(about.nth, 0) + 1, ' ', coalesce(about.index::text, '-')) END,
      E'\n', lines[draft.position]);
    hash := sha256('\x00'::bytea || convert_to(leaf, 'UTF8'));
    latest.index := latest.index + 1;
    latest.link := encode(hash, 'hex');
    IF draft.subject IS NOT NULL THEN
      about := ROW(latest.index, coalesce(about.nth, 0) + 1, CASE WHEN draft.changes THEN latest.index ELSE about.changed END);
      known := coalesce(known, cardinality(subjects) + 1);
      subjects[known] := draft.subject;
      abouts[known] := about;
    ELSIF draft.changes THEN
      latest.changed_all := latest.index;
    END IF;
    ids := ids || draft.id;
    entries := entries || ROW(append.log, latest.index, draft.id, hash, leaf, draft.subject, about.nth, draft.actor, draft.event,
      draft.outcome, draft.purpose, draft.request, draft.at, about.changed, latest.changed_all)::ledger.entry;
    RETURN NEXT ROW(draft.position, latest.index, latest.link)::ledger.appended;
  END LOOP;

  -- No exception is caught here: in a subtransaction, entries would not be known as this transaction's (0004-registry.sql).
  INSERT INTO ledger.entry SELECT e.* FROM unnest(entries) e;
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
