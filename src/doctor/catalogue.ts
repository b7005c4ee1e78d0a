/**
 * A catalogue is what a database says of its own objects, as far as the log rests on them: what there is in our schemas, who
 * may do what with it, and what our roles are. By kind and name, each with its properties:
 *
 *     { "trigger": { "append_only on ledger.entry": { "definition": "CREATE TRIGGER …", "fires": "always" }, … }, … }
 *
 * schema/catalogue.json is the one that the migrations make, on every PostgreSQL from 15 on: what a property says is what
 * the versions agree in. Who owns the database and who migrated it is not in it.
 */
import type pg from 'pg';

export const KINDS = [
  'role',
  'schema',
  'table',
  'column',
  'type',
  'function',
  'trigger',
  'constraint',
  'index',
  'rule',
  'grant',
] as const;

export type Kind = (typeof KINDS)[number];

export type Properties = Readonly<Record<string, string | boolean>>;

export type Catalogue = Readonly<Record<Kind, Readonly<Record<string, Properties>>>>;

const SCHEMAS = `('ledger', 'registry')`;
const ROLES = `('access_ledger_owner', 'access_ledger_writer', 'access_ledger_reader', 'access_ledger_reviewer')`;
const OWNER = `'access_ledger_owner'`;

const RELATIONS = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ${SCHEMAS}`;
/** What can hold rows, or show them. */
const TABLE_KINDS = `('r', 'p', 'v', 'm', 'f', 'S')`;
const NAME = `format('%I.%I', n.nspname, c.relname)`;

/** The texts that a statement selects, as one text. */
const listed = (select: string) =>
  `array_to_string(ARRAY(SELECT t.text FROM (${select}) AS t(text) ORDER BY t.text COLLATE "C"), ', ')`;

/** Statements that give names and properties. Names in them are qualified: they run with the search path pg_catalog. */
const QUERIES: Readonly<Record<Kind, string>> = {
  role: `
    SELECT r.rolname AS name, jsonb_build_object('login', r.rolcanlogin, 'superuser', r.rolsuper,
      'createsRoles', r.rolcreaterole, 'createsDatabases', r.rolcreatedb, 'replicates', r.rolreplication,
      'bypassesRowSecurity', r.rolbypassrls,
      'memberOf', ${listed('SELECT pg_get_userbyid(m.roleid) FROM pg_auth_members m WHERE m.member = r.oid')},
      'settings', ${listed(`SELECT unnest(s.setconfig) FROM pg_db_role_setting s
        WHERE s.setrole = r.oid AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))`)}
    ) AS properties
    FROM pg_roles r WHERE r.rolname IN ${ROLES}`,

  schema: `
    SELECT n.nspname AS name, jsonb_build_object('owner', pg_get_userbyid(n.nspowner)) AS properties
    FROM pg_namespace n WHERE n.nspname IN ${SCHEMAS}`,

  // Whoever owns something elsewhere as our owner could have it do as the log's functions do.
  table: `
    SELECT ${NAME} AS name, jsonb_build_object('owner', pg_get_userbyid(c.relowner), 'kind', c.relkind,
      'logged', c.relpersistence = 'p', 'rowSecurity', c.relrowsecurity OR c.relforcerowsecurity,
      'parents', ${listed('SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid')},
      'children', ${listed('SELECT i.inhrelid::regclass::text FROM pg_inherits i WHERE i.inhparent = c.oid')}
    ) AS properties
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ${TABLE_KINDS}
      AND (n.nspname IN ${SCHEMAS} OR pg_get_userbyid(c.relowner) = ${OWNER})`,

  column: `
    SELECT format('%s.%I', ${NAME}, a.attname) AS name, jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
      'notNull', a.attnotnull, 'default', coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
      'generated', a.attgenerated <> '' OR a.attidentity <> '',
      'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text ELSE '' END
    ) AS properties
    FROM ${RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ${TABLE_KINDS} AND c.relkind <> 'S' AND a.attnum > 0 AND NOT a.attisdropped`,

  type: `
    SELECT format('%I.%I', n.nspname, t.typname) AS name, jsonb_build_object('owner', pg_get_userbyid(t.typowner), 'kind', t.typtype,
      'attributes', array_to_string(ARRAY(SELECT format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum), ', ')
    ) AS properties
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE n.nspname IN ${SCHEMAS} AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c' AND t.typtype <> 'm'`,

  // A body of strings is kept as it was written. One that was parsed (sql, "RETURN …") is put into words again, and versions
  // differ in white space and brackets.
  function: `
    SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
      jsonb_build_object('owner', pg_get_userbyid(p.proowner), 'kind', p.prokind, 'language', l.lanname,
        'securityDefiner', p.prosecdef, 'settings', coalesce(array_to_string(p.proconfig, '; '), ''),
        'volatility', p.provolatile, 'strict', p.proisstrict, 'leakproof', p.proleakproof,
        'arguments', coalesce(pg_get_function_arguments(p.oid), ''), 'returns', coalesce(pg_get_function_result(p.oid), ''),
        'body', encode(sha256(convert_to(coalesce(regexp_replace(pg_get_function_sqlbody(p.oid), '[\\s()]', '', 'g'), p.prosrc),
          'UTF8')), 'hex')
      ) AS properties
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE n.nspname IN ${SCHEMAS} OR pg_get_userbyid(p.proowner) = ${OWNER}
      OR p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = p.proowner)
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ${ROLES} AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))`,

  trigger: `
    SELECT format('%I on %s', t.tgname, ${NAME}) AS name, jsonb_build_object('definition', pg_get_triggerdef(t.oid),
      'fires', CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'O' THEN 'but for replication' WHEN 'R' THEN 'for replication only'
        ELSE 'never' END
    ) AS properties
    FROM ${RELATIONS} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal`,

  // From 18 on, NOT NULL is one too; it is told with its column.
  constraint: `
    SELECT format('%I on %s', k.conname, ${NAME}) AS name, jsonb_build_object('definition', pg_get_constraintdef(k.oid),
      'validated', k.convalidated,
      'enforced', NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled <> 'O')
        AND NOT EXISTS (SELECT FROM pg_index i WHERE k.contype IN ('p', 'u', 'x') AND i.indexrelid = k.conindid
          AND NOT (i.indisvalid AND i.indisready AND i.indislive))
    ) AS properties
    FROM ${RELATIONS} JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype NOT IN ('n', 't')`,

  // But for those of constraints.
  index: `
    SELECT format('%I.%I on %s', n.nspname, x.relname, ${NAME}) AS name, jsonb_build_object('definition', pg_get_indexdef(i.indexrelid),
      'valid', i.indisvalid AND i.indisready AND i.indislive
    ) AS properties
    FROM ${RELATIONS} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))`,

  rule: `
    SELECT format('%I on %s', w.rulename, ${NAME}) AS name, jsonb_build_object('definition', pg_get_ruledef(w.oid)) AS properties
    FROM ${RELATIONS} JOIN pg_rewrite w ON w.ev_class = c.oid WHERE c.relkind <> 'v'
    UNION ALL
    SELECT format('policy %I on %s', p.polname, ${NAME}), jsonb_build_object('definition',
      concat(pg_get_expr(p.polqual, p.polrelid), ' check ', pg_get_expr(p.polwithcheck, p.polrelid)))
    FROM ${RELATIONS} JOIN pg_policy p ON p.polrelid = c.oid`,

  // Whoever owns something may do all with it, and what that is differs by version: only what others may is told.
  grant: `
    WITH held AS (
      SELECT format('schema %I', n.nspname) AS thing, n.nspowner AS owner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
      FROM pg_namespace n WHERE n.nspname IN ${SCHEMAS}
      UNION ALL
      SELECT ${NAME}, c.relowner, coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ${TABLE_KINDS}
        AND (n.nspname IN ${SCHEMAS} OR n.nspname = 'public' AND c.relname = 'migration')
      UNION ALL
      SELECT format('%s (%I)', ${NAME}, a.attname), c.relowner, a.attacl
      FROM ${RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attacl IS NOT NULL
      UNION ALL
      SELECT format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ${SCHEMAS}
      UNION ALL
      SELECT 'this database', d.datdba, coalesce(d.datacl, acldefault('d', d.datdba))
      FROM pg_database d WHERE d.datname = current_database()
      UNION ALL
      SELECT concat('later ', o.things, ' in schema ' || d.defaclnamespace::regnamespace), r.oid,
        coalesce(d.defaclacl, acldefault(o.letter, r.oid))
      FROM pg_roles r CROSS JOIN (VALUES ('r'::"char", 'tables'), ('f', 'functions')) AS o(letter, things)
        LEFT JOIN pg_default_acl d ON d.defaclrole = r.oid AND d.defaclobjtype = o.letter
      WHERE r.rolname = ${OWNER}
    )
    SELECT format('%s on %s to %s', a.privilege_type, h.thing,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS name,
      jsonb_build_object('grantable', bool_or(a.is_grantable)) AS properties
    FROM held h CROSS JOIN LATERAL aclexplode(h.acl) a
    WHERE a.grantee <> h.owner AND NOT (h.thing = 'this database'
      -- A copy of a database has none of its grants, and our owner needs it for migrations alone.
      AND (a.privilege_type = 'CONNECT' OR a.grantee = (SELECT r.oid FROM pg_roles r WHERE r.rolname = ${OWNER})))
    GROUP BY 1`,
};

/** @param client whose search path is pg_catalog */
export async function readCatalogue(client: pg.ClientBase): Promise<Catalogue> {
  const catalogue: Partial<Record<Kind, Record<string, Properties>>> = {};
  for (const kind of KINDS) {
    const { rows } = await client.query<{ name: string; properties: Properties }>(QUERIES[kind]);
    const byName = rows.map(({ name, properties }) => [name, properties] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    catalogue[kind] = Object.fromEntries(byName);
  }
  return catalogue as Catalogue;
}

/** The text of schema/catalogue.json: an object a line, so that a change of the migrations can be read. */
export function formatCatalogue(catalogue: Catalogue): string {
  const kinds = KINDS.map((kind) => {
    const lines = Object.entries(catalogue[kind]).map(
      ([name, properties]) => `    ${JSON.stringify(name)}: ${JSON.stringify(properties)}`,
    );
    return `  ${JSON.stringify(kind)}: {${lines.length > 0 ? `\n${lines.join(',\n')}\n  ` : ''}}`;
  });
  return `{\n${kinds.join(',\n')}\n}\n`;
}
