/**
 * An issuer's keys: found through its discovery document (OpenID Connect Discovery 1.0, section 4), cached, and fetched
 * again when a token names a key that is not among them, so that rotated keys are picked up.
 */
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { isLoopback } from './setting.js';
import { Unauthenticated } from './unauthenticated.js';

export interface KeyTimes {
  /** How long published keys are trusted without asking again, in milliseconds. */
  readonly maxAge: number;
  /** The least time between two fetches for unknown keys, in milliseconds: unknown keys cannot flood the issuer. */
  readonly cooldown: number;
  /** How long a fetch may take, in milliseconds. */
  readonly timeout: number;
}

export const KEY_TIMES: KeyTimes = { maxAge: 300_000, cooldown: 10_000, timeout: 5_000 };

/** Nothing is fetched before the first token, so a server starts while its issuer is down. */
export function issuerKeys(issuer: string, times: KeyTimes = KEY_TIMES): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  const find = (): Promise<JWTVerifyGetKey> => {
    if (found) return found;
    if (performance.now() - failedAt < 1_000) return Promise.reject(new Unauthenticated('ISSUER_UNREACHABLE'));
    found = discover(issuer, times.timeout).then((url) =>
      createRemoteJWKSet(url, {
        cacheMaxAge: times.maxAge,
        cooldownDuration: times.cooldown,
        timeoutDuration: times.timeout,
      }),
    );
    found.catch(() => {
      found = null;
      failedAt = performance.now();
    });
    return found;
  };
  return async (header, token) => (await find())(header, token);
}

async function discover(issuer: string, timeout: number): Promise<URL> {
  let document: unknown;
  try {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeout) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    document = await response.json();
  } catch (cause) {
    throw new Unauthenticated('ISSUER_UNREACHABLE', { cause });
  }
  const { issuer: named, jwks_uri: keys } = (document ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  const url = typeof keys === 'string' && URL.canParse(keys) ? new URL(keys) : null;
  // Section 4.3: a document that names another issuer must not be used.
  if (named !== issuer || !url || !(url.protocol === 'https:' || isLoopback(url.hostname))) {
    throw new Unauthenticated('ISSUER_UNREACHABLE', { cause: new Error('the discovery document does not fit') });
  }
  return url;
}
