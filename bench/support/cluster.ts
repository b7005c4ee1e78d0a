/**
 * A fresh embedded PostgreSQL for one bench, as durable as a deployment's, in a folder that is gone afterwards.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Embedded, startEmbedded } from '../../src/database/embedded.js';

export interface Cluster {
  /** A `DATA_DIR`: a server that is started with it uses this PostgreSQL. */
  readonly folder: string;
  readonly embedded: Embedded;
  /** Makes an empty database and answers the superuser's URL of it. */
  database(name: string): Promise<string>;
  close(): Promise<void>;
}

export async function freshCluster(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'access-ledger-bench-'));
  // Run as root, PostgreSQL is another user, who has to get in.
  await chmod(folder, 0o711);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const embedded = await startEmbedded({ dataDir: folder });
    return {
      folder,
      embedded,
      async database(name) {
        const client = new pg.Client({ connectionString: embedded.url() });
        await client.connect();
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`).finally(() => client.end());
        return embedded.url(name);
      },
      async close() {
        await embedded.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
