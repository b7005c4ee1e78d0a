/**
 * The server: from a configuration to something that answers, and back. Whatever is missing is said before it listens.
 */
import { randomUUID } from 'node:crypto';
import { declarePolicy } from '../../seeds/declarations.js';
import { seedOrganisation } from '../../seeds/organisation.js';
import { readingSession } from '../domain/log/reading-session.js';
import { recordSuppressed } from '../domain/log/suppressed.js';
import { verifierKey } from '../log/note-key.js';
import { Refusal } from '../policy/refusal.js';
import { SYSTEM } from '../policy/system.js';
import { environmentKeys, fileKeys, type KeyProvider } from '../vault/key-provider.js';
import { createActors } from './actors.js';
import { createAuthenticator } from './authentication.js';
import type { Config } from './config.js';
import { type Core, openCore } from './core.js';
import { openDatabase } from './database.js';
import { DEMO_ROLES, type DemoIssuer, openDemoIssuer } from './demo/issuer.js';
import { openDemoKeys } from './demo/keys.js';
import { createHttp } from './http.js';
import { DEFAULT_LIMITS } from './limits.js';
import { errorFields, type Log } from './log.js';
import { openLogKey } from './log-key.js';
import { openPublishing, type Publishing } from './publishing.js';
import { buildApiSchema } from './schema.js';
import { PATIENCE, type ShutdownStep } from './shutdown.js';
import { createTelemetry } from './telemetry.js';
import { openVerifying } from './verifying.js';
import { openWitnesses } from './witnesses.js';

export interface Server {
  readonly url: string;
  /** False where tokens come from a deployment's own issuer. */
  readonly demo: boolean;
  /** Whether there is a GraphiQL. */
  readonly explorer: boolean;
  /** In order; each may be given up after its patience. */
  readonly stop: readonly ShutdownStep[];
}

export interface ServerOptions {
  readonly config: Config;
  readonly log: Log;
  readonly now: () => Date;
  /** What a person may want to see of a slow start. */
  readonly tell: (line: string) => void;
  /** Breaks the start off. A server that has started is stopped by its steps. */
  readonly signal: AbortSignal;
}

/** @throws the signal's reason, once all that was started is stopped; and whatever keeps the server from starting */
export async function startServer({ config, log, now, tell, signal }: ServerOptions): Promise<Server> {
  const database = await openDatabase(config, { tell, signal });
  let core: Core | null = null;
  try {
    const keys = openKeys(config, now);
    const logKey = openLogKey(config);
    const witnesses = openWitnesses(config, logKey);
    const { fewest } = witnesses;
    const { url: databaseUrl } = database;
    const publicKey = verifierKey(logKey);
    core = await openCore({ url: databaseUrl, logKey: publicKey, keys, now, quorum: Math.max(1, fewest) });
    await declarePolicy(core);
    const issuer = config.oidc ? null : await openDemoIssuer(config.dataDir, () => now().getTime());
    if (issuer) await seedOrganisation(core, { issuer: issuer.issuer, now, tell, signal });
    signal.throwIfAborted();
    const publishing = openPublishing({ config, witnesses, key: logKey, core, log });
    const { http, telemetry, url } = await listen({ config, log, now, core, issuer, publishing, quorum: fewest });
    const work = { url: databaseUrl, log: core.parts.log, key: publicKey };
    const verifying = openVerifying({ work, verifications: core.verifications, log });
    publishing.start();
    verifying.start();
    const patience = config.shutdownSeconds * 1_000;
    const { close } = core;
    return {
      url,
      demo: issuer !== null,
      explorer: config.introspection,
      stop: [
        { name: 'requests', patience: patience + PATIENCE, run: () => http.close(patience) },
        { name: 'verifying', patience: PATIENCE, run: () => verifying.stop() },
        { name: 'publishing', patience: PATIENCE, run: () => publishing.stop() },
        { name: 'telemetry', patience: PATIENCE, run: async () => telemetry.close() },
        { name: 'connections', patience: PATIENCE, run: close },
        { name: 'database', patience: PATIENCE, run: () => database.stop() },
      ],
    };
  } catch (error) {
    await core?.close().catch((fault: unknown) => log.warn('connections did not close', errorFields(fault)));
    await database.stop();
    throw error;
  }
}

function openKeys({ kek, dataDir }: Config, now: () => Date): KeyProvider {
  if (!kek) return openDemoKeys(dataDir, now);
  return 'file' in kek ? fileKeys(kek.file, now) : environmentKeys('KEK', kek.text, now);
}

interface Listening extends Omit<ServerOptions, 'tell' | 'signal'> {
  readonly core: Core;
  readonly issuer: DemoIssuer | null;
  readonly publishing: Publishing;
  /** How many cosignatures a checkpoint is to have. */
  readonly quorum: number;
}

async function listen({ config, log, now, core, issuer, publishing, quorum }: Listening) {
  const actor = createActors(core);
  const telemetry = createTelemetry();
  const http = await createHttp({
    schema: await buildApiSchema(),
    authenticate: createAuthenticator({ ...(issuer ?? config.oidc!), now: () => now().getTime() }),
    contextFor: async (caller, { id: request, method, entries, signal }) => {
      const known = await actor(caller, request, entries);
      return core.contextFor({ actor: known, request, overGet: method === 'GET', entries, signal });
    },
    published: {
      tree: core.tree,
      quorum,
      now,
      enterReading: async (caller, request) => {
        await readingSession(core.contextFor({ actor: await actor(caller, request), request }), 'tile');
      },
    },
    checks: { ...core.checks, ...publishing.checks },
    limits: { ...DEFAULT_LIMITS, rate: { operations: config.requestsPerMinute, seconds: 60 } },
    onSuppressed: async (caller, count) => {
      const request = randomUUID();
      const known = await actor(caller, request).catch((error: unknown) => {
        if (error instanceof Refusal) return null;
        throw error;
      });
      await recordSuppressed(core.contextFor({ actor: SYSTEM, request }), { count, actor: known?.id ?? null });
    },
    introspection: config.introspection,
    ...(issuer && {
      demoToken: () => issuer.issueDemoToken({ subject: 'support', role: DEMO_ROLES.support, expiresIn: 3_600 }),
    }),
    log,
    telemetry,
  });
  const listening = new URL(await http.listen(config));
  // What it is bound to may be a number, or every interface; what people type is a name.
  listening.hostname = ['0.0.0.0', '::'].includes(config.host) ? 'localhost' : config.host;
  return { http, telemetry, url: listening.origin };
}
