-- Consents (clause 3.1): of one person, for one purpose and set of categories, each with its whole history. Nothing is
-- updated: what becomes of a consent is a version more. Every row names its entry, and is held to it at COMMIT. They stay
-- when the person's values are erased, as the entries do: they are what shows that there was a consent, and hold no value.

CREATE TABLE registry.consent (
  log        integer NOT NULL,
  id         uuid NOT NULL,
  subject    uuid NOT NULL,
  purpose    text NOT NULL REFERENCES registry.purpose,
  categories text[] NOT NULL CHECK (cardinality(categories) > 0),
  entry      uuid NOT NULL,
  PRIMARY KEY (id, log),
  CONSTRAINT consent_of_subject FOREIGN KEY (subject, log) REFERENCES registry.subject,
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX consent_by_subject ON registry.consent (subject, log, purpose);

-- What was done, and when. Of a consent given or renewed also how and where, and the digest of the exact words that were
-- shown, with their language. It expires at `valid_until` by the clock alone.
CREATE TABLE registry.consent_version (
  log         integer NOT NULL,
  consent     uuid NOT NULL,
  version     integer NOT NULL CHECK (version > 0),
  act         text NOT NULL CHECK (act IN ('REQUESTED', 'GIVEN', 'RENEWED', 'REFUSED', 'WITHDRAWN', 'INVALIDATED')),
  at          timestamptz NOT NULL,
  channel     text CHECK (channel IN ('REGISTRATION', 'APPLICATION', 'MESSAGE', 'EMAIL', 'USER_CONTACT', 'SERVER_LOG')),
  service     text REFERENCES registry.service,
  words       bytea CHECK (octet_length(words) = 32),
  language    text CHECK (language ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$'),
  valid_until timestamptz CHECK (valid_until > at),
  entry       uuid NOT NULL,
  PRIMARY KEY (consent, log, version),
  CONSTRAINT version_of_consent FOREIGN KEY (consent, log) REFERENCES registry.consent,
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT consent_says_how CHECK (CASE WHEN act IN ('GIVEN', 'RENEWED') THEN num_nulls(channel, service, words, language) = 0
    ELSE num_nonnulls(channel, service, words, language, valid_until) = 0 END)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.consent
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.consent_version
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE registry.consent ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE registry.consent_version ENABLE ALWAYS TRIGGER append_only;

-- The lifecycle of src/domain/consents/consent.rules.ts, as far as it is written; null for a consent that is not yet there.
CREATE FUNCTION registry.consent_may_become(was text, becomes text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN was IS NULL THEN becomes IN ('REQUESTED', 'GIVEN')
    WHEN was = 'REQUESTED' THEN becomes IN ('GIVEN', 'REFUSED')
    WHEN was IN ('GIVEN', 'RENEWED') THEN becomes IN ('RENEWED', 'WITHDRAWN', 'INVALIDATED')
    ELSE false
  END
$$;

-- A consent comes with its first version. A version follows the one before it, while that has not expired; its entry says
-- the same; and nobody gives, renews, refuses or withdraws but the person.
CREATE FUNCTION registry.consented_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said   jsonb := registry.said(NEW.log, NEW.entry);
  about  record;
  was    record;
  stands boolean;
BEGIN
  IF TG_TABLE_NAME = 'consent' THEN
    stands := EXISTS (SELECT FROM registry.consent_version v
      WHERE v.consent = NEW.id AND v.log = NEW.log AND v.version = 1 AND v.entry = NEW.entry);
  ELSE
    SELECT c.subject, c.purpose, c.categories INTO about
    FROM registry.consent c WHERE c.id = NEW.consent AND c.log = NEW.log LIMIT 1;
    SELECT v.act, v.valid_until INTO was
    FROM registry.consent_version v WHERE v.consent = NEW.consent AND v.log = NEW.log AND v.version = NEW.version - 1 LIMIT 1;
    stands := (NEW.version = 1) = (was.act IS NULL)
      AND registry.consent_may_become(was.act, NEW.act)
      AND coalesce(was.valid_until > NEW.at, true)
      AND said @> jsonb_build_object('event', concat('consent.', lower(NEW.act)), 'subject', about.subject,
        'purpose', about.purpose, 'at', registry.spelt(NEW.at))
      AND said -> 'asked' = to_jsonb(about.categories)
      AND said -> 'details' = jsonb_strip_nulls(jsonb_build_object('consent', NEW.consent, 'version', NEW.version,
        'channel', NEW.channel, 'service', NEW.service, 'words', encode(NEW.words, 'hex'), 'language', NEW.language,
        'until', registry.spelt(NEW.valid_until)))
      AND (NEW.act IN ('REQUESTED', 'INVALIDATED') OR said #>> '{actor,id}' = about.subject::text);
  END IF;
  IF stands IS NOT TRUE THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER consented_under_entry AFTER INSERT ON registry.consent DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION registry.consented_under_entry();
CREATE CONSTRAINT TRIGGER consented_under_entry AFTER INSERT ON registry.consent_version DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION registry.consented_under_entry();
ALTER TABLE registry.consent ENABLE ALWAYS TRIGGER consented_under_entry;
ALTER TABLE registry.consent_version ENABLE ALWAYS TRIGGER consented_under_entry;

GRANT SELECT ON registry.consent, registry.consent_version TO access_ledger_reader, access_ledger_writer;
GRANT INSERT ON registry.consent, registry.consent_version TO access_ledger_writer;
