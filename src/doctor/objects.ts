/**
 * What is wrong with the database's objects: each difference between its catalogue and the one that the migrations make, in
 * words, with what to do about it; where one statement does it, with the statement.
 */
import type { Properties } from './catalogue.js';
import type { Difference } from './differences.js';
import type { DoctorFinding, ObjectCode } from './finding.js';

interface Remedy {
  readonly remedy: string;
  readonly sql?: string;
}

/** @param database its name, as SQL spells it */
export function findingOf(difference: Difference, database: string): DoctorFinding {
  const { kind, how } = difference;
  const code = `${kind.toUpperCase()}_${how}` as ObjectCode;
  return { code, what: whatOf(difference), ...remedyOf(difference, database) };
}

function whatOf(difference: Difference): string {
  const { kind, name, how } = difference;
  const thing = kind === 'grant' ? name : `${kind} ${name}`;
  if (how === 'MISSING') return kind === 'grant' ? `not granted: ${name}` : `there is no ${thing}`;
  if (how === 'ADDED') return kind === 'grant' ? `granted: ${name}` : `${thing} is none of the migrations'`;
  const said = difference.properties.map((property) => {
    if (property === 'body') return 'another body';
    return `${property} ${shown(difference.found[property])} instead of ${shown(difference.expected[property])}`;
  });
  return `${thing} has ${said.join(' and ')}`;
}

function shown(value: string | boolean | undefined): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value ? `"${value}"` : 'none';
}

function remedyOf(difference: Difference, database: string): Remedy {
  const sql = statementFor(difference)?.replaceAll(DATABASE, database);
  if (sql) return { remedy: sql, sql };
  const { kind, how } = difference;
  if (kind === 'constraint' && how === 'CHANGED') return { remedy: RETRIGGER };
  if (how === 'ADDED') return { remedy: `find out who made it and what it does, and remove it` };
  return { remedy: `make the ${kind} again as migrations/*.sql do, as access_ledger_owner` };
}

const RETRIGGER =
  "ENABLE TRIGGER ALL on both tables of the constraint, as a superuser; then again what this command says of the tables' own triggers";

function statementFor(difference: Difference): string | undefined {
  const { kind, name } = difference;
  switch (kind) {
    case 'role':
      return difference.how === 'CHANGED' ? ofRole(name, difference.found, difference.properties) : undefined;
    case 'table':
      return ofTable(difference);
    case 'trigger':
      return ofTrigger(difference);
    case 'constraint':
      return ofConstraint(difference);
    case 'index':
      return ofIndex(difference);
    case 'rule':
      if (difference.how !== 'ADDED') return undefined;
      return name.startsWith('policy ') ? `DROP POLICY ${name.slice('policy '.length)}` : `DROP RULE ${name}`;
    case 'function':
      return difference.how === 'CHANGED' ? ofFunction(name, difference.expected, difference.properties) : undefined;
    case 'grant':
      return ofGrant(difference);
    default:
      return undefined;
  }
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  login: 'NOLOGIN',
  superuser: 'NOSUPERUSER',
  createsRoles: 'NOCREATEROLE',
  createsDatabases: 'NOCREATEDB',
  replicates: 'NOREPLICATION',
  bypassesRowSecurity: 'NOBYPASSRLS',
};

function ofRole(name: string, found: Properties, properties: readonly string[]): string {
  const attributes = properties.map((property) => ATTRIBUTES[property]).filter((word) => word !== undefined);
  return [
    ...(attributes.length > 0 ? [`ALTER ROLE ${name} ${attributes.join(' ')}`] : []),
    ...(properties.includes('memberOf') ? [`REVOKE ${found.memberOf} FROM ${name}`] : []),
    ...(properties.includes('settings')
      ? [`ALTER ROLE ${name} RESET ALL`, `ALTER ROLE ${name} IN DATABASE ${DATABASE} RESET ALL`]
      : []),
  ].join('; ');
}

/** Stands for the database's name, which a catalogue does not know. */
const DATABASE = '‹this database›';

function ofTable(difference: Difference): string | undefined {
  if (difference.how !== 'CHANGED' || difference.properties.length !== 1) return undefined;
  const { name, expected, properties } = difference;
  if (properties[0] === 'owner') return `ALTER TABLE ${name} OWNER TO ${expected.owner}`;
  if (properties[0] === 'logged') return `ALTER TABLE ${name} SET LOGGED`;
  if (properties[0] === 'rowSecurity') {
    return `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY`;
  }
  return undefined;
}

function ofTrigger(difference: Difference): string {
  const [trigger, table] = partsOf(difference.name);
  const drop = `DROP TRIGGER ${trigger} ON ${table}`;
  if (difference.how === 'ADDED') return drop;
  const fires = `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`;
  if (difference.how === 'MISSING') return `${difference.expected.definition}; ${fires}`;
  return difference.properties.includes('definition') ? `${drop}; ${difference.expected.definition}; ${fires}` : fires;
}

function ofConstraint(difference: Difference): string | undefined {
  const [constraint, table] = partsOf(difference.name);
  const drop = `ALTER TABLE ${table} DROP CONSTRAINT ${constraint}`;
  if (difference.how === 'ADDED') return drop;
  const add = `ALTER TABLE ${table} ADD CONSTRAINT ${constraint} ${difference.expected.definition}`;
  if (difference.how === 'MISSING') return add;
  if (difference.properties.includes('enforced')) return undefined;
  return `${drop}; ${add}`;
}

function ofIndex(difference: Difference): string {
  const [index] = partsOf(difference.name);
  const drop = `DROP INDEX ${index}`;
  if (difference.how === 'ADDED') return drop;
  if (difference.how === 'MISSING') return String(difference.expected.definition);
  return difference.properties.includes('definition')
    ? `${drop}; ${difference.expected.definition}`
    : `REINDEX INDEX ${index}`;
}

const SETTABLE: Readonly<Record<string, (expected: Properties) => string>> = {
  owner: ({ owner }) => `OWNER TO ${owner}`,
  securityDefiner: ({ securityDefiner }) => `SECURITY ${securityDefiner ? 'DEFINER' : 'INVOKER'}`,
  settings: ({ settings }) => (settings ? `SET ${settings}` : 'RESET ALL'),
};

function ofFunction(name: string, expected: Properties, properties: readonly string[]): string | undefined {
  if (!properties.every((property) => property in SETTABLE)) return undefined;
  return properties.map((property) => `ALTER FUNCTION ${name} ${SETTABLE[property]!(expected)}`).join('; ');
}

/** `INSERT on ledger.entry to somebody`, as a statement. */
function ofGrant({ name, how }: Difference): string | undefined {
  const [, privilege, thing, grantee] = /^(\S+) on (.+) to (\S+|".+")$/s.exec(name) ?? [];
  if (!privilege || !thing || !grantee) return undefined;
  const [, kind] = /^later (\w+)$/.exec(thing) ?? [];
  const verb = how === 'MISSING' ? 'GRANT' : 'REVOKE';
  const whom = `${how === 'MISSING' ? 'TO' : 'FROM'} ${grantee}`;
  if (kind) {
    return `ALTER DEFAULT PRIVILEGES FOR ROLE access_ledger_owner ${verb} ${privilege} ON ${kind.toUpperCase()} ${whom}`;
  }
  if (how === 'CHANGED') return `REVOKE GRANT OPTION FOR ${onThing(privilege, thing)} ${whom}`;
  return `${verb} ${onThing(privilege, thing)} ${whom}`;
}

function onThing(privilege: string, thing: string): string {
  if (thing === 'this database') return `${privilege} ON DATABASE ${DATABASE}`;
  const [, of, rest] = /^(schema|function) (.+)$/s.exec(thing) ?? [];
  if (of) return `${privilege} ON ${of.toUpperCase()} ${rest}`;
  const [, table, column] = /^(.+) (\(.+\))$/s.exec(thing) ?? [];
  return table ? `${privilege} ${column} ON ${table}` : `${privilege} ON ${thing}`;
}

/** `append_only on ledger.entry`, in its two names. */
function partsOf(name: string): [string, string] {
  const at = name.lastIndexOf(' on ');
  return [name.slice(0, at), name.slice(at + ' on '.length)];
}
