/**
 * The plain server is what the audited one is measured against: Apollo and TypeORM over plaintext columns.
 *
 * It has the same Fastify shell, Apollo plugins, limits, rate budget, token check with its cache, logging and metrics as
 * ours, for it is made by the same `createHttp`; the same data, in tables that have the indexes its statements want; hand-written
 * statements instead of `find` and `save`; and commits that are on disk when they are answered.
 *
 * It lacks the log, encryption, purposes, need to know, versions that are kept, and roles in the database. Its statements
 * are not named, for TypeORM names none.
 *
 *     node … bench/plain/server.ts DATABASE_URL DATA_DIR    prints where it listens; ends at SIGTERM
 */
import 'reflect-metadata';
import { buildSchema } from 'type-graphql';
import { DataSource } from 'typeorm';
import { createAuthenticator } from '../../src/server/authentication.js';
import { openDemoIssuer } from '../../src/server/demo/issuer.js';
import { createHttp } from '../../src/server/http.js';
import { DEFAULT_LIMITS } from '../../src/server/limits.js';
import { createLog } from '../../src/server/log.js';
import { createTelemetry } from '../../src/server/telemetry.js';
import { type PlainContext, PlainResolver } from './resolver.js';
import { PersonalDataRow, PersonRow } from './rows.js';

/** More made it no faster on two cores. */
const CONNECTIONS = 14;

const [url, dataDir] = process.argv.slice(2);
if (!url || !dataDir) throw new Error('usage: server.ts DATABASE_URL DATA_DIR');

const source = await new DataSource({
  type: 'postgres',
  url,
  entities: [PersonRow, PersonalDataRow],
  synchronize: true,
  applicationName: 'plain',
  extra: { max: CONNECTIONS, options: '-c synchronous_commit=on -c jit=off', keepAlive: true, idleTimeoutMillis: 0 },
}).initialize();

const issuer = await openDemoIssuer(dataDir, Date.now);
const http = await createHttp<PlainContext>({
  schema: await buildSchema({ resolvers: [PlainResolver], validate: false }),
  authenticate: createAuthenticator({ ...issuer, now: Date.now }),
  contextFor: async (_caller, { id }) => ({ request: id, entries: [], source, loaders: new Map() }),
  checks: { database: async () => source.isInitialized },
  limits: { ...DEFAULT_LIMITS, rate: { operations: 1_000_000, seconds: 60 } },
  onSuppressed: async () => {},
  introspection: true,
  log: createLog({ level: 'warn' }),
  telemetry: createTelemetry(),
});
process.stdout.write(`${await http.listen({ host: 'localhost', port: 0 })}/graphql\n`);

process.once('SIGTERM', async () => {
  await http.close(1_000);
  await source.destroy();
  process.exit(0);
});
