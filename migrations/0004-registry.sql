-- The registry: what is declared (purposes, categories, services, processors, who signs in, grants), and the people with
-- their sealed values. Declared things belong to the deployment; people belong to exactly one log, in every key.

CREATE TABLE registry.legal_basis (
  key         text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title       text NOT NULL,
  description text NOT NULL
);

CREATE TABLE registry.category (
  key             text PRIMARY KEY CHECK (key ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)*$'),
  title           text NOT NULL,
  identifiability text NOT NULL CHECK (identifiability IN ('ALONE', 'COMBINED')),
  sensitive       boolean NOT NULL,
  searchable      boolean NOT NULL,
  channels        text[] NOT NULL CHECK (cardinality(channels) > 0 AND channels <@ ARRAY
    ['REGISTRATION', 'APPLICATION', 'MESSAGE', 'EMAIL', 'USER_CONTACT', 'SERVER_LOG']),
  CHECK (NOT (sensitive AND searchable))
);

CREATE TABLE registry.purpose (
  key         text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title       text NOT NULL,
  description text NOT NULL,
  clause      text NOT NULL,
  basis       text REFERENCES registry.legal_basis
);

CREATE TABLE registry.purpose_category (
  purpose  text NOT NULL REFERENCES registry.purpose,
  category text NOT NULL REFERENCES registry.category,
  PRIMARY KEY (purpose, category)
);

CREATE TABLE registry.service (
  key    text PRIMARY KEY CHECK (key ~ '^[a-z][a-z-]*$'),
  title  text NOT NULL,
  policy text NOT NULL
);

CREATE TABLE registry.processor (
  id            uuid PRIMARY KEY,
  name          text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
  kind          text NOT NULL CHECK (kind IN ('ASSOCIATE', 'AGENT', 'SERVICE_PROVIDER')),
  registered_at timestamptz NOT NULL
);

-- Who may sign in. `digest` is a keyed digest of the token's issuer and subject, which are nowhere else.
CREATE TABLE registry.identity (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  actor  uuid NOT NULL UNIQUE,
  kind   text NOT NULL CHECK (kind IN ('user', 'staff', 'processor')),
  log    integer REFERENCES ledger.head,
  CHECK ((kind = 'user') = (log IS NOT NULL))
);

-- Need to know (clause 5.2): one staff member, one purpose, these categories (null: all that the purpose covers), until then.
CREATE TABLE registry.need_to_know_grant (
  id          uuid PRIMARY KEY,
  staff       uuid NOT NULL REFERENCES registry.identity (actor),
  purpose     text NOT NULL REFERENCES registry.purpose,
  categories  text[] CHECK (cardinality(categories) > 0),
  approved_by uuid NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  revoked_at  timestamptz,
  CHECK (valid_until > valid_from),
  CHECK (approved_by <> staff)
);
CREATE INDEX grant_by_staff ON registry.need_to_know_grant (staff, purpose, valid_until);

CREATE TABLE registry.subject (
  log           integer NOT NULL,
  id            uuid NOT NULL,
  service       text NOT NULL REFERENCES registry.service,
  entry         uuid NOT NULL,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (log, id),
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

-- The person's own key, wrapped by the key-encryption key `kek`. Gone once destroyed.
CREATE TABLE registry.subject_key (
  log     integer NOT NULL,
  subject uuid NOT NULL,
  kek     text NOT NULL,
  wrapped bytea NOT NULL CHECK (octet_length(wrapped) BETWEEN 48 AND 128),
  PRIMARY KEY (log, subject),
  FOREIGN KEY (log, subject) REFERENCES registry.subject
);

CREATE TABLE registry.record (
  log      integer NOT NULL,
  id       uuid NOT NULL,
  subject  uuid NOT NULL,
  category text NOT NULL REFERENCES registry.category,
  version  integer NOT NULL CHECK (version > 0),
  PRIMARY KEY (log, id),
  UNIQUE (log, id, subject, category),
  FOREIGN KEY (log, subject) REFERENCES registry.subject
);
CREATE INDEX record_by_subject ON registry.record (log, subject, category) INCLUDE (id, version);

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
  PRIMARY KEY (log, record, version),
  FOREIGN KEY (log, record, subject, category) REFERENCES registry.record (log, id, subject, category),
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

-- For finding a person by a value of a searchable category: a keyed digest of the normalised current value.
CREATE TABLE registry.blind_index (
  log      integer NOT NULL,
  category text NOT NULL,
  digest   bytea NOT NULL CHECK (octet_length(digest) = 32),
  record   uuid NOT NULL,
  subject  uuid NOT NULL,
  PRIMARY KEY (log, record),
  FOREIGN KEY (log, record, subject, category) REFERENCES registry.record (log, id, subject, category)
);
CREATE INDEX blind_index_by_digest ON registry.blind_index (log, category, digest) INCLUDE (subject);

CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON registry.record_version
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE registry.record_version ENABLE ALWAYS TRIGGER append_only;

-- Values and keys go only under an entry that says so: at commit, the newest entries about the person are of an erasure.
CREATE FUNCTION registry.erased_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT e.event FROM ledger.entry e WHERE e.log = OLD.log AND e.subject = OLD.subject AND e.outcome = 'permitted'
      ORDER BY e.index DESC LIMIT 1) NOT IN ('record.erased', 'key.destroyed') THEN
    RAISE EXCEPTION 'a value or key is deleted only under an entry of its erasure' USING ERRCODE = 'AL006';
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER erased_under_entry AFTER DELETE ON registry.record_version DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION registry.erased_under_entry();
CREATE CONSTRAINT TRIGGER erased_under_entry AFTER DELETE ON registry.subject_key DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION registry.erased_under_entry();
ALTER TABLE registry.record_version ENABLE ALWAYS TRIGGER erased_under_entry;
ALTER TABLE registry.subject_key ENABLE ALWAYS TRIGGER erased_under_entry;

GRANT SELECT ON ALL TABLES IN SCHEMA registry TO access_ledger_reader, access_ledger_writer;
GRANT INSERT ON ALL TABLES IN SCHEMA registry TO access_ledger_writer;
GRANT DELETE ON registry.record_version, registry.record, registry.subject_key, registry.blind_index TO access_ledger_writer;
GRANT UPDATE (revoked_at) ON registry.need_to_know_grant TO access_ledger_writer;
