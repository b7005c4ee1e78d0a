/**
 * The PostgreSQL of a process that runs tests: an embedded one in a folder of its own, begun by the first test that asks and
 * gone after the last; or, with `TEST_DATABASE_URL` (a superuser's), that server. Each test has its own databases on it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { isAlive } from '../../src/database/embedded/program.js';
import { type Embedded, findEmbedded, startEmbedded } from '../../src/database/embedded.js';

export interface TestDatabase {
  readonly name: string;
  /** A superuser's. */
  readonly url: string;
  /** With the sessions that are still open in it. */
  drop(): Promise<void>;
}

/** Then the pid, so that the next run can tell what a dead one left behind. */
const FOLDER = 'access-ledger-test-';

let server: Promise<string> | null = null;
let embedded: Embedded | null = null;
let folder: string | null = null;
const left = new Set<string>();

/** The superuser's URL of the server. */
export function testServer(): Promise<string> {
  server ??= process.env.TEST_DATABASE_URL ? Promise.resolve(process.env.TEST_DATABASE_URL) : begin();
  return server;
}

/**
 * @param template the name of a database to copy, with all it holds; nobody may be connected to it
 */
export async function freshDatabase({ template = 'template0' } = {}): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  const encoding = template === 'template0' ? " ENCODING 'UTF8'" : '';
  await asSuperuser(`CREATE DATABASE ${name} TEMPLATE "${template}"${encoding}`);
  left.add(name);
  const url = new URL(await testServer());
  url.pathname = `/${name}`;
  const drop = async () => {
    await dropDatabase(name);
    left.delete(name);
  };
  return { name, url: url.href, drop };
}

/** A folder that PostgreSQL's own account can enter, as a folder of mkdtemp is not; the caller removes it. */
export async function openFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  await chmod(made, 0o711);
  return made;
}

/** Ends what runs in such a folder, and removes it. */
export async function closeFolder(folder: string): Promise<void> {
  const found = await findEmbedded(folder).catch(() => null);
  if (found?.running) process.kill(found.running.pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 9 });
}

/** The column `it` of a statement's first row, by a connection of its own. */
export async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ it: unknown }>(sql);
    return rows[0]?.it;
  } finally {
    await client.end();
  }
}

/** The code that something fails with; null if it does not. */
export async function codeOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => null,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );
}

/** Sessions that have just said good-bye may still be there for a moment; those that stay are ended. */
async function dropDatabase(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: await testServer() });
  await client.connect();
  try {
    const busy = async () =>
      (await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [name])).rowCount !== 0;
    for (let tries = 0; tries < 20 && (await busy()); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: await testServer() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function begin(): Promise<string> {
  await sweep();
  folder = await openFolder();
  embedded = await startEmbedded({ dataDir: folder, durable: false });
  process.once('exit', abandon);
  if (process.env.MOCHA_WORKER_ID)
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  return embedded.url();
}

/** What runs that were killed left behind. Another user's is theirs to remove. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^access-ledger-test-(\d+)-/.exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    const path = join(tmpdir(), name);
    try {
      await closeFolder(path);
    } catch (error) {
      process.stderr.write(`left as it is: ${path} (${error instanceof Error ? error.message : error})\n`);
    }
  }
}

/**
 * A process that ends without the last step of its run: after Ctrl-C, or because it is one of several, which mocha ends.
 * All that is left to do must be done at once.
 */
function abandon(): void {
  if (!embedded || !folder) return;
  process.kill(embedded.pid, 'SIGQUIT');
  const pidFile = join(folder, 'postgres', 'postmaster.pid');
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 200 && existsSync(pidFile); tries++) Atomics.wait(nap, 0, 0, 10);
  rmSync(folder, { recursive: true, force: true, maxRetries: 9, retryDelay: 20 });
}

/** The run's last step. Where it has several processes, this one has begun no server. */
export async function mochaGlobalTeardown(): Promise<void> {
  if (!server) return;
  if (embedded && folder) {
    await embedded.stop();
    embedded = null;
    await rm(folder, { recursive: true, force: true });
  } else {
    for (const name of left) await asSuperuser(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}
