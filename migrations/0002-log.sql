-- The log: one row an entry, and a head row for each log that is only ever locked.
--
-- Rows are written by ledger.append and by nothing else. `leaf` is what is hashed; the columns beside it are derived from
-- its body when it is written, so that people can query, and prove nothing (schema/log-format.md).

CREATE TABLE ledger.head (
  log    integer PRIMARY KEY CHECK (log > 0),
  origin text NOT NULL CHECK (origin ~ '^[^\s+]+$')
);

-- The events of src/log/event.ts. Deployment-wide, so no log in its key.
CREATE TABLE ledger.event (
  name          text PRIMARY KEY CHECK (name ~ '^[a-z-]+\.[a-z-]+$'),
  changes_facts boolean NOT NULL
);

CREATE TABLE ledger.entry (
  -- No foreign key to the head: ledger.append has its row locked, and a second look at it for each entry costs 5 %.
  log         integer NOT NULL,
  index       bigint NOT NULL CHECK (index >= 0),
  id          uuid NOT NULL,
  link        bytea NOT NULL CHECK (octet_length(link) = 32),
  leaf        text NOT NULL CHECK (octet_length(leaf) <= 65535),
  subject     uuid,
  nth         bigint CHECK (nth > 0),
  actor       uuid NOT NULL,
  event       text NOT NULL,
  outcome     text NOT NULL CHECK (outcome IN ('permitted', 'refused')),
  purpose     text,
  request     uuid NOT NULL,
  at          timestamptz NOT NULL,
  -- The newest entry, this one included, that changed facts about the subject, and about nobody: what makes a body stale.
  changed     bigint,
  changed_all bigint,
  PRIMARY KEY (log, index),
  -- The id first: a plan made while the table is empty takes any index whose first column it knows, and every entry has the log.
  UNIQUE (id, log),
  CHECK ((subject IS NULL) = (nth IS NULL)),
  CHECK (changed IS NULL OR subject IS NOT NULL)
);

CREATE UNIQUE INDEX entry_by_subject ON ledger.entry (subject, log, index) INCLUDE (nth, changed) WHERE subject IS NOT NULL;
-- Searches of these four are ordered `index DESC NULLS LAST`, as these indexes are backward and the primary key is not: the
-- newest of what was common long ago would otherwise be looked for through the whole log, past all that came since.
CREATE INDEX entry_by_actor ON ledger.entry (actor, log, index NULLS FIRST);
CREATE INDEX entry_by_event ON ledger.entry (event, log, index NULLS FIRST);
CREATE INDEX entry_by_purpose ON ledger.entry (purpose, log, index NULLS FIRST) WHERE purpose IS NOT NULL;
CREATE INDEX entry_refused ON ledger.entry (log, index NULLS FIRST) WHERE outcome = 'refused';
CREATE INDEX entry_by_request ON ledger.entry (request, log);
-- Times need no index of their own: each tile of the tree says how old its entries are (0006-publish.sql).

CREATE FUNCTION ledger.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'AL006';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.head
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER append_only;

GRANT SELECT ON ledger.head, ledger.event, ledger.entry
  TO access_ledger_writer, access_ledger_reader, access_ledger_reviewer;

INSERT INTO ledger.event (name, changes_facts) VALUES
  ('agreement.signed', true),
  ('agreement.withdrawn', true),
  ('category.accepted', true),
  ('category.declared', true),
  ('category.declined', true),
  ('consent.given', true),
  ('consent.invalidated', true),
  ('consent.listed', false),
  ('consent.refused', true),
  ('consent.renewed', true),
  ('consent.requested', true),
  ('consent.withdrawn', true),
  ('cookie-preference.read', false),
  ('cookie-preference.set', true),
  ('cookie.declared', true),
  ('engagement.begun', true),
  ('engagement.ended', true),
  ('grant.approved', true),
  ('grant.listed', false),
  ('grant.requested', false),
  ('grant.revoked', true),
  ('history.read', false),
  ('identity.linked', false),
  ('key.destroyed', true),
  ('legal-basis.declared', true),
  ('log.read', false),
  ('log.verified', false),
  ('processor.listed', false),
  ('processor.registered', true),
  ('purpose.declared', true),
  ('record.created', false),
  ('record.erased', false),
  ('record.listed', false),
  ('record.read', false),
  ('record.updated', false),
  ('refusals.suppressed', false),
  ('service.amended', true),
  ('service.enrolled', true),
  ('staff.listed', false),
  ('training.completed', true),
  ('training.withdrawn', true),
  ('user.found', false),
  ('user.listed', false),
  ('user.registered', false);
