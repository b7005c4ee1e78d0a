-- What services ask of people, and what people keep to themselves (clauses 8.2 and 4.1): which categories are essential for a
-- service, and which of the others somebody declined. Both are histories: a change is a new version beside the old, and the
-- newest counts. As in the registry, every row names its entry, and a trigger holds the two against each other.

CREATE TABLE registry.essential_categories (
  service    text NOT NULL REFERENCES registry.service,
  version    integer NOT NULL CHECK (version > 0),
  categories text[] NOT NULL,
  entry      uuid NOT NULL,
  PRIMARY KEY (service, version)
);

CREATE TABLE registry.category_choice (
  log      integer NOT NULL,
  subject  uuid NOT NULL,
  category text NOT NULL REFERENCES registry.category,
  version  integer NOT NULL CHECK (version > 0),
  choice   text NOT NULL CHECK (choice IN ('DECLINED', 'ACCEPTED')),
  entry    uuid NOT NULL,
  PRIMARY KEY (subject, log, category, version),
  FOREIGN KEY (subject, log) REFERENCES registry.subject,
  FOREIGN KEY (log, entry) REFERENCES ledger.entry (log, id) DEFERRABLE INITIALLY DEFERRED
);

-- A version follows the one before it; and of choices, none is made twice in a row.
CREATE FUNCTION registry.chosen_under_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said   jsonb := registry.said(coalesce((to_jsonb(NEW) ->> 'log')::integer, 1), NEW.entry);
  stands boolean;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'essential_categories' THEN
      stands := said ->> 'event' = CASE NEW.version WHEN 1 THEN 'service.enrolled' ELSE 'service.amended' END
        AND said -> 'details' = jsonb_build_object('service', NEW.service)
        AND coalesce(nullif(said -> 'asked', 'null'), '[]') = to_jsonb(NEW.categories)
        AND NOT EXISTS (SELECT unnest(NEW.categories) EXCEPT SELECT c.key FROM registry.category c)
        AND (NEW.version = 1 OR EXISTS (SELECT FROM registry.essential_categories c
          WHERE c.service = NEW.service AND c.version = NEW.version - 1));
    WHEN 'category_choice' THEN
      stands := said ->> 'event' = CASE NEW.choice WHEN 'DECLINED' THEN 'category.declined' ELSE 'category.accepted' END
        AND said ->> 'subject' = NEW.subject::text
        AND said -> 'asked' ? NEW.category
        AND NEW.choice <> coalesce((SELECT c.choice FROM registry.category_choice c
          WHERE c.subject = NEW.subject AND c.log = NEW.log AND c.category = NEW.category AND c.version = NEW.version - 1),
          CASE NEW.version WHEN 1 THEN 'ACCEPTED' ELSE NEW.choice END);
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
  FOREACH made IN ARRAY ARRAY['essential_categories', 'category_choice']
  LOOP
    EXECUTE format('CREATE CONSTRAINT TRIGGER chosen_under_entry AFTER INSERT ON registry.%I DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION registry.chosen_under_entry()', made);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER chosen_under_entry', made);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.%I
      FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', made);
    EXECUTE format('ALTER TABLE registry.%I ENABLE ALWAYS TRIGGER append_only', made);
    EXECUTE format('GRANT SELECT ON registry.%I TO access_ledger_reader, access_ledger_writer', made);
    EXECUTE format('GRANT INSERT ON registry.%I TO access_ledger_writer', made);
  END LOOP;
END
$$;
