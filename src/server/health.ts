/**
 * Health answers two questions of the machinery around us, without a token: is the process alive, and may it be sent
 * requests? It says which part is missing, by a name of ours, and nothing about it.
 */
import type { FastifyInstance } from 'fastify';

export interface Readiness {
  readonly ready: boolean;
  /** What was looked at, such as `database`, and whether it answered. */
  readonly checks: Readonly<Record<string, boolean>>;
}

export type CheckReadiness = () => Promise<Readiness>;

/** Anybody may ask, so asking must cost nothing: within this time an answer is repeated. */
const FRESH_MS = 500;
const PATIENCE_MS = 2_000;

const UNKNOWN: Readiness = { ready: false, checks: {} };

export function addHealth(app: FastifyInstance, check: CheckReadiness, draining: () => boolean): void {
  const ask = fresh(check);
  app.get('/health/live', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }));
  app.get('/health/ready', async (_, reply) => {
    const { ready, checks } = draining() ? UNKNOWN : await ask();
    reply.header('cache-control', 'no-store').status(ready ? 200 : 503);
    return reply.send({ status: ready ? 'ready' : draining() ? 'stopping' : 'not ready', checks });
  });
}

function fresh(check: CheckReadiness): CheckReadiness {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<Readiness> = Promise.resolve(UNKNOWN);
  return () => {
    if (performance.now() - asked > FRESH_MS) {
      asked = performance.now();
      answer = Promise.race([check().catch(() => UNKNOWN), unknownAfter(PATIENCE_MS)]);
    }
    return answer;
  };
}

function unknownAfter(ms: number): Promise<Readiness> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, UNKNOWN).unref();
  });
}
