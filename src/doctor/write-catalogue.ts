/**
 * Writes schema/catalogue.json, what the migrations make of an empty database: `npm run catalogue`. A test fails where it is
 * not up to date.
 */
import { writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../database/embedded.js';
import { migrate } from '../database/migrating.js';
import { formatCatalogue, readCatalogue } from './catalogue.js';

const folder = await mkdtemp(join(tmpdir(), 'access-ledger-catalogue-'));
// PostgreSQL has an account of its own where we are root.
await chmod(folder, 0o711);
const embedded = await startEmbedded({ dataDir: folder, durable: false });
try {
  await migrate(embedded.url(), 'postgres', 'localhost/catalogue');
  const client = new pg.Client({ connectionString: embedded.url(), options: '-c search_path=pg_catalog' });
  await client.connect();
  writeFileSync('schema/catalogue.json', formatCatalogue(await readCatalogue(client)));
  await client.end();
} finally {
  await embedded.stop();
  await rm(folder, { recursive: true, force: true });
}
