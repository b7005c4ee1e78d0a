-- The registry: what is declared (purposes, categories, services, processors, who signs in, grants), and the people with
-- their sealed values. Declared things belong to the deployment; people belong to exactly one log, in every key.
--
-- Every row names its entry, and at COMMIT a trigger holds the two against each other: the entry was written by this very
-- transaction, was permitted, is of the event that makes such rows, and says the same. Entries about declared things are in
-- the deployment's first log; their rows have no log, and what a trigger holds needs no foreign key: entries never go.

CREATE TABLE registry.legal_basis (
  key         text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title       text NOT NULL,
  description text NOT NULL,
  entry       uuid NOT NULL
);

CREATE TABLE registry.category (
  key             text PRIMARY KEY CHECK (key ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)*$'),
  title           text NOT NULL,
  identifiability text NOT NULL CHECK (identifiability IN ('ALONE', 'COMBINED')),
  sensitive       boolean NOT NULL,
  searchable      boolean NOT NULL,
  channels        text[] NOT NULL CHECK (cardinality(channels) > 0 AND channels <@ ARRAY
    ['REGISTRATION', 'APPLICATION', 'MESSAGE', 'EMAIL', 'USER_CONTACT', 'SERVER_LOG']),
  entry           uuid NOT NULL,
  CHECK (NOT (sensitive AND searchable))
);

CREATE TABLE registry.purpose (
  key         text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title       text NOT NULL,
  description text NOT NULL,
  clause      text NOT NULL,
  basis       text REFERENCES registry.legal_basis,
  entry       uuid NOT NULL
);

CREATE TABLE registry.purpose_category (
  purpose  text NOT NULL REFERENCES registry.purpose,
  category text NOT NULL REFERENCES registry.category,
  entry    uuid NOT NULL,
  PRIMARY KEY (purpose, category)
);

CREATE TABLE registry.service (
  key    text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title  text NOT NULL,
  policy text NOT NULL,
  entry  uuid NOT NULL
);

CREATE TABLE registry.processor (
  id            uuid PRIMARY KEY,
  name          text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
  kind          text NOT NULL CHECK (kind IN ('ASSOCIATE', 'AGENT', 'SERVICE_PROVIDER')),
  registered_at timestamptz NOT NULL,
  entry         uuid NOT NULL
);

CREATE TABLE registry.subject (
  log           integer NOT NULL,
  id            uuid NOT NULL,
  service       text NOT NULL REFERENCES registry.service,
  entry         uuid NOT NULL,
  registered_at timestamptz NOT NULL,
  -- As in the log, what distinguishes rows comes first in every key, and not the log, which all of them have.
  PRIMARY KEY (id, log),
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

-- Who may sign in. `digest` is a keyed digest of the token's issuer and subject, which are nowhere else. Users are people of
-- a log; a foreign key to its head would have those who register lock it early, and wait for each other.
CREATE TABLE registry.identity (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  actor  uuid NOT NULL UNIQUE,
  kind   text NOT NULL CHECK (kind IN ('user', 'staff', 'processor')),
  log    integer,
  entry  uuid NOT NULL,
  CHECK ((kind = 'user') = (log IS NOT NULL)),
  FOREIGN KEY (log, actor) REFERENCES registry.subject (log, id)
);

-- Need to know (clause 5.2): one staff member, one purpose, these categories (null: all that the purpose covers), until then.
-- `revocation` is the entry that ended it sooner.
CREATE TABLE registry.need_to_know_grant (
  id          uuid PRIMARY KEY,
  staff       uuid NOT NULL REFERENCES registry.identity (actor),
  purpose     text NOT NULL REFERENCES registry.purpose,
  categories  text[] CHECK (cardinality(categories) > 0),
  approved_by uuid NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  entry       uuid NOT NULL,
  revoked_at  timestamptz,
  revocation  uuid,
  CHECK (valid_until > valid_from),
  CHECK (approved_by <> staff),
  CHECK ((revoked_at IS NULL) = (revocation IS NULL))
);
CREATE INDEX grant_by_staff ON registry.need_to_know_grant (staff, purpose, valid_until);

-- The person's own key, wrapped by the key-encryption key `kek`. Gone once destroyed.
CREATE TABLE registry.subject_key (
  log     integer NOT NULL,
  subject uuid NOT NULL,
  kek     text NOT NULL,
  wrapped bytea NOT NULL CHECK (octet_length(wrapped) BETWEEN 48 AND 128),
  PRIMARY KEY (subject, log),
  FOREIGN KEY (subject, log) REFERENCES registry.subject
);

-- A record hangs on its person's key: none is made for a person whose key is gone, and no key goes before the last record.
-- So of a collection and an erasure at once, either sees the other, or fails.
CREATE TABLE registry.record (
  log      integer NOT NULL,
  id       uuid NOT NULL,
  subject  uuid NOT NULL,
  category text NOT NULL REFERENCES registry.category,
  version  integer NOT NULL CHECK (version > 0),
  PRIMARY KEY (id, log),
  UNIQUE (id, log, subject, category),
  CONSTRAINT record_under_key FOREIGN KEY (subject, log) REFERENCES registry.subject_key
);
-- The id before the category: foreign keys are checked by all four columns, and by whichever index, so every one must tell
-- the records of one person apart.
CREATE INDEX record_by_subject ON registry.record (subject, log, id) INCLUDE (category, version);

-- A value, sealed. Never updated: a change is a new version beside the old.
CREATE TABLE registry.record_version (
  log      integer NOT NULL,
  record   uuid NOT NULL,
  version  integer NOT NULL CHECK (version > 0),
  subject  uuid NOT NULL,
  category text NOT NULL,
  channel  text NOT NULL CHECK (channel IN ('REGISTRATION', 'APPLICATION', 'MESSAGE', 'EMAIL', 'USER_CONTACT', 'SERVER_LOG')),
  sealed   bytea NOT NULL CHECK (octet_length(sealed) >= 28),
  entry    uuid NOT NULL,
  PRIMARY KEY (record, log, version),
  CONSTRAINT version_of_record FOREIGN KEY (log, record, subject, category) REFERENCES registry.record (log, id, subject, category),
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

-- For finding a person by a value of a searchable category: a keyed digest of the normalised current value.
CREATE TABLE registry.blind_index (
  log      integer NOT NULL,
  category text NOT NULL,
  digest   bytea NOT NULL CHECK (octet_length(digest) = 32),
  record   uuid NOT NULL,
  subject  uuid NOT NULL,
  PRIMARY KEY (record, log),
  CONSTRAINT index_of_record FOREIGN KEY (log, record, subject, category) REFERENCES registry.record (log, id, subject, category)
);
CREATE INDEX blind_index_by_digest ON registry.blind_index (digest, log, category) INCLUDE (subject);

CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON registry.record_version
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE registry.record_version ENABLE ALWAYS TRIGGER append_only;

-- What an entry of this very transaction says, with null for the members that it may leave out and rows may lack; null for
-- an entry that is another transaction's, not permitted, or none. Rows whose xmin is ours are ours: nobody else's is visible
-- before it commits, and ledger.append opens no subtransactions.
CREATE FUNCTION registry.said(log integer, entry uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '{"asked": null, "basis": null}'::jsonb || substr(e.leaf, strpos(e.leaf, E'\n') + 1)::jsonb
  FROM ledger.entry e
  WHERE e.log = $1 AND e.id = $2 AND e.xmin = pg_current_xact_id()::xid AND e.outcome = 'permitted'
$$;

-- As an entry spells it; null for null.
CREATE FUNCTION registry.spelt(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

CREATE FUNCTION registry.declared_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made   jsonb := to_jsonb(NEW);
  said   jsonb := registry.said(coalesce((to_jsonb(NEW) ->> 'log')::integer, 1), NEW.entry);
  wanted jsonb;
BEGIN
  wanted := CASE TG_TABLE_NAME
    WHEN 'legal_basis' THEN jsonb_build_object('event', 'legal-basis.declared', 'basis', made -> 'key')
    WHEN 'category' THEN jsonb_build_object('event', 'category.declared', 'asked', jsonb_build_array(made -> 'key'),
      'details', jsonb_build_object('identifiability', made -> 'identifiability', 'sensitive', made -> 'sensitive',
        'searchable', made -> 'searchable', 'channels', made -> 'channels'))
    WHEN 'purpose' THEN jsonb_build_object('event', 'purpose.declared', 'purpose', made -> 'key', 'basis', made -> 'basis')
    WHEN 'purpose_category' THEN jsonb_build_object('event', 'purpose.declared', 'purpose', made -> 'purpose',
      'asked', jsonb_build_array(made -> 'category'))
    WHEN 'service' THEN jsonb_build_object('event', 'service.enrolled', 'policy', made -> 'policy',
      'details', jsonb_build_object('service', made -> 'key'))
    WHEN 'processor' THEN jsonb_build_object('event', 'processor.registered',
      'details', jsonb_build_object('processor', made -> 'id', 'kind', made -> 'kind'))
    WHEN 'identity' THEN CASE made ->> 'kind'
      WHEN 'user' THEN jsonb_build_object('event', 'user.registered', 'subject', made -> 'actor')
      WHEN 'processor' THEN jsonb_build_object('event', 'processor.registered',
        'details', jsonb_build_object('processor', made -> 'actor'))
      ELSE jsonb_build_object('event', 'identity.linked',
        'details', jsonb_build_object('actor', made -> 'actor', 'kind', made -> 'kind'))
    END
    WHEN 'need_to_know_grant' THEN jsonb_build_object('event', 'grant.approved', 'purpose', made -> 'purpose',
      'asked', made -> 'categories', 'actor', jsonb_build_object('id', made -> 'approved_by'),
      'details', jsonb_build_object('grant', made -> 'id', 'staff', made -> 'staff',
        'from', registry.spelt((made ->> 'valid_from')::timestamptz),
        'until', registry.spelt((made ->> 'valid_until')::timestamptz)))
  END;
  IF said @> wanted IS NOT TRUE OR TG_TABLE_NAME IN ('category', 'need_to_know_grant')
    AND (said -> 'asked' <> wanted -> 'asked' OR said -> 'details' <> wanted -> 'details')
  THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

-- A grant is revoked once, and stays so.
CREATE FUNCTION registry.revoked_once() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL THEN
    RAISE EXCEPTION 'a grant is revoked once' USING ERRCODE = 'AL006';
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION registry.revoked_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF registry.said(1, NEW.revocation) @> jsonb_build_object('event', 'grant.revoked',
    'details', jsonb_build_object('grant', NEW.id, 'staff', NEW.staff)) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'a grant is revoked only under an entry of its revocation' USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

-- People, keys and values are many, so their entries are not parsed: a leaf is canonical, and what it names is spelt in one
-- way. And what is looked up is so by scalar subqueries, hence by key: these plans are made while the tables are empty, when
-- PostgreSQL would as well join them by reading all of one.
CREATE FUNCTION registry.kept_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stands boolean;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'subject' THEN
      stands := EXISTS (SELECT FROM ledger.entry e
        WHERE e.log = NEW.log AND e.id = NEW.entry AND e.xmin = pg_current_xact_id()::xid
          AND e.subject = NEW.id AND e.event = 'user.registered' AND e.outcome = 'permitted');
    WHEN 'subject_key' THEN
      -- With the person, and never again.
      stands := EXISTS (SELECT FROM ledger.entry e
        WHERE e.log = NEW.log AND e.xmin = pg_current_xact_id()::xid
          AND e.id = (SELECT s.entry FROM registry.subject s WHERE s.log = NEW.log AND s.id = NEW.subject));
    WHEN 'record_version' THEN
      stands := EXISTS (SELECT FROM ledger.entry e
        WHERE e.log = NEW.log AND e.id = NEW.entry AND e.xmin = pg_current_xact_id()::xid
          AND e.subject = NEW.subject AND e.outcome = 'permitted'
          AND e.event = CASE NEW.version WHEN 1 THEN 'record.created' ELSE 'record.updated' END
          AND strpos(e.leaf, concat('{"category":"', NEW.category, '","id":"', NEW.record, '","version":', NEW.version, '}')) > 0);
    WHEN 'blind_index' THEN
      -- With the value that it is of.
      stands := EXISTS (SELECT FROM ledger.entry e
        WHERE e.log = NEW.log AND e.xmin = pg_current_xact_id()::xid
          AND e.id = (SELECT v.entry FROM registry.record_version v WHERE v.log = NEW.log AND v.record = NEW.record
            AND v.version = (SELECT r.version FROM registry.record r WHERE r.log = NEW.log AND r.id = NEW.record)));
  END CASE;
  IF NOT stands THEN
    RAISE EXCEPTION 'a row of % whose entry does not say it', TG_TABLE_NAME USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

-- What a statement deleted of one person, between the statement and its COMMIT, when the entries are there to hold it
-- against: all at once, for held row by row, what is erased and what is said of it would be multiplied.
CREATE TABLE registry.erasure (
  log     integer NOT NULL,
  subject uuid NOT NULL,
  part    text NOT NULL,
  -- Of values, how an entry spells them; of what they are found by, the ids of records.
  rows    text[] NOT NULL
);

CREATE FUNCTION registry.erasing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'record_version' THEN
      INSERT INTO registry.erasure (log, subject, part, rows)
      SELECT g.log, g.subject, TG_TABLE_NAME,
        array_agg(concat('{"category":"', g.category, '","id":"', g.record, '","version":', g.version, '}'))
      FROM gone g GROUP BY g.log, g.subject;
    WHEN 'blind_index' THEN
      INSERT INTO registry.erasure (log, subject, part, rows)
      SELECT g.log, g.subject, TG_TABLE_NAME, array_agg(g.record::text) FROM gone g GROUP BY g.log, g.subject;
    WHEN 'subject_key' THEN
      INSERT INTO registry.erasure (log, subject, part, rows) SELECT g.log, g.subject, TG_TABLE_NAME, '{}' FROM gone g;
  END CASE;
  RETURN NULL;
END
$$;

-- Values go under entries of this transaction that name them as erased; the key under the last entry, that it is destroyed;
-- what values are found by with their records.
CREATE FUNCTION registry.erased_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said   record;
  named  text[] := '{}';
  stands boolean := false;
BEGIN
  DELETE FROM registry.erasure; -- no other transaction's is ever seen
  IF NEW.part = 'blind_index' THEN
    stands := NOT EXISTS (SELECT FROM registry.record r WHERE r.id = ANY (NEW.rows::uuid[]) AND r.log = NEW.log);
  ELSE
    FOR said IN SELECT e.event, e.outcome, e.leaf, e.xmin FROM ledger.entry e
      WHERE e.log = NEW.log AND e.subject = NEW.subject ORDER BY e.index DESC
    LOOP
      EXIT WHEN said.xmin <> pg_current_xact_id()::xid;
      CONTINUE WHEN said.outcome <> 'permitted';
      IF NEW.part = 'subject_key' THEN
        stands := said.event = 'key.destroyed';
        EXIT;
      END IF;
      CONTINUE WHEN said.event <> 'record.erased';
      named := named || ARRAY(SELECT r.value::text
        FROM json_array_elements(substr(said.leaf, strpos(said.leaf, E'\n') + 1)::json -> 'records') r);
    END LOOP;
    IF NEW.part = 'record_version' THEN
      stands := NOT EXISTS (SELECT unnest(NEW.rows) EXCEPT SELECT unnest(named));
    END IF;
  END IF;
  IF NOT stands THEN
    RAISE EXCEPTION 'rows of % are deleted only under an entry of their erasure', NEW.part USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;

DO $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT * FROM (VALUES
    ('legal_basis', 'INSERT', 'declared_under_entry'), ('category', 'INSERT', 'declared_under_entry'),
    ('purpose', 'INSERT', 'declared_under_entry'), ('purpose_category', 'INSERT', 'declared_under_entry'),
    ('service', 'INSERT', 'declared_under_entry'), ('processor', 'INSERT', 'declared_under_entry'),
    ('identity', 'INSERT', 'declared_under_entry'), ('need_to_know_grant', 'INSERT', 'declared_under_entry'),
    ('need_to_know_grant', 'UPDATE', 'revoked_under_entry'),
    ('subject', 'INSERT', 'kept_under_entry'), ('subject_key', 'INSERT', 'kept_under_entry'),
    ('record_version', 'INSERT', 'kept_under_entry'), ('blind_index', 'INSERT', 'kept_under_entry'),
    ('erasure', 'INSERT', 'erased_under_entry')
  ) AS t(table_name, operation, function)
  LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER %3$I AFTER %2$s ON registry.%1$I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION registry.%3$I()', made.table_name, made.operation, made.function);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER %I', made.table_name, made.function);
  END LOOP;
  FOR made IN SELECT * FROM (VALUES ('subject_key'), ('record_version'), ('blind_index')) AS t(table_name)
  LOOP
    EXECUTE format('CREATE TRIGGER erasing AFTER DELETE ON registry.%I REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION registry.erasing()', made.table_name);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER erasing', made.table_name);
  END LOOP;
END
$$;
CREATE TRIGGER revoked_once BEFORE UPDATE ON registry.need_to_know_grant
  FOR EACH ROW EXECUTE FUNCTION registry.revoked_once();
ALTER TABLE registry.need_to_know_grant ENABLE ALWAYS TRIGGER revoked_once;

GRANT SELECT ON ALL TABLES IN SCHEMA registry TO access_ledger_reader, access_ledger_writer;
GRANT INSERT ON ALL TABLES IN SCHEMA registry TO access_ledger_writer;
REVOKE ALL ON registry.erasure FROM access_ledger_reader, access_ledger_writer;
GRANT DELETE ON registry.record_version, registry.record, registry.subject_key, registry.blind_index TO access_ledger_writer;
GRANT UPDATE (revoked_at, revocation) ON registry.need_to_know_grant TO access_ledger_writer;
