-- The four roles, and the two schemas that the owner holds.
--
--   access_ledger_owner     owns every object. No login, no superuser: the functions that write the log run as this role.
--   access_ledger_writer    held by src/ledger alone: may call those functions and write rows that carry an entry.
--   access_ledger_reader    held by everything else in the server: may SELECT.
--   access_ledger_reviewer  for people who check the log: may SELECT the log, and no personal data, sealed or not.
--
-- Roles belong to the cluster, so they may stand already. This file alone runs as the login that migrates; the others run
-- as the owner.

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['access_ledger_owner', 'access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer']
  LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL; -- another database of this cluster made it
    END;
  END LOOP;

  IF EXISTS (SELECT FROM pg_roles WHERE rolname LIKE 'access\_ledger\_%' AND rolname IN
      ('access_ledger_owner', 'access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer')
      AND (rolsuper OR rolcanlogin OR rolcreaterole OR rolbypassrls)) THEN
    RAISE EXCEPTION 'a role access_ledger_* of this cluster may log in or holds more than it should';
  END IF;

  -- Whoever made a role may grant it, but is not always allowed to become it.
  BEGIN
    SET LOCAL ROLE access_ledger_owner;
    RESET ROLE;
  EXCEPTION WHEN insufficient_privilege THEN
    EXECUTE format('GRANT access_ledger_owner TO %I', current_user);
  END;

  EXECUTE format('GRANT CREATE ON DATABASE %I TO access_ledger_owner', current_database());
END
$$;

SET LOCAL ROLE access_ledger_owner;
CREATE SCHEMA ledger;
CREATE SCHEMA registry;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO access_ledger_writer, access_ledger_reader, access_ledger_reviewer;
GRANT USAGE ON SCHEMA registry TO access_ledger_writer, access_ledger_reader;
