/**
 * Two servers side by side on one fresh PostgreSQL, each a process of its own under the flags of `npm start`: ours as
 * `npm start` starts it, with the demo organisation; and the plain one, with the same people and values.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DATABASE } from '../../src/database/name.js';
import { openDemoIssuer } from '../../src/server/demo/issuer.js';
import { type Cluster, freshCluster } from './cluster.js';

export interface Rival {
  readonly name: 'ours' | 'plain';
  /** Of its GraphQL endpoint. */
  readonly url: string;
}

export interface HeldRecord {
  readonly id: string;
  readonly category: string;
  readonly version: number;
  readonly channel: string;
  readonly value: string;
}

export interface Person {
  readonly id: string;
  readonly records: readonly HeldRecord[];
}

export interface Rivals {
  readonly ours: Rival;
  readonly plain: Rival;
  /** Of the demo's support agent. Both servers take it. */
  readonly token: string;
  /** In the order of the list. */
  readonly people: readonly Person[];
  close(): Promise<void>;
}

export async function startRivals(): Promise<Rivals> {
  const cluster = await freshCluster();
  const started: ChildProcess[] = [];
  const close = async () => {
    for (const child of started.reverse()) await end(child);
    await cluster.close();
  };
  const start = (program: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
    const child = startProgram(program, args, env);
    started.push(child);
    return endpointOf(child);
  };
  try {
    const url = await start('src/server/main.ts', [], oursEnvironment(cluster));
    const issuer = await openDemoIssuer(cluster.folder, Date.now);
    const token = await issuer.issueDemoToken({ subject: 'support', role: 'support-agent', expiresIn: 36_000 });
    const people = await everybody(url, token);

    const database = await cluster.database('plain');
    const plainUrl = await start('bench/plain/server.ts', [database, cluster.folder]);
    await fill(database, people);
    for (const name of ['plain', DATABASE]) await settle(cluster.embedded.url(name));
    const rivals = { ours: { name: 'ours', url }, plain: { name: 'plain', url: plainUrl } } as const;
    return { ...rivals, token, people, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function oursEnvironment({ folder }: Cluster): NodeJS.ProcessEnv {
  return { DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'warn', REQUESTS_PER_MINUTE: '1000000' };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FLAGS = ['--import', '@oxc-node/core/register', '--max-semi-space-size=64'];

function startProgram(program: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const { PATH, HOME, TMPDIR } = process.env;
  return spawn(process.execPath, [...FLAGS, program, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The first address of a GraphQL endpoint that it prints. */
async function endpointOf(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const endpoint = /http:\S+\/graphql\b/.exec(line)?.[0];
    if (!endpoint) continue;
    child.stdout!.resume();
    return endpoint;
  }
  throw new Error('a server ended before it listened');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

export async function ask<Data>(url: string, token: string, query: string, variables: object = {}): Promise<Data> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await answer.json()) as { data: Data; errors?: { message: string }[] };
  if (errors) throw new Error(`${answer.status}: ${errors.map(({ message }) => message).join(' ')}`);
  return data;
}

interface Page {
  users: {
    edges: { node: { id: string; personalData: HeldRecord[] } }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  };
}

/** Read from ours, by the same way as anybody reads. */
async function everybody(url: string, token: string): Promise<Person[]> {
  const document = `query Everybody($after: String) { users(first: 200, after: $after) {
    edges { node { id personalData(purpose: "property-security") { id category version channel value } } }
    pageInfo { hasNextPage endCursor } } }`;
  const people: Person[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { users }: Page = await ask(url, token, document, { after });
    people.push(...users.edges.map(({ node }) => ({ id: node.id, records: node.personalData })));
    after = users.pageInfo.endCursor;
    more = users.pageInfo.hasNextPage;
  }
  return people;
}

async function fill(url: string, people: readonly Person[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('INSERT INTO person (id) SELECT unnest($1::uuid[])', [people.map(({ id }) => id)]);
    const rows = people.flatMap(({ id: person, records }) => records.map((record) => ({ ...record, person })));
    await client.query(
      `INSERT INTO personal_data (id, person, category, version, channel, value)
       SELECT id, person, category, version, channel, value FROM json_populate_recordset(NULL::personal_data, $1)`,
      [JSON.stringify(rows)],
    );
  } finally {
    await client.end();
  }
}

/** So that nobody's first round pays for the other's set-up. */
async function settle(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE').finally(() => client.end());
}
