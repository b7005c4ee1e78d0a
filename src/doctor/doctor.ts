/**
 * The doctor examines a database for what would let its log be bypassed without anybody noticing: objects that are not what
 * the migrations made, logins that may more than they should, rows and entries that do not agree, values that are not
 * sealed, clocks, keys and checkpoints that lag.
 *
 * It asks the database, and a superuser who wants to deceive can have it answer anything. It finds mistakes, drift and what
 * was left behind; against deceit there is evidence held elsewhere (src/log/verify.ts).
 */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { sqlStateOf } from '../database/fault.js';
import { readAccess, settingFindings } from './access.js';
import { type Catalogue, readCatalogue } from './catalogue.js';
import { checkpointFindings } from './checkpoints.js';
import { clockFindings } from './clock.js';
import { eventFindings, migrationFindings } from './declared.js';
import { differences } from './differences.js';
import { type DoctorFinding, isFault } from './finding.js';
import { type KekDates, type KekUse, kekFindings, readKekUse } from './key-ages.js';
import { findingOf } from './objects.js';
import { rowFinding } from './row-finding.js';
import { WALKS } from './rows.js';
import { blocksOf, type Walk, type Wrong, walk } from './walk.js';

export interface Examination {
  /** Of the machine that this runs on. */
  readonly now: () => Date;
  /** What the key file says; null where it is not at hand. */
  readonly keks: readonly KekDates[] | null;
  /** The servers' logins; null where nobody says which they are. */
  readonly servers: readonly string[] | null;
  /** Is told how many rows were looked at so far, and which share of all. */
  readonly onRows: (rows: number, share: number) => void;
}

export interface Diagnosis {
  readonly healthy: boolean;
  readonly findings: readonly DoctorFinding[];
  /** What this login, or what was given, did not suffice for. */
  readonly unchecked: readonly string[];
  /** How many rows were looked at, by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly keks: readonly KekUse[];
  /** The logins that may become access_ledger_writer. */
  readonly writers: readonly string[];
}

export type NotExaminable = 'NO_LOG' | 'NO_READER';

export class DoctorError extends Error {
  override readonly name = 'DoctorError';
  constructor(readonly code: NotExaminable) {
    super(code === 'NO_LOG' ? 'this database holds no log' : 'this login may not read the log');
  }
}

/**
 * @param client in a transaction that reads only, of one snapshot, with the search path pg_catalog
 * @throws DoctorError; pg's own errors where the connection is lost
 */
export async function examine(client: pg.ClientBase, { now, keks, servers, onRows }: Examination): Promise<Diagnosis> {
  await becomeReader(client);
  const findings: DoctorFinding[] = [];
  const denied: string[] = [];
  /** Looks at a part; where PostgreSQL refuses it, goes on with the others. */
  const look = async <T>(at: string, part: () => Promise<T>): Promise<T | null> => {
    const { seen, state } = await attempt(client, part);
    if (state === '42501') denied.push(at);
    else if (state !== null) findings.push(unreadable(at, state));
    return seen;
  };
  const find = async (at: string, part: () => Promise<Iterable<DoctorFinding>>) => {
    findings.push(...((await look(at, part)) ?? []));
  };

  await find('which migrations were made', () => migrationFindings(client));
  await find('the catalogue', () => objectFindings(client));
  const access = await look('the logins', () => readAccess(client, servers));
  findings.push(...(access?.findings ?? []));
  await find('the settings', () => settingFindings(client));
  await find('the clock', () => clockFindings(client, now));
  await find('the events', () => eventFindings(client));
  await find('the checkpoints', () => checkpointFindings(client));
  const uses = (await look('how old keys are', () => readKekUse(client, keks))) ?? [];
  if (keks) findings.push(...kekFindings(uses, keks, now()));
  const walked = await walkAll(client, look, onRows);
  findings.push(...walked.wrong.map(rowFinding));

  const writers = access?.writers ?? [];
  return {
    healthy: !findings.some(isFault),
    findings,
    unchecked: [
      ...(denied.length > 0 ? [`this login may not read: ${[...new Set(denied)].join(', ')}`] : []),
      ...(keks ? [] : ['until when KEKs wrap, and whether all keys open: no key file is given']),
      ...(servers || writers.length < 2 ? [] : [`which of ${writers.join(', ')} are logins of servers: nobody says`]),
    ],
    rows: walked.rows,
    keks: uses,
    writers,
  };
}

type Look = <T>(at: string, part: () => Promise<T>) => Promise<T | null>;

/** @returns what was seen, or the SQLSTATE of the refusal; PostgreSQL's own words may quote a row */
async function attempt<T>(
  client: pg.ClientBase,
  part: () => Promise<T>,
): Promise<{ seen: T; state: null } | { seen: null; state: string }> {
  await client.query('SAVEPOINT part');
  try {
    const seen = await part();
    await client.query('RELEASE SAVEPOINT part');
    return { seen, state: null };
  } catch (error) {
    const state = sqlStateOf(error);
    // Without a connection, or when PostgreSQL goes down or was told to stop, there is nothing to go on with.
    if (!state || /^(08|57)/.test(state)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT part');
    return { seen: null, state };
  }
}

function unreadable(at: string, state: string): DoctorFinding {
  return {
    code: 'UNREADABLE',
    what: `${at}: PostgreSQL refuses to read it (${state})`,
    remedy: 'mend what the other findings name, and run this again; otherwise see the log of PostgreSQL',
  };
}

/** The session's own rights where they suffice, or else those of a role that it may take. */
async function becomeReader(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ log: boolean }>("SELECT to_regnamespace('ledger') IS NOT NULL AS log");
  if (!rows[0]!.log) throw new DoctorError('NO_LOG');
  // Where rows were hidden from this login, there is an error instead.
  await client.query('SET LOCAL row_security = off');
  if (await mayRead(client, 'registry', 'record_version')) return;
  for (const role of ['access_ledger_reader', 'access_ledger_reviewer']) {
    if ((await attempt(client, () => client.query(`SET LOCAL ROLE ${role}`))).state === null) break;
  }
  if (!(await mayRead(client, 'ledger', 'entry'))) throw new DoctorError('NO_READER');
}

/** A table that is not there may be read: that it is missing is found elsewhere. */
async function mayRead(client: pg.ClientBase, schema: string, table: string): Promise<boolean> {
  const { rows } = await client.query<{ it: boolean }>(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS it
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  );
  return rows[0]?.it ?? true;
}

async function objectFindings(client: pg.ClientBase): Promise<DoctorFinding[]> {
  const { rows } = await client.query<{ name: string }>('SELECT quote_ident(current_database()) AS name');
  const found = await readCatalogue(client);
  return differences(readMade(), found).map((difference) => findingOf(difference, rows[0]!.name));
}

/** What the migrations make. */
export function readMade(): Catalogue {
  return JSON.parse(readFileSync(new URL('../../schema/catalogue.json', import.meta.url), 'utf8')) as Catalogue;
}

async function walkAll(
  client: pg.ClientBase,
  look: Look,
  onRows: Examination['onRows'],
): Promise<{ wrong: Wrong[]; rows: Record<string, number> }> {
  const wrong: Wrong[] = [];
  const rows: Record<string, number> = {};
  const sized: { readonly one: Walk; readonly blocks: number }[] = [];
  for (const one of WALKS) sized.push({ one, blocks: (await look(one.table, () => blocksOf(client, one.table))) ?? 0 });
  const all = sized.reduce((sum, { blocks }) => sum + blocks, 0);
  let [doneBlocks, doneRows] = [0, 0];
  for (const { one, blocks } of sized) {
    const walked = await look(one.title ?? one.table, () =>
      walk(client, one, blocks, (seen, share) => onRows(doneRows + seen, (doneBlocks + share * blocks) / all)),
    );
    doneBlocks += blocks;
    doneRows += walked?.rows ?? 0;
    if (walked) rows[one.table] ??= walked.rows;
    wrong.push(...(walked?.wrong ?? []));
  }
  return { wrong, rows };
}
