/**
 * A core over HTTP, as a server of its own: tokens are names of actors.
 */
import { Writable } from 'node:stream';
import { readingSession } from '../../src/domain/log/reading-session.js';
import type { Actor } from '../../src/log/entry.js';
import type { Core } from '../../src/server/core.js';
import { createHttp } from '../../src/server/http.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/server/limits.js';
import { createLog } from '../../src/server/log.js';
import { createTelemetry } from '../../src/server/telemetry.js';
import { Unauthenticated } from '../../src/server/unauthenticated.js';
import { apiSchema } from './gate.js';

export interface Served {
  readonly url: string;
  /** A document for the actor of this name. */
  stream(name: string, query: string, variables: object, signal?: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

export async function serve(core: Core, actors: Record<string, Actor>, limits: Partial<Limits> = {}): Promise<Served> {
  const telemetry = createTelemetry();
  const callers = Object.fromEntries(
    Object.keys(actors).map((subject) => [
      `Bearer ${subject}`,
      { issuer: 'https://a.example.com', subject, roles: ['security-reviewer' as const], expires: 2 ** 40 },
    ]),
  );
  const http = await createHttp({
    schema: await apiSchema(),
    authenticate: async (authorization = '') => {
      const caller = callers[authorization];
      if (!caller) throw new Unauthenticated('TOKEN_MISSING');
      return caller;
    },
    contextFor: async ({ subject }, { id, entries, signal }) =>
      core.contextFor({ actor: actors[subject]!, request: id, entries, signal }),
    published: {
      tree: core.tree,
      quorum: 0,
      now: () => new Date(),
      enterReading: async ({ subject }, request) => {
        await readingSession(core.contextFor({ actor: actors[subject]!, request }), 'tile');
      },
    },
    checks: {},
    limits: { ...DEFAULT_LIMITS, rate: { operations: 100_000, seconds: 60 }, ...limits },
    onSuppressed: async () => {},
    introspection: false,
    log: createLog({ level: 'error', to: new Writable({ write: (_chunk, _encoding, done) => done() }) }),
    telemetry,
  });
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    stream: (name, query, variables, signal) => openStream(url, { name, query, variables, signal }),
    async close() {
      await http.close(2_000);
      telemetry.close();
    },
  };
}

interface Asked {
  readonly name: string;
  readonly query: string;
  readonly variables: object;
  readonly signal?: AbortSignal | undefined;
}

export function openStream(url: string, { name, query, variables, signal }: Asked): Promise<Response> {
  return fetch(`${url}/graphql/stream`, {
    method: 'POST',
    headers: { authorization: `Bearer ${name}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
    ...(signal && { signal }),
  });
}
