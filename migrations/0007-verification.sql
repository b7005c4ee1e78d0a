-- Verifications: what reviewers asked to have verified by a server, and what came of it.
--
-- A row is made under the entry of its request, in that entry's transaction, and by ledger.request_verification alone. What
-- is written of it afterwards (who is at work, how far it is, the report) is no personal data and no decision: it is written
-- by the named functions below rather than under entries.
--
-- The report is what a server says of its own log. It proves nothing to anybody outside, so no entry says it either.

CREATE TABLE ledger.verification (
  id           uuid NOT NULL,
  log          integer NOT NULL,
  -- Of the request, and who made it.
  entry        uuid NOT NULL,
  reviewer     uuid NOT NULL,
  requested_at timestamptz NOT NULL,
  -- What the reviewer holds from outside: [{"index", "link"}], and notes that this log's key signed, without other lines.
  held         jsonb NOT NULL CHECK (jsonb_typeof(held) = 'array'),
  notes        text[] NOT NULL CHECK (array_position(notes, NULL) IS NULL),
  state        text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  -- How often it was begun.
  attempts     smallint NOT NULL CHECK (attempts BETWEEN 0 AND 3),
  -- The process at work, and until when unless it says so again.
  holder       uuid,
  until        timestamptz,
  started_at   timestamptz,
  finished_at  timestamptz,
  -- How many entries were read, of how many: null until that is known.
  entries      bigint NOT NULL CHECK (entries >= 0),
  of_entries   bigint CHECK (of_entries >= 0),
  verdict      text CHECK (verdict IN ('intact', 'tampered', 'inconclusive')),
  why          text CHECK (why IN ('NO_ENTRIES', 'NO_EVIDENCE', 'EVIDENCE_TOO_WEAK', 'LEAVES_NOT_READ')),
  -- The largest size at which evidence agrees with the log, and whose.
  vouched      bigint CHECK (vouched > 0),
  vouched_by   text[] CHECK (cardinality(vouched_by) > 0),
  size         bigint CHECK (size >= 0),
  root         bytea CHECK (octet_length(root) = 32),
  findings     jsonb CHECK (jsonb_typeof(findings) = 'array'),
  unlisted     bigint CHECK (unlisted >= 0),
  unchecked    text[] CHECK (unchecked <@ ARRAY['ENTRIES_BEFORE', 'LEAVES']),
  fault        text CHECK (fault IN ('INTERRUPTED', 'UNAVAILABLE', 'INTERNAL')),
  PRIMARY KEY (id, log),
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED,
  CHECK ((state = 'waiting') = (started_at IS NULL)),
  CHECK (state <> 'waiting' OR entries = 0 AND of_entries IS NULL),
  CHECK ((state = 'running') = (holder IS NOT NULL) AND (holder IS NULL) = (until IS NULL)),
  CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
  CHECK ((state = 'failed') = (fault IS NOT NULL)),
  CHECK ((state = 'done') = (verdict IS NOT NULL) AND num_nulls(verdict, size, findings, unlisted, unchecked) IN (0, 5)),
  CHECK (verdict IS NOT NULL OR num_nonnulls(why, vouched, vouched_by, root) = 0),
  CHECK ((vouched IS NULL) = (vouched_by IS NULL)),
  CHECK (verdict IS NULL OR (verdict = 'inconclusive') = (why IS NOT NULL)),
  CHECK (verdict <> 'intact' OR vouched IS NOT NULL AND root IS NOT NULL AND findings = '[]' AND unlisted = 0),
  CHECK (verdict <> 'tampered' OR findings <> '[]'),
  CHECK (why <> 'NO_EVIDENCE' OR vouched IS NULL)
);
-- One at a time.
CREATE UNIQUE INDEX verification_runs ON ledger.verification (log) WHERE state = 'running';
CREATE INDEX verification_unfinished ON ledger.verification (log, requested_at) WHERE finished_at IS NULL;
CREATE INDEX verification_by_time ON ledger.verification (log, requested_at, id);

CREATE FUNCTION ledger.report_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.finished_at IS NOT NULL OR (OLD.id, OLD.log, OLD.entry, OLD.reviewer, OLD.requested_at, OLD.held, OLD.notes)
      <> (NEW.id, NEW.log, NEW.entry, NEW.reviewer, NEW.requested_at, NEW.held, NEW.notes) THEN
    RAISE EXCEPTION 'a verification is reported once, of what was requested' USING ERRCODE = 'AL006';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON ledger.verification
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER report_once BEFORE UPDATE ON ledger.verification
  FOR EACH ROW EXECUTE FUNCTION ledger.report_once();
ALTER TABLE ledger.verification ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger.verification ENABLE ALWAYS TRIGGER report_once;

GRANT SELECT ON ledger.verification TO access_ledger_writer, access_ledger_reader, access_ledger_reviewer;

-- Queues a verification, unless as many wait or run as may: of one reviewer fewer than of all, so that nobody is kept out by
-- one. Requests and claims of a log come one after the other.
CREATE FUNCTION ledger.request_verification(log integer, id uuid, entry uuid, reviewer uuid, held text, notes text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  unfinished record;
BEGIN
  PERFORM pg_advisory_xact_lock(x'616c7666'::int, request_verification.log);
  SELECT count(*) AS of_all, count(*) FILTER (WHERE v.reviewer = request_verification.reviewer) AS own INTO unfinished
  FROM ledger.verification v WHERE v.log = request_verification.log AND v.finished_at IS NULL;
  IF unfinished.of_all >= 8 OR unfinished.own >= 2 THEN RETURN false; END IF;
  INSERT INTO ledger.verification (id, log, entry, reviewer, requested_at, held, notes, state, attempts, entries)
  VALUES (request_verification.id, request_verification.log, request_verification.entry, request_verification.reviewer,
    clock_timestamp(), request_verification.held::jsonb, request_verification.notes, 'waiting', 0, 0);
  RETURN true;
END
$$;

-- What `holder` is to verify for the next so many seconds: what another has begun and no longer says that it goes on with, or
-- else what has waited longest. None while another goes on. What was begun three times and never ended has failed: it may be
-- what ends those who take it up.
CREATE FUNCTION ledger.claim_verification(log integer, holder uuid, seconds integer)
RETURNS TABLE (id uuid, held jsonb, notes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  claimed ledger.verification;
BEGIN
  PERFORM pg_advisory_xact_lock(x'616c7666'::int, claim_verification.log);
  SELECT v.* INTO claimed FROM ledger.verification v WHERE v.log = claim_verification.log AND v.state = 'running' FOR UPDATE;
  IF claimed.until >= clock_timestamp() THEN RETURN; END IF;
  IF claimed.attempts = 3 THEN
    UPDATE ledger.verification v SET state = 'failed', fault = 'INTERRUPTED', finished_at = clock_timestamp(), holder = NULL, until = NULL
    WHERE v.id = claimed.id AND v.log = claimed.log;
    claimed := NULL;
  END IF;
  IF claimed.id IS NULL THEN
    SELECT v.* INTO claimed FROM ledger.verification v WHERE v.log = claim_verification.log AND v.state = 'waiting'
    ORDER BY v.requested_at LIMIT 1 FOR UPDATE;
  END IF;
  RETURN QUERY UPDATE ledger.verification v SET state = 'running', attempts = v.attempts + 1, holder = claim_verification.holder,
      until = clock_timestamp() + make_interval(secs => claim_verification.seconds),
      started_at = clock_timestamp(), entries = 0, of_entries = NULL
    WHERE v.id = claimed.id AND v.log = claimed.log RETURNING v.id, v.held, v.notes;
END
$$;

-- How far it is. Says for the next so many seconds that it goes on; false where it is no longer this holder's.
CREATE FUNCTION ledger.advance_verification(log integer, id uuid, holder uuid, seconds integer, entries bigint, of_entries bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE ledger.verification v SET entries = advance_verification.entries, of_entries = advance_verification.of_entries,
    until = clock_timestamp() + make_interval(secs => advance_verification.seconds)
  WHERE v.id = advance_verification.id AND v.log = advance_verification.log AND v.holder = advance_verification.holder;
  RETURN FOUND;
END
$$;

-- What came of it: `report` is {verdict, why?, vouched?, by?, entries, size, root?, findings, unlisted, unchecked}.
CREATE FUNCTION ledger.report_verification(log integer, id uuid, holder uuid, report text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE ledger.verification v SET state = 'done', finished_at = clock_timestamp(), holder = NULL, until = NULL,
    entries = r.entries, of_entries = r.entries, verdict = r.verdict, why = r.why, vouched = r.vouched, vouched_by = r.by,
    size = r.size, root = decode(r.root, 'hex'), findings = r.findings, unlisted = r.unlisted, unchecked = r.unchecked
  FROM json_to_record(report_verification.report::json) AS r(verdict text, why text, vouched bigint, by text[], entries bigint,
    size bigint, root text, findings jsonb, unlisted bigint, unchecked text[])
  WHERE v.id = report_verification.id AND v.log = report_verification.log AND v.holder = report_verification.holder;
  RETURN FOUND;
END
$$;

CREATE FUNCTION ledger.fail_verification(log integer, id uuid, holder uuid, fault text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE ledger.verification v SET state = 'failed', finished_at = clock_timestamp(), holder = NULL, until = NULL, fault = fail_verification.fault
  WHERE v.id = fail_verification.id AND v.log = fail_verification.log AND v.holder = fail_verification.holder;
  RETURN FOUND;
END
$$;

-- Lets another begin it anew at once, where a process stops in good order: that counts as no attempt.
CREATE FUNCTION ledger.leave_verification(log integer, id uuid, holder uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE ledger.verification v SET state = 'waiting', attempts = v.attempts - 1, holder = NULL, until = NULL, started_at = NULL,
    entries = 0, of_entries = NULL
  WHERE v.id = leave_verification.id AND v.log = leave_verification.log AND v.holder = leave_verification.holder;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.request_verification(integer, uuid, uuid, uuid, text, text[]),
  ledger.claim_verification(integer, uuid, integer), ledger.advance_verification(integer, uuid, uuid, integer, bigint, bigint),
  ledger.report_verification(integer, uuid, uuid, text), ledger.fail_verification(integer, uuid, uuid, text),
  ledger.leave_verification(integer, uuid, uuid) TO access_ledger_writer;
