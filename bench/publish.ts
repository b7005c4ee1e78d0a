/**
 * `npm run bench -- publish [ENTRIES]`: what publishing costs. How many entries a second the tree takes in; how long a proof
 * takes under a log of so many entries, 1,000,000 by default; and what appends lose to a publisher that runs beside them.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../src/database/migrating.js';
import { openDataSource, openPool } from '../src/database/pools.js';
import { createLedger } from '../src/ledger/ledger.js';
import { publications } from '../src/ledger/publications.js';
import { createPublisher, type Publisher } from '../src/ledger/publisher.js';
import { type TreeReader, treeReader } from '../src/ledger/tree-reader.js';
import { proveConsistency } from '../src/log/consistency.js';
import { proveInclusion } from '../src/log/inclusion.js';
import { signingKey } from '../src/log/note-key.js';
import { tiledHashes } from '../src/log/tile.js';
import { type Cluster, freshCluster } from './support/cluster.js';
import { median, quantile, table } from './support/table.js';
import { Traffic } from './support/traffic.js';

const ORIGIN = 'localhost/bench';
const KEY = signingKey(ORIGIN, new Uint8Array(32).fill(1));
const PROOFS = 2_000;
const ROUNDS = 9;
const CLIENTS = 16;
const BATCH = 100;
const ENTRIES_A_ROUND = 16_000;

export async function publish(entries = '1000000'): Promise<void> {
  const size = Number(entries);
  if (!Number.isSafeInteger(size) || size < 1_000) throw new RangeError('ENTRIES is a number from 1000 on');
  const cluster = await freshCluster();
  try {
    await proofs(cluster, size);
    await loss(cluster);
  } finally {
    await cluster.close();
  }
}

interface Opened {
  readonly url: string;
  readonly writer: pg.Pool;
  readonly tree: TreeReader;
  publisher(): Publisher;
  close(): Promise<void>;
}

async function open(cluster: Cluster, name: string): Promise<Opened> {
  const url = await cluster.database(name);
  await migrate(url, 'postgres', ORIGIN);
  const writer = openPool(url, 'access_ledger_writer', 4);
  const reader = openPool(url, 'access_ledger_reader', 2);
  const tree = treeReader(reader, 1);
  return {
    url,
    writer,
    tree,
    publisher: () =>
      createPublisher({ reader: tree, publications: publications(writer, 1, randomUUID()), key: KEY, leaseSeconds: 4 }),
    close: async () => {
      await Promise.all([writer.end(), reader.end()]);
    },
  };
}

async function proofs(cluster: Cluster, size: number): Promise<void> {
  const opened = await open(cluster, 'proofs');
  try {
    await fill(opened.url, size);
    const publisher = opened.publisher();
    const began = performance.now();
    while ((await publisher.publish()) !== 'idle');
    const seconds = (performance.now() - began) / 1_000;
    const hashes = tiledHashes(size, opened.tree);
    const any = (below: number) => Math.floor(Math.random() * below);
    const times = {
      inclusion: await each(() => proveInclusion(any(size), size, hashes)),
      consistency: await each(() => proveConsistency(1 + any(size - 1), size, hashes)),
    };
    const rows = Object.entries(times).map(([what, ms]) => [what, quantile(ms, 0.5), quantile(ms, 0.99), 5]);
    process.stdout.write(
      `${size.toLocaleString('en')} entries into tiles: ${Math.round(size / seconds).toLocaleString('en')}/s\n` +
        `${table(['proof', 'p50 ms', 'p99 ms', 'reach'], rows)}\n`,
    );
  } finally {
    await opened.close();
  }
}

async function each(work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let nth = 0; nth < PROOFS; nth++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  // What the first ones pay for planning is paid once.
  return times.slice(PROOFS / 10);
}

/** Entries of a real one's size that no ledger made: publishing and proofs look at their links alone. */
async function fill(url: string, size: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = 'ledger.entry'::regclass AND NOT indisprimary AND NOT indisunique`,
    );
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
    for (let from = 0; from < size; from += 500_000) {
      await client.query(
        `INSERT INTO ledger.entry (log, index, id, link, leaf, actor, event, outcome, request, at)
         SELECT 1, i, gen_random_uuid(), sha256(int8send(i)), repeat('x', 800), gen_random_uuid(), 'record.read', 'permitted',
           gen_random_uuid(), now() FROM generate_series($1::bigint, $2::bigint) i`,
        [from, Math.min(size, from + 500_000) - 1],
      );
    }
    await client.query('VACUUM ANALYZE ledger.entry');
  } finally {
    await client.end();
  }
}

async function loss(cluster: Cluster): Promise<void> {
  const opened = await open(cluster, 'loss');
  const source = await openDataSource(opened.url, 'access_ledger_writer', 1, []);
  try {
    const ledger = createLedger({ log: 1, pool: opened.writer, source });
    const traffic = new Traffic();
    const publisher = opened.publisher();
    const rounds = { alone: [] as number[], beside: [] as number[] };
    for (let nth = 0; nth < 2 * ROUNDS; nth++) {
      const beside = nth % 2 === 1;
      const stop = beside ? publishEverySecond(publisher) : async () => {};
      const began = performance.now();
      let left = ENTRIES_A_ROUND / BATCH;
      const client = async () => {
        while (left-- > 0) await ledger.append(Array.from({ length: BATCH }, () => traffic.body(new Date(), 0)));
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      rounds[beside ? 'beside' : 'alone'].push(ENTRIES_A_ROUND / ((performance.now() - began) / 1_000));
      await stop();
    }
    const ratio = median(rounds.beside.map((rate, nth) => rate / rounds.alone[nth]!));
    const row = ['16 clients, batches of 100', median(rounds.alone), median(rounds.beside), ratio, 0.9];
    process.stdout.write(`${table(['appends/s', 'alone', 'published', 'ratio', 'reach'], [row])}\n`);
  } finally {
    await source.destroy();
    await opened.close();
  }
}

function publishEverySecond(publisher: Publisher): () => Promise<void> {
  let going = publisher.publish();
  const timer = setInterval(() => {
    going = going.then(() => publisher.publish());
  }, 1_000);
  return async () => {
    clearInterval(timer);
    await going;
  };
}
