-- What clause 5.2 asks of a member of the staff besides need to know: an engagement, a confidentiality agreement, a training.
-- Each is recorded by somebody else, for a term, and may be ended sooner, once. Declared things: they belong to the deployment.

CREATE TABLE registry.engagement (
  id          uuid PRIMARY KEY,
  staff       uuid NOT NULL REFERENCES registry.identity (actor),
  kind        text NOT NULL CHECK (kind IN ('EMPLOYEE', 'CONTRACTOR', 'AGENT')),
  recorded_by uuid NOT NULL,
  valid_from  timestamptz NOT NULL,
  -- Null for one without term.
  valid_until timestamptz,
  entry       uuid NOT NULL,
  ended_at    timestamptz,
  ending      uuid,
  CHECK (valid_until > valid_from),
  CHECK (recorded_by <> staff),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX engagement_by_staff ON registry.engagement (staff);

CREATE TABLE registry.confidentiality_agreement (
  id          uuid PRIMARY KEY,
  staff       uuid NOT NULL REFERENCES registry.identity (actor),
  recorded_by uuid NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_until timestamptz,
  entry       uuid NOT NULL,
  ended_at    timestamptz,
  ending      uuid,
  CHECK (valid_until > valid_from),
  CHECK (recorded_by <> staff),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX agreement_by_staff ON registry.confidentiality_agreement (staff);

CREATE TABLE registry.training_record (
  id          uuid PRIMARY KEY,
  staff       uuid NOT NULL REFERENCES registry.identity (actor),
  recorded_by uuid NOT NULL,
  valid_from  timestamptz NOT NULL,
  -- No training is current for ever.
  valid_until timestamptz NOT NULL,
  entry       uuid NOT NULL,
  ended_at    timestamptz,
  ending      uuid,
  CHECK (valid_until > valid_from),
  CHECK (recorded_by <> staff),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX training_by_staff ON registry.training_record (staff);

-- What a trigger is given: the event, and what `details` call the row.
CREATE FUNCTION registry.standing_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said    jsonb := registry.said(1, NEW.entry);
  details jsonb := jsonb_strip_nulls(jsonb_build_object(TG_ARGV[1], NEW.id, 'staff', NEW.staff, 'kind', to_jsonb(NEW) -> 'kind',
    'from', registry.spelt(NEW.valid_from), 'until', registry.spelt(NEW.valid_until)));
BEGIN
  IF (said ->> 'event' = TG_ARGV[0] AND said -> 'actor' ->> 'id' = NEW.recorded_by::text
    AND said -> 'details' = details AND NEW.ended_at IS NULL) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

-- Ended once, and it stays so.
CREATE FUNCTION registry.ended_once() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL
    OR to_jsonb(OLD) - '{ended_at,ending}'::text[] <> to_jsonb(NEW) - '{ended_at,ending}'::text[]
  THEN
    RAISE EXCEPTION 'a row of % is ended once, and not changed otherwise', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION registry.ended_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said jsonb := registry.said(1, NEW.ending);
BEGIN
  IF (said ->> 'event' = TG_ARGV[0] AND said ->> 'at' = registry.spelt(NEW.ended_at)
    AND said -> 'details' = jsonb_build_object(TG_ARGV[1], NEW.id, 'staff', NEW.staff)) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'a row of % is ended only under an entry that says so', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

DO $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT * FROM (VALUES
    ('engagement', 'engagement', 'engagement.begun', 'engagement.ended'),
    ('confidentiality_agreement', 'agreement', 'agreement.signed', 'agreement.withdrawn'),
    ('training_record', 'training', 'training.completed', 'training.withdrawn')
  ) AS t(table_name, called, began, ended)
  LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER standing_under_entry AFTER INSERT ON registry.%I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION registry.standing_under_entry(%L, %L)', made.table_name, made.began, made.called);
    EXECUTE format('CREATE CONSTRAINT TRIGGER ended_under_entry AFTER UPDATE ON registry.%I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION registry.ended_under_entry(%L, %L)', made.table_name, made.ended, made.called);
    EXECUTE format('CREATE TRIGGER ended_once BEFORE UPDATE ON registry.%I
      FOR EACH ROW EXECUTE FUNCTION registry.ended_once()', made.table_name);
    EXECUTE format('ALTER TABLE registry.%1$I ENABLE ALWAYS TRIGGER standing_under_entry,
      ENABLE ALWAYS TRIGGER ended_under_entry, ENABLE ALWAYS TRIGGER ended_once', made.table_name);
    EXECUTE format('GRANT SELECT ON registry.%I TO access_ledger_reader, access_ledger_writer', made.table_name);
    EXECUTE format('GRANT INSERT, UPDATE (ended_at, ending) ON registry.%I TO access_ledger_writer', made.table_name);
  END LOOP;
END
$$;

-- What a member of the staff asks to know. The grant that approves it, by somebody else, has its id and says the same.
CREATE TABLE registry.need_to_know_request (
  id           uuid PRIMARY KEY,
  staff        uuid NOT NULL REFERENCES registry.identity (actor),
  purpose      text NOT NULL REFERENCES registry.purpose,
  categories   text[] CHECK (cardinality(categories) > 0),
  requested_at timestamptz NOT NULL,
  valid_until  timestamptz NOT NULL,
  entry        uuid NOT NULL,
  CHECK (valid_until > requested_at)
);
CREATE INDEX request_by_staff ON registry.need_to_know_request (staff);

CREATE FUNCTION registry.requested_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said jsonb := registry.said(1, NEW.entry);
BEGIN
  IF (said ->> 'event' = 'grant.requested' AND said -> 'actor' ->> 'id' = NEW.staff::text
    AND said ->> 'at' = registry.spelt(NEW.requested_at)
    AND said ->> 'purpose' = NEW.purpose AND said -> 'asked' = coalesce(to_jsonb(NEW.categories), 'null')
    AND said -> 'details' = jsonb_build_object('grant', NEW.id, 'until', registry.spelt(NEW.valid_until))) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

-- Scalar subqueries, hence by key: see kept_under_entry.
CREATE FUNCTION registry.approved_as_requested() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT (r.staff, r.purpose, r.categories, r.valid_until)
        IS DISTINCT FROM (NEW.staff, NEW.purpose, NEW.categories, NEW.valid_until)
      FROM registry.need_to_know_request r WHERE r.id = NEW.id)
  THEN
    RAISE EXCEPTION 'a grant says what was requested' USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER requested_under_entry AFTER INSERT ON registry.need_to_know_request
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.requested_under_entry();
ALTER TABLE registry.need_to_know_request ENABLE ALWAYS TRIGGER requested_under_entry;
CREATE CONSTRAINT TRIGGER approved_as_requested AFTER INSERT ON registry.need_to_know_grant
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.approved_as_requested();
ALTER TABLE registry.need_to_know_grant ENABLE ALWAYS TRIGGER approved_as_requested;

GRANT SELECT ON registry.need_to_know_request TO access_ledger_reader, access_ledger_writer;
GRANT INSERT ON registry.need_to_know_request TO access_ledger_writer;
