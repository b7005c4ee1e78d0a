/**
 * Health answers two questions of the machinery around us, without a token: is the process alive, and may it be sent
 * requests? It says which part is missing, by a name of ours, and nothing about it.
 */
import type { FastifyInstance } from 'fastify';

/** By a name of ours, such as `database`: whether that part answers. */
export type Checks = Readonly<Record<string, () => Promise<boolean>>>;

type Found = Readonly<Record<string, boolean>>;

/** Anybody may ask, so asking must cost nothing: within this time an answer is repeated. */
const FRESH_MS = 500;
/** What has not answered by then is missing. Each part has this time for itself. */
const PATIENCE_MS = 2_000;

export function addHealth(app: FastifyInstance, checks: Checks, draining: () => boolean): void {
  const ask = fresh(checks);
  app.get('/health/live', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'live' }));
  app.get('/health/ready', async (_, reply) => {
    const found = draining() ? null : await ask();
    const ready = found !== null && Object.values(found).every(Boolean);
    reply.header('cache-control', 'no-store').status(ready ? 200 : 503);
    return reply.send({ status: ready ? 'ready' : found ? 'not ready' : 'stopping', checks: found ?? {} });
  });
}

function fresh(checks: Checks): () => Promise<Found> {
  const looks = Object.entries(checks).map(([name, check]) => [name, patient(check)] as const);
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<Found> = Promise.resolve({});
  const look = async (): Promise<Found> =>
    Object.fromEntries(await Promise.all(looks.map(async ([name, one]) => [name, await one()] as const)));
  return () => {
    if (performance.now() - asked > FRESH_MS) {
      asked = performance.now();
      answer = look();
    }
    return answer;
  };
}

/** A check that still hangs is not begun again: those who ask must not fill a pool with what nobody answers. */
function patient(check: () => Promise<boolean>): () => Promise<boolean> {
  let underWay: Promise<boolean> | null = null;
  return () => {
    underWay ??= check()
      .catch(() => false)
      .finally(() => {
        underWay = null;
      });
    return Promise.race([underWay, falseAfter(PATIENCE_MS)]);
  };
}

function falseAfter(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, false).unref();
  });
}
