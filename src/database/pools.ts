/**
 * A pool is a set of connections that hold one role. The role is set when a connection starts, so nothing that runs on it
 * has more: the writer's pool is for src/ledger alone, the reader's for everything else.
 */
import pg from 'pg';
import { DataSource, type EntitySchema } from 'typeorm';

export type Role = 'access_ledger_writer' | 'access_ledger_reader' | 'access_ledger_reviewer';
export type Entity = (new () => object) | EntitySchema;

/** How long a statement of ours may take before PostgreSQL ends it, in milliseconds. */
const STATEMENT_TIMEOUT = 30_000;

/**
 * What every connection starts with. Array parameters otherwise cost a new plan for each statement; a commit that is
 * answered must be on disk; and no schema of anybody's stands before ours.
 */
function startup(role: Role): string {
  const settings: Record<string, string> = {
    role,
    search_path: 'pg_catalog',
    plan_cache_mode: 'force_generic_plan',
    synchronous_commit: 'on',
    statement_timeout: String(STATEMENT_TIMEOUT),
    default_transaction_isolation: 'read\\ committed',
    default_transaction_read_only: role === 'access_ledger_writer' ? 'off' : 'on',
    jit: 'off',
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** Connections stay: opening one costs more than ten reads, and a server that is up is seen by others of its folder. */
const KEPT = { keepAlive: true, idleTimeoutMillis: 0 };

/** Plain connections, for statements that are written out. Connecting is bounded in time: without PostgreSQL, requests fail. */
export function openPool(url: string, role: Role, size: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    options: startup(role),
    max: size,
    pipeline: true,
    connectionTimeoutMillis: 5_000,
    ...KEPT,
    application_name: role,
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
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [...entities],
    poolErrorHandler: () => {},
    connectTimeoutMS: 5_000,
    applicationName: role,
    extra: { options: startup(role), max: size, pipeline: true, ...KEPT },
  });
  return source.initialize();
}
