/**
 * A pool is a set of connections that hold one role. The role is set when a connection starts, so nothing that runs on it
 * has more: the writer's pool is for src/ledger alone, the reader's for everything else. Each connection is asked whether it
 * is so before it is used, since a URL or a pooler could have it otherwise.
 */
import pg from 'pg';
import type { DataSource, EntitySchema } from 'typeorm';

export type Role = 'access_ledger_writer' | 'access_ledger_reader' | 'access_ledger_reviewer';
export type Entity = (new () => object) | EntitySchema;

/** How long a statement of ours may take before PostgreSQL ends it; and until we give up on its answer. */
const STATEMENT_TIMEOUT = '30s';
const ANSWER_MS = 35_000;

/**
 * How long a writer waits for a lock. The log refuses a body that is more than 5 s old, so longer were in vain; and of many
 * who wait for one row, PostgreSQL lets one wait anew when the one before it gives up, so this may be felt twice.
 */
const LOCK_TIMEOUT = '5s';

type Settings = Readonly<Record<string, string>>;

/**
 * What every connection starts with, and is checked to have, as PostgreSQL words it. Array parameters otherwise cost a new
 * plan for each statement; a commit that is answered must be on disk; and no schema of anybody's stands before ours.
 */
function promised(role: Role): Settings {
  return {
    role,
    search_path: 'pg_catalog',
    plan_cache_mode: 'force_generic_plan',
    synchronous_commit: 'on',
    statement_timeout: STATEMENT_TIMEOUT,
    default_transaction_isolation: 'read committed',
    default_transaction_read_only: role === 'access_ledger_writer' ? 'off' : 'on',
    jit: 'off',
    ...(role === 'access_ledger_writer' && { lock_timeout: LOCK_TIMEOUT, idle_in_transaction_session_timeout: '15s' }),
  };
}

/**
 * So that a writer whose machine is gone does not keep its locks. A Unix socket and some systems have none of these, so
 * nobody checks them.
 */
const GONE: Settings = {
  tcp_keepalives_idle: '10s',
  tcp_keepalives_interval: '5s',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '15s',
};

function startup(role: Role): string {
  const settings = { ...promised(role), ...(role === 'access_ledger_writer' && GONE) };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
    .join(' ');
}

/** A connection is not as it was asked for: something between us and PostgreSQL, or its URL, set it otherwise. */
export class WrongConnection extends Error {
  override readonly name = 'WrongConnection';
  constructor(
    readonly role: Role,
    /** Names of settings. */
    readonly settings: readonly string[],
  ) {
    super(`a connection of ${role} has another ${settings.join(', ')} than it was asked for: connect without a pooler`);
  }
}

const DIFFERING = `
  SELECT s.name FROM unnest($1::text[], $2::text[]) AS s(name, value)
  WHERE current_setting(s.name) IS DISTINCT FROM s.value OR (s.name = 'role' AND current_user <> s.value)`;

/** A connection is used by nobody before this has resolved. @throws WrongConnection */
async function check(client: pg.ClientBase, role: Role): Promise<void> {
  const settings = promised(role);
  const query = {
    text: DIFFERING,
    values: [Object.keys(settings), Object.values(settings)],
    query_timeout: CONNECT_MS,
  };
  const { rows } = await client.query<{ name: string }>(query);
  if (rows.length > 0)
    throw new WrongConnection(
      role,
      rows.map(({ name }) => name),
    );
}

/** Connecting is bounded in time: without PostgreSQL, requests fail. */
const CONNECT_MS = 5_000;

/** Connections stay: opening one costs more than ten reads. */
function kept(role: Role, size: number): pg.PoolConfig & { onConnect: (client: pg.ClientBase) => Promise<void> } {
  return {
    options: startup(role),
    max: size,
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 0,
    onConnect: (client) => check(client, role),
    // A reviewer reads long logs.
    ...(role !== 'access_ledger_reviewer' && { query_timeout: ANSWER_MS }),
  };
}

/** Plain connections, for statements that are written out. */
export function openPool(url: string, role: Role, size: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: role,
    ...kept(role, size),
  });
  // An idle connection that breaks is replaced at the next use; the error of a busy one reaches whoever uses it.
  pool.on('error', () => {});
  return pool;
}

/** TypeORM on connections of the same kind. */
export async function openDataSource(
  url: string,
  role: Role,
  size: number,
  entities: readonly Entity[],
): Promise<DataSource> {
  // Loaded here, as commands that open a pool need none of it, and it takes longer to load than all else that they do.
  const { DataSource } = await import('typeorm');
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [...entities],
    poolErrorHandler: () => {},
    connectTimeoutMS: CONNECT_MS,
    applicationName: role,
    extra: kept(role, size),
  });
  return source.initialize();
}
