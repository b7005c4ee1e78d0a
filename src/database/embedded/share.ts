/**
 * A share is a server's hold on the embedded PostgreSQL of a folder. Servers of one folder each have one, and whoever lets
 * go of the last one stops PostgreSQL. It is a lock of a session of its own, so that it ends with the process whatever ends
 * that; and shares are counted by PostgreSQL, so that nobody stops it under another who is only just starting.
 */
import pg from 'pg';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../embedded.js';

export interface Share {
  readonly embedded: Embedded;
  /** One share of a folder at a time; with a superuser's connection. */
  alone<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Ends PostgreSQL in good order, unless there are other shares. */
  release(): Promise<void>;
}

/** Advisory locks, in the database `postgres`. */
const SHARED = 0x61_6c_73_68;
const ALONE = 0x61_6c_61_6c;

const TRIES = 3;

/** @throws EmbeddedPostgresError, as `startEmbedded` does */
export async function shareEmbedded(options: EmbeddedOptions): Promise<Share> {
  for (let tries = 1; ; tries++) {
    const embedded = await startEmbedded(options);
    const client = await hold(embedded).catch((error: unknown) => {
      // Whoever let go of the last share before this one is stopping it. Soon it is gone, and ours to start.
      if (tries < TRIES) return null;
      throw error;
    });
    if (client) return share(embedded, client);
  }
}

function share(embedded: Embedded, client: pg.Client): Share {
  return {
    embedded,
    async alone(work) {
      await client.query('SELECT pg_advisory_lock($1)', [ALONE]);
      try {
        return await work(client);
      } finally {
        await client.query('SELECT pg_advisory_unlock($1)', [ALONE]);
      }
    },
    async release() {
      if (await isLast(client, embedded)) await embedded.stop();
      await client.end();
    },
  };
}

async function connect(embedded: Embedded): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: embedded.url(), application_name: 'access_ledger_share' });
  // A session that is cut shows at its next use.
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function hold(embedded: Embedded): Promise<pg.Client> {
  const client = await connect(embedded);
  await client.query('SELECT pg_advisory_lock_shared($1)', [SHARED]);
  return client;
}

/** Once it is so, nobody gets another share: they wait for the lock until PostgreSQL ends. */
async function isLast(held: pg.Client, embedded: Embedded): Promise<boolean> {
  try {
    await held.query('SELECT pg_advisory_unlock_shared($1)', [SHARED]);
    return await lock(held);
  } catch {
    // PostgreSQL was killed, and may have been started again by another.
    const client = await connect(embedded).catch(() => null);
    if (client === null || (await lock(client))) return true;
    await client.end();
    return false;
  }
}

async function lock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [SHARED]);
  return rows[0]!.got;
}
