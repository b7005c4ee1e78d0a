/**
 * `npm run bench -- append`: entries into the log, against rows of the same columns and indexes by a plain multi-row
 * INSERT. Both are grouped by the same means, take the same bodies, and commit as durably.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { grouping } from '../src/database/grouping.js';
import { migrate } from '../src/database/migrating.js';
import { openDataSource, openPool } from '../src/database/pools.js';
import { createLedger } from '../src/ledger/ledger.js';
import { type Body, formatBody } from '../src/log/entry.js';
import { freshCluster } from './support/cluster.js';
import { median, table } from './support/table.js';
import { Traffic } from './support/traffic.js';

const ROUNDS = 9;

interface Load {
  readonly what: string;
  readonly clients: number;
  readonly batch: number;
  /** In a round. */
  readonly entries: number;
}

const LOADS: readonly Load[] = [
  { what: 'one by one', clients: 1, batch: 1, entries: 1_000 },
  { what: '16 clients', clients: 16, batch: 1, entries: 6_000 },
  { what: 'batches of 100', clients: 1, batch: 100, entries: 10_000 },
  { what: '16 clients, batches of 100', clients: 16, batch: 100, entries: 16_000 },
];

type Write = (bodies: readonly Body[]) => Promise<unknown>;

export async function append(): Promise<void> {
  const cluster = await freshCluster();
  try {
    const url = await cluster.database('bench');
    await migrate(url, 'postgres', 'localhost/bench');
    const pool = openPool(url, 'access_ledger_writer', 4);
    const source = await openDataSource(url, 'access_ledger_writer', 1, []);
    const plain = new pg.Pool({ connectionString: url, max: 4 });
    try {
      await plain.query(PLAIN_TABLE);
      const ledger = createLedger({ log: 1, pool, source });
      const rows = await measure((bodies) => ledger.append(bodies), plainWriter(plain));
      const head = ['entries/s', 'log', 'plain INSERT', 'ratio', 'reach'];
      process.stdout.write(`${table(head, rows)}\n`);
    } finally {
      await source.destroy();
      await Promise.all([pool.end(), plain.end()]);
    }
  } finally {
    await cluster.close();
  }
}

async function measure(log: Write, plain: Write): Promise<(string | number)[][]> {
  const traffic = new Traffic();
  let size = 0;
  const rows: (string | number)[][] = [];
  for (const load of LOADS) {
    const rates: { log: number; plain: number }[] = [];
    // One round more than counts: the first warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const rate = { log: 0, plain: 0 };
      for (const side of round % 2 === 0 ? (['log', 'plain'] as const) : (['plain', 'log'] as const)) {
        const at = new Date();
        const bodies = Array.from({ length: load.entries }, () => traffic.body(at, size));
        rate[side] = await rateOf(side === 'log' ? log : plain, bodies, load);
        if (side === 'log') size += load.entries;
      }
      if (round > 0) rates.push(rate);
    }
    const ratio = median(rates.map((rate) => rate.log / rate.plain));
    const reach = load.batch > 1 ? '15,000 and 0.50' : '';
    rows.push([
      load.what,
      median(rates.map((rate) => rate.log)),
      median(rates.map((rate) => rate.plain)),
      ratio,
      reach,
    ]);
  }
  return rows;
}

/** Entries a second, while each client writes a batch as soon as its last is answered. */
async function rateOf(write: Write, bodies: readonly Body[], { clients, batch }: Load): Promise<number> {
  let next = 0;
  const client = async () => {
    while (next < bodies.length) {
      const from = next;
      next += batch;
      // Made before, and stamped when written: on a machine that is busy with others a round may take longer than the 5 s
      // that a body may be old.
      const at = new Date().toISOString();
      await write(bodies.slice(from, from + batch).map((body) => ({ ...body, at })));
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return bodies.length / ((performance.now() - began) / 1000);
}

const PLAIN_TABLE = `
  CREATE TABLE public.plain (LIKE ledger.entry INCLUDING CONSTRAINTS INCLUDING INDEXES);
  CREATE SEQUENCE public.plain_index MINVALUE 0 CACHE 200`;

const PLAIN_INSERT = `
  INSERT INTO public.plain (log, index, id, link, leaf, subject, nth, actor, event, outcome, purpose, request, at)
  SELECT 1, nextval('public.plain_index'), id, link, leaf, subject, CASE WHEN subject IS NOT NULL THEN 1 END, actor, event,
    outcome, purpose, request, at
  FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::uuid[],
    $10::timestamptz[]) AS n(id, link, leaf, subject, actor, event, outcome, purpose, request, at)`;

/** Grouped as the ledger groups. It hashes nothing and looks up nothing. */
function plainWriter(pool: pg.Pool): Write {
  const link = createHash('sha256').digest();
  return grouping<readonly Body[], null>({
    async send(groups) {
      const bodies = groups.flat();
      const column = <T>(of: (body: Body) => T) => bodies.map(of);
      await pool.query({
        name: 'plain',
        text: PLAIN_INSERT,
        values: [
          column(({ id }) => id),
          column(() => link),
          column(formatBody),
          column(({ subject }) => subject ?? null),
          column(({ actor }) => actor.id),
          column(({ event }) => event),
          column(({ outcome }) => outcome),
          column(({ purpose }) => purpose ?? null),
          column(({ request }) => request),
          column(({ at }) => at),
        ],
      });
      return groups.map(() => null);
    },
    weight: (bodies) => bodies.length,
    fullGroup: 200,
    lanes: 2,
    unanswered: () => new Error('the plain INSERT did not answer in time'),
  });
}
