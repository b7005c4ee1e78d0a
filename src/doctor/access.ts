/**
 * Access is who could write past the log, and by what: logins, settings that stop triggers, replication into its tables.
 *
 * What a login could do is what any role could that it may become, whether or not it inherits from it today. The login that
 * owns the database migrates it, and may become the owner of its objects; a superuser may do anything. Both are told of by
 * name, and are no fault: what they do is what evidence from elsewhere is for.
 */
import type pg from 'pg';
import type { DoctorFinding } from './finding.js';

export interface Access {
  readonly findings: readonly DoctorFinding[];
  /** Logins that may become access_ledger_writer, but for those that may anything. */
  readonly writers: readonly string[];
}

interface Login {
  readonly name: string;
  readonly superuser: string | null;
  readonly writesLog: string | null;
  readonly holdsTooMuch: string | null;
  readonly writer: boolean;
}

const LOGINS = `
  WITH login AS (
    SELECT r.oid, r.rolname AS name, r.rolsuper, r.rolcreaterole FROM pg_roles r
    WHERE r.rolcanlogin AND r.oid <> 10 -- the one that initdb makes: there is always one
      AND r.oid <> (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database())
  ), reach AS (
    SELECT l.oid AS login, r.* FROM login l JOIN pg_roles r ON pg_has_role(l.oid, r.oid, 'MEMBER') WHERE NOT l.rolsuper
  ), log AS (
    SELECT c.oid, c.relowner, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'ledger' AND c.relkind IN ('r', 'p')
  )
  SELECT l.name,
    CASE WHEN l.rolsuper THEN 'is a superuser'
      ELSE (SELECT min(concat('may become ', r.rolname)) FROM reach r WHERE r.login = l.oid
        AND (r.rolsuper OR r.rolname IN ('pg_execute_server_program', 'pg_write_server_files')))
      END AS superuser,
    coalesce(
      (SELECT 'may become access_ledger_owner' FROM reach r WHERE r.login = l.oid AND r.rolname = 'access_ledger_owner'),
      (SELECT min(concat('may write ', g.name)) FROM reach r CROSS JOIN log g WHERE r.login = l.oid
        AND (has_any_column_privilege(r.oid, g.oid, 'INSERT, UPDATE') OR has_table_privilege(r.oid, g.oid, 'DELETE, TRUNCATE, TRIGGER'))),
      -- Until version 16, whoever makes roles could grant itself any but a superuser.
      CASE WHEN l.rolcreaterole AND current_setting('server_version_num')::int < 160000 THEN 'makes roles, and so could become any' END
    ) AS "writesLog",
    (SELECT min(CASE WHEN r.rolcreaterole THEN 'makes roles' WHEN r.rolreplication THEN 'replicates'
        WHEN r.rolbypassrls THEN 'bypasses row security' ELSE concat('may become ', r.rolname) END)
      FROM reach r WHERE r.login = l.oid AND (r.rolcreaterole OR r.rolreplication OR r.rolbypassrls
        OR r.rolname = 'pg_read_server_files' OR r.oid = (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database()))
    ) AS "holdsTooMuch",
    EXISTS (SELECT FROM reach r WHERE r.login = l.oid AND r.rolname = 'access_ledger_writer') AS writer
  FROM login l ORDER BY l.name COLLATE "C"`;

/**
 * @param servers the logins of servers; null where nobody says
 */
export async function readAccess(client: pg.ClientBase, servers: readonly string[] | null): Promise<Access> {
  const { rows } = await client.query<Login>(LOGINS);
  const findings = rows.flatMap((login) => [...findingsOf(login, servers)]);
  const writers = rows.filter(({ writer, superuser }) => writer && superuser === null).map(({ name }) => name);
  return { findings, writers };
}

function* findingsOf(
  { name, superuser, writesLog, holdsTooMuch, writer }: Login,
  servers: readonly string[] | null,
): Iterable<DoctorFinding> {
  if (superuser) {
    yield {
      code: 'SUPERUSER',
      what: `${name} ${superuser}: nothing in a database holds it`,
      remedy: 'let few have it, and keep evidence of the log where it cannot write',
    };
    return;
  }
  if (writesLog) {
    yield {
      code: 'LOGIN_WRITES_LOG',
      what: `${name} ${writesLog}, past the ledger's functions`,
      remedy: `take from ${name} what it does not own the database for: memberships, grants, CREATEROLE`,
    };
  }
  if (!writer) return;
  if (holdsTooMuch) {
    yield {
      code: 'LOGIN_HOLDS_TOO_MUCH',
      what: `${name} is a server's login, and ${holdsTooMuch}`,
      remedy: 'give servers a login of their own, with no rights of its own',
    };
  }
  if (servers && !servers.includes(name)) {
    const sql = `REVOKE access_ledger_writer FROM ${quoted(name)}`;
    yield {
      code: 'LOGIN_UNKNOWN',
      what: `${name} may become access_ledger_writer, and is no server's login`,
      remedy: sql,
      sql,
    };
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

interface Setting {
  readonly code: 'TRIGGERS_OFF' | 'NOT_DURABLE' | 'REPLICATION_WRITES';
  readonly what: string;
  readonly remedy: string;
}

/**
 * What is set for whole databases or servers. Triggers of ours fire always, but PostgreSQL's own, by which it checks foreign
 * keys, do not for whoever is a replica; and those of statements do not for what is replicated row by row.
 */
const SETTINGS = `
  SELECT 'TRIGGERS_OFF' AS code, format('%s is %s for %s', split_part(c.setting, '=', 1), split_part(c.setting, '=', 2),
      coalesce('the role ' || r.rolname, 'the whole database')) AS what,
    'reset it: foreign keys are not checked while it is so' AS remedy
  FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(setting) LEFT JOIN pg_roles r ON r.oid = s.setrole
  WHERE c.setting ~* '^session_replication_role=(?!origin)'
    AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
  UNION ALL
  SELECT 'TRIGGERS_OFF', 'session_replication_role is ' || s.setting || ' for the whole server',
    'reset it: foreign keys are not checked while it is so'
  FROM pg_settings s WHERE s.name = 'session_replication_role' AND s.reset_val <> 'origin' AND s.source IN ('configuration file', 'command line')
  UNION ALL
  SELECT 'NOT_DURABLE', s.name || ' is off: an entry that was committed can be lost when the machine fails',
    'turn it on, in postgresql.conf'
  FROM pg_settings s WHERE s.name IN ('fsync', 'full_page_writes') AND s.setting = 'off'
  UNION ALL
  SELECT 'REPLICATION_WRITES', format('a subscription writes %I.%I', n.nspname, c.relname), 'drop the subscription'
  FROM pg_subscription_rel s JOIN pg_class c ON c.oid = s.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ('ledger', 'registry')
  ORDER BY 1, 2`;

export async function settingFindings(client: pg.ClientBase): Promise<DoctorFinding[]> {
  return (await client.query<Setting>(SETTINGS)).rows;
}
