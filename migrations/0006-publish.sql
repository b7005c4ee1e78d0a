-- What is published of the log: its tree in tiles, checkpoints, and the witnesses' cosignatures.
--
-- None of it is personal data or a decision, so it is written by the named functions below rather than under an entry. The
-- order of a checkpoint is: ledger.stage, whose transaction fixes size and root; then, when that is on disk, the signature,
-- and ledger.sign keeps it. So no second root is ever signed for a size, nor a smaller size after a larger, whoever
-- publishes, and however often publishers die.
--
--   AL007 another publishes      AL008 a checkpoint that does not follow the newest, or a note that is of another

-- Who publishes, and until when unless it says so again. Written every second or so, and worth nothing after that.
CREATE TABLE ledger.lease (
  log    integer PRIMARY KEY,
  holder uuid NOT NULL,
  until  timestamptz NOT NULL
);

-- Full tiles only: those that are not are short enough to be put together when somebody asks (src/log/tile.ts).
CREATE TABLE ledger.tile (
  level  smallint NOT NULL CHECK (level BETWEEN 0 AND 6),
  index  bigint NOT NULL CHECK (index >= 0),
  log    integer NOT NULL,
  -- Of level 0 the links of 256 entries, above the roots of 256 tiles below.
  hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
  root   bytea NOT NULL CHECK (octet_length(root) = 32),
  -- Of the entries below it. For finding those of a time, and prove nothing.
  oldest timestamptz NOT NULL,
  newest timestamptz NOT NULL,
  PRIMARY KEY (level, index, log)
);
-- Hashes do not compress.
ALTER TABLE ledger.tile ALTER hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger.checkpoint (
  size      bigint NOT NULL CHECK (size > 0),
  log       integer NOT NULL,
  root      bytea NOT NULL CHECK (octet_length(root) = 32),
  staged_at timestamptz NOT NULL,
  -- Signed by the log's key alone. Null between staging and signing.
  note      text CHECK (octet_length(note) <= 4096),
  PRIMARY KEY (size, log)
);

CREATE TABLE ledger.cosignature (
  size    bigint NOT NULL,
  -- The witness's key: its name and id.
  witness text NOT NULL CHECK (witness ~ '^[^\s+]+\+[0-9a-f]{8}$'),
  log     integer NOT NULL,
  line    text NOT NULL CHECK (line ~ '^— \S+ \S+$' AND octet_length(line) <= 1024),
  at      timestamptz NOT NULL,
  PRIMARY KEY (size, witness, log),
  FOREIGN KEY (size, log) REFERENCES ledger.checkpoint
);

CREATE FUNCTION ledger.sign_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.note IS NOT NULL OR NEW.note IS NULL OR (OLD.size, OLD.log, OLD.root, OLD.staged_at) <> (NEW.size, NEW.log, NEW.root, NEW.staged_at) THEN
    RAISE EXCEPTION 'a checkpoint is signed once, and never changed' USING ERRCODE = 'AL006';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.tile
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON ledger.checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER sign_once BEFORE UPDATE ON ledger.checkpoint
  FOR EACH ROW EXECUTE FUNCTION ledger.sign_once();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.cosignature
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE ledger.tile ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER sign_once;
ALTER TABLE ledger.cosignature ENABLE ALWAYS TRIGGER append_only;

GRANT SELECT ON ledger.lease, ledger.tile, ledger.checkpoint, ledger.cosignature
  TO access_ledger_writer, access_ledger_reader, access_ledger_reviewer;

-- Whether `holder` publishes for the next so many seconds: if nobody else does, or it does already.
CREATE FUNCTION ledger.lease(log integer, holder uuid, seconds integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO ledger.lease AS l (log, holder, until)
  VALUES (lease.log, lease.holder, clock_timestamp() + make_interval(secs => lease.seconds))
  ON CONFLICT (log) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE l.holder = excluded.holder OR l.until < clock_timestamp();
  RETURN FOUND;
END
$$;

-- Lets another publish at once, where a publisher stops in good order.
CREATE FUNCTION ledger.release(log integer, holder uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM ledger.lease l WHERE l.log = release.log AND l.holder = release.holder;
END
$$;

-- Fixes the root of the first `size` entries, and keeps the tiles that they fill. `tiles` is a JSON array of {level, index,
-- root}, lower levels first; the hashes in them are the log's own.
CREATE FUNCTION ledger.stage(log integer, holder uuid, size bigint, root bytea, tiles text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  last   bigint;
  tile   record;
  below  record;
BEGIN
  PERFORM FROM ledger.lease l
    WHERE l.log = stage.log AND l.holder = stage.holder AND l.until > clock_timestamp() FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'another publishes' USING ERRCODE = 'AL007'; END IF;

  SELECT c.size INTO last FROM ledger.checkpoint c WHERE c.log = stage.log ORDER BY c.size DESC LIMIT 1;
  IF stage.size <= last OR NOT EXISTS (SELECT FROM ledger.entry e WHERE e.log = stage.log AND e.index = stage.size - 1) THEN
    RAISE EXCEPTION 'a checkpoint that does not follow the newest' USING ERRCODE = 'AL008';
  END IF;

  FOR tile IN SELECT t.level, t.index, decode(t.root, 'hex') AS root
    FROM json_to_recordset(stage.tiles::json) AS t(level smallint, index bigint, root text)
  LOOP
    IF tile.level = 0 THEN
      SELECT string_agg(e.link, ''::bytea ORDER BY e.index) AS hashes, min(e.at) AS oldest, max(e.at) AS newest INTO below
      FROM ledger.entry e
      WHERE e.log = stage.log AND e.index >= tile.index * 256 AND e.index < tile.index * 256 + 256;
    ELSE
      SELECT string_agg(t.root, ''::bytea ORDER BY t.index) AS hashes, min(t.oldest) AS oldest, max(t.newest) AS newest INTO below
      FROM ledger.tile t
      WHERE t.log = stage.log AND t.level = tile.level - 1 AND t.index >= tile.index * 256 AND t.index < tile.index * 256 + 256;
    END IF;
    INSERT INTO ledger.tile (level, index, log, hashes, root, oldest, newest)
    VALUES (tile.level, tile.index, stage.log, below.hashes, tile.root, below.oldest, below.newest);
  END LOOP;

  INSERT INTO ledger.checkpoint (size, log, root, staged_at) VALUES (stage.size, stage.log, stage.root, clock_timestamp());
END
$$;

-- Keeps the log's signature of what was staged: the note says nothing else, and stays what it is.
CREATE FUNCTION ledger.sign(log integer, size bigint, note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE ledger.checkpoint c SET note = sign.note FROM ledger.head h
  WHERE c.log = sign.log AND c.size = sign.size AND c.note IS NULL AND h.log = sign.log
    AND starts_with(sign.note, concat(h.origin, E'\n', c.size, E'\n', encode(c.root, 'base64'), E'\n\n— ', h.origin, ' '));
  IF FOUND THEN RETURN; END IF;
  -- Ed25519 gives one signature for one text, so whoever signs again comes with the same note.
  PERFORM FROM ledger.checkpoint c WHERE c.log = sign.log AND c.size = sign.size AND c.note = sign.note;
  IF NOT FOUND THEN RAISE EXCEPTION 'a note of another checkpoint' USING ERRCODE = 'AL008'; END IF;
END
$$;

-- A witness's line below a checkpoint. Another by the same witness changes nothing.
CREATE FUNCTION ledger.cosign(log integer, size bigint, witness text, line text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO ledger.cosignature (size, witness, log, line, at)
  VALUES (cosign.size, cosign.witness, cosign.log, cosign.line, clock_timestamp())
  ON CONFLICT (size, witness, log) DO NOTHING;
END
$$;

GRANT EXECUTE ON FUNCTION ledger.lease(integer, uuid, integer), ledger.release(integer, uuid),
  ledger.stage(integer, uuid, bigint, bytea, text), ledger.sign(integer, bigint, text),
  ledger.cosign(integer, bigint, text, text) TO access_ledger_writer;
