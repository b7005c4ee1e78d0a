-- Cookies (clause 4.2): which a service declares, and what people prefer, service by service. A preference is a history: a
-- change is a new version beside the old, and the newest counts. As in the registry, every row names its entry, and a trigger
-- holds the two against each other.

CREATE TABLE registry.cookie (
  service  text NOT NULL REFERENCES registry.service,
  name     text NOT NULL CHECK (name ~ '^[A-Za-z0-9_.-]{1,50}$'),
  category text NOT NULL CHECK (category IN ('ESSENTIAL', 'PREFERENCES', 'STATISTICS', 'MARKETING')),
  -- What works less well without it; null where nothing does.
  degrades text CHECK (length(degrades) BETWEEN 1 AND 200),
  entry    uuid NOT NULL,
  PRIMARY KEY (service, name),
  -- What is essential is never rejected.
  CHECK (category <> 'ESSENTIAL' OR degrades IS NULL)
);

CREATE TABLE registry.cookie_preference (
  log        integer NOT NULL,
  subject    uuid NOT NULL,
  service    text NOT NULL REFERENCES registry.service,
  version    integer NOT NULL CHECK (version > 0),
  preference text NOT NULL CHECK (preference IN ('ACCEPT_ALL', 'REJECT_ALL', 'ASK')),
  set_at     timestamptz NOT NULL,
  entry      uuid NOT NULL,
  PRIMARY KEY (subject, log, service, version),
  FOREIGN KEY (subject, log) REFERENCES registry.subject,
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE FUNCTION registry.preferred_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said   jsonb := registry.said(coalesce((to_jsonb(NEW) ->> 'log')::integer, 1), NEW.entry);
  stands boolean;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'cookie' THEN
      stands := said ->> 'event' = 'cookie.declared' AND said -> 'details' =
        jsonb_build_object('service', NEW.service, 'cookie', NEW.name, 'category', NEW.category);
    WHEN 'cookie_preference' THEN
      stands := said ->> 'event' = 'cookie-preference.set'
        AND said ->> 'subject' = NEW.subject::text
        AND (said ->> 'at')::timestamptz = NEW.set_at
        AND said -> 'details' =
          jsonb_build_object('service', NEW.service, 'version', NEW.version, 'preference', NEW.preference)
        AND (NEW.version = 1 OR EXISTS (SELECT FROM registry.cookie_preference p WHERE p.subject = NEW.subject
          AND p.log = NEW.log AND p.service = NEW.service AND p.version = NEW.version - 1));
  END CASE;
  IF stands IS NOT TRUE THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

DO $$
DECLARE
  made text;
BEGIN
  FOREACH made IN ARRAY ARRAY['cookie', 'cookie_preference']
  LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER preferred_under_entry AFTER INSERT ON registry.%I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION registry.preferred_under_entry()', made);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER preferred_under_entry', made);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.%I
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', made);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER append_only', made);
    EXECUTE format('GRANT SELECT ON registry.%I TO access_ledger_reader, access_ledger_writer', made);
    EXECUTE format('GRANT INSERT ON registry.%I TO access_ledger_writer', made);
  END LOOP;
END
$$;
