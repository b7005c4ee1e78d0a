/**
 * Authentication says who calls: it turns a bearer token (RFC 6750, RFC 7519) of the deployment's one issuer into a
 * caller, or throws. Nothing else in a request says who calls: no URL, no cookie, no body.
 *
 * Roles come from the claim `access_ledger_roles`, an array of strings. A token has at most one acting role, so that a
 * person acts as one thing at a time and the log can say as what; `operator` may stand beside it. Unknown roles are
 * ignored. That somebody's engagement has ended is a fact of the gate's, not a matter of the token.
 */
import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { issuerKeys } from './issuer-keys.js';
import { Unauthenticated, type UnauthenticatedCode } from './unauthenticated.js';

export const ROLES_CLAIM = 'access_ledger_roles';

/** As what a caller acts through GraphQL. */
export const ACTING_ROLES = ['support-agent', 'privacy-officer', 'security-reviewer', 'user', 'processor'] as const;
export type ActingRole = (typeof ACTING_ROLES)[number];

/** An operator reads /metrics, and nothing else. */
export type Role = ActingRole | 'operator';

export interface Caller {
  readonly issuer: string;
  /** The token's `sub`: it stays inside the process, and never gets into the log. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** Unix time in seconds. */
  readonly expires: number;
}

/** @throws Unauthenticated */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

export interface Authentication {
  readonly issuer: string;
  readonly audience: string;
  /** By default the keys that the issuer publishes. */
  readonly keys?: JWTVerifyGetKey;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Asymmetric only: with a shared secret whoever can check a token can make one. */
const ALGORITHMS = [
  ...['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'],
  ...['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
];

/** Seconds by which the clocks of the issuer and of this server may differ. */
const LEEWAY = 5;

/** A verified token is trusted this long before its signature is checked again, so a withdrawn key does not live on. */
const TRUST_MS = 300_000;
const TRUSTED_TOKENS = 10_000;
const MAX_TOKEN_CHARACTERS = 8_192;

export function createAuthenticator({
  issuer,
  audience,
  keys = issuerKeys(issuer),
  now,
}: Authentication): Authenticate {
  const trusted = new Map<string, { caller: Caller; until: number }>();

  const trust = (digest: string, caller: Caller): Caller => {
    if (trusted.size >= TRUSTED_TOKENS) trusted.delete(trusted.keys().next().value as string);
    trusted.set(digest, { caller, until: Math.min(caller.expires * 1000, now() + TRUST_MS) });
    return caller;
  };

  return async (authorization) => {
    const token = bearer(authorization);
    const digest = hash('sha256', token, 'base64');
    const known = trusted.get(digest);
    if (known && now() < known.until) return known.caller;
    trusted.delete(digest);
    refuseForeign(token, issuer);
    return trust(digest, callerOf(await verify(token, keys, { issuer, audience, now })));
  };
}

/** RFC 6750, section 2.1. */
function bearer(authorization: string | undefined): string {
  if (authorization === undefined) throw new Unauthenticated('TOKEN_MISSING');
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) throw new Unauthenticated('TOKEN_MALFORMED');
  return token;
}

/** Looks before verifying, so that tokens of other issuers, or with algorithms of their own, make us fetch no keys. */
function refuseForeign(token: string, issuer: string): void {
  let algorithm: unknown;
  let named: unknown;
  try {
    algorithm = decodeProtectedHeader(token).alg;
    named = decodeJwt(token).iss;
  } catch (cause) {
    throw new Unauthenticated('TOKEN_MALFORMED', { cause });
  }
  if (!ALGORITHMS.includes(algorithm as string)) throw new Unauthenticated('TOKEN_ALGORITHM_REFUSED');
  if (named !== issuer) throw new Unauthenticated('TOKEN_WRONG_ISSUER');
}

async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience, now }: Pick<Authentication, 'issuer' | 'audience' | 'now'>,
): Promise<JWTPayload> {
  try {
    const verified = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: LEEWAY,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
    });
    return verified.payload;
  } catch (cause) {
    if (cause instanceof Unauthenticated) throw cause;
    throw new Unauthenticated(codeOf(cause), { cause });
  }
}

const CLAIM_CODES: Readonly<Record<string, UnauthenticatedCode>> = {
  aud: 'TOKEN_WRONG_AUDIENCE',
  iss: 'TOKEN_WRONG_ISSUER',
  nbf: 'TOKEN_NOT_YET_VALID',
};

function codeOf(error: unknown): UnauthenticatedCode {
  if (error instanceof errors.JWTExpired) return 'TOKEN_EXPIRED';
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_CODES[error.claim] ?? 'TOKEN_MALFORMED';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'TOKEN_SIGNATURE_INVALID';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'TOKEN_ALGORITHM_REFUSED';
  if (error instanceof errors.JWKSNoMatchingKey) return 'TOKEN_KEY_UNKNOWN';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'TOKEN_KEY_UNKNOWN';
  const aboutToken = [errors.JWSInvalid, errors.JWTInvalid, errors.JOSENotSupported];
  return aboutToken.some((kind) => error instanceof kind) ? 'TOKEN_MALFORMED' : 'ISSUER_UNREACHABLE';
}

function callerOf({ iss, sub, exp, [ROLES_CLAIM]: claimed }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) throw new Unauthenticated('TOKEN_SUBJECT_MISSING');
  const named: readonly unknown[] = Array.isArray(claimed) ? claimed : [];
  const acting = ACTING_ROLES.filter((role) => named.includes(role));
  const roles: Role[] = named.includes('operator') ? [...acting, 'operator'] : acting;
  if (acting.length > 1) throw new Unauthenticated('TOKEN_ROLES_AMBIGUOUS');
  if (roles.length === 0) throw new Unauthenticated('TOKEN_ROLE_MISSING');
  return { issuer: iss as string, subject: sub, roles, expires: exp as number };
}
