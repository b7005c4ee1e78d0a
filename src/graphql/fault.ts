/**
 * A fault is an error that is no decision: a request that cannot be understood, authenticated, afforded or served.
 * Decisions are refusals, and stand in the log; faults stand nowhere, so their `clause`, `missing` and `entry` are null.
 *
 *     { "message": "The bearer token has expired. Get a new one from the issuer.",
 *       "extensions": { "code": "TOKEN_EXPIRED", "clause": null, "missing": null, "entry": null } }
 *
 * Every fault of the system stands here, once, with the HTTP status it has where it answers a whole request.
 */
import { GraphQLError } from 'graphql';

interface FaultText {
  /** The status of a response that holds nothing but this fault. */
  readonly status: number;
  readonly message: string;
  /** What the person who reads the message can do. */
  readonly advice: string;
}

export const FAULTS = {
  TOKEN_MISSING: { status: 401, message: 'There is no bearer token.', advice: 'Send Authorization: Bearer <token>.' },
  TOKEN_MALFORMED: { status: 401, message: 'The bearer token is no signed JWT.', advice: 'Send an access token.' },
  TOKEN_EXPIRED: { status: 401, message: 'The bearer token has expired.', advice: 'Get a new one from the issuer.' },
  TOKEN_NOT_YET_VALID: {
    status: 401,
    message: 'The bearer token is not valid yet.',
    advice: 'Compare the clocks of the issuer and of this server.',
  },
  TOKEN_WRONG_ISSUER: {
    status: 401,
    message: 'The bearer token is from another issuer.',
    advice: 'Get one from the issuer of this deployment.',
  },
  TOKEN_WRONG_AUDIENCE: {
    status: 401,
    message: 'The bearer token is for another audience.',
    advice: 'Ask the issuer for a token for this service.',
  },
  TOKEN_SIGNATURE_INVALID: {
    status: 401,
    message: 'The signature of the bearer token does not verify.',
    advice: 'Get a new token from the issuer.',
  },
  TOKEN_ALGORITHM_REFUSED: {
    status: 401,
    message: 'The bearer token is not signed with an accepted algorithm.',
    advice: 'Have the issuer sign with an asymmetric algorithm, such as ES256 or RS256.',
  },
  TOKEN_KEY_UNKNOWN: {
    status: 401,
    message: 'The bearer token is signed with a key that the issuer does not publish.',
    advice: 'Get a new token from the issuer.',
  },
  TOKEN_SUBJECT_MISSING: {
    status: 401,
    message: 'The bearer token names no subject.',
    advice: 'Have the issuer set "sub".',
  },
  TOKEN_ROLE_MISSING: {
    status: 403,
    message: 'The bearer token has no role for this.',
    advice: 'Have the issuer set the claim "access_ledger_roles".',
  },
  TOKEN_ROLES_AMBIGUOUS: {
    status: 403,
    message: 'The bearer token has more than one acting role.',
    advice: 'Get one token for each role; only "operator" may stand beside another.',
  },
  ISSUER_UNREACHABLE: {
    status: 503,
    message: 'The keys of the token issuer cannot be fetched.',
    advice: 'Try again soon.',
  },

  BAD_REQUEST: {
    status: 400,
    message: 'The request is no GraphQL request.',
    advice: 'Send JSON with "query", and if needed "variables", "operationName" and "extensions".',
  },
  BAD_INPUT: { status: 400, message: 'A given value does not fit.', advice: 'Compare it with the schema.' },
  GRAPHQL_PARSE_FAILED: { status: 400, message: 'The document is no GraphQL.', advice: 'See the location.' },
  GRAPHQL_VALIDATION_FAILED: {
    status: 400,
    message: 'The document does not fit the schema.',
    advice: 'Compare it with the schema.',
  },
  OPERATION_UNKNOWN: {
    status: 400,
    message: 'The document has no such operation.',
    advice: 'Send "operationName" where a document has several operations.',
  },
  INTROSPECTION_OFF: { status: 400, message: 'Introspection is off.', advice: 'Read schema/schema.graphql.' },
  SUBSCRIPTION_REFUSED: {
    status: 400,
    message: 'Subscriptions are not served here.',
    advice: 'Send it to /graphql/stream.',
  },
  NO_SUBSCRIPTION: {
    status: 400,
    message: 'Only subscriptions are served here.',
    advice: 'Send queries and mutations to /graphql.',
  },
  QUERY_TOO_LARGE: { status: 400, message: 'The document has too many tokens.', advice: 'Split it.' },
  QUERY_TOO_DEEP: { status: 400, message: 'The document is nested too deeply.', advice: 'Split it.' },
  QUERY_TOO_COMPLEX: { status: 400, message: 'The operation asks for too much.', advice: 'Ask for smaller pages.' },
  TOO_MANY_ALIASES: { status: 400, message: 'The document has too many aliases.', advice: 'Split it.' },
  BATCH_TOO_LARGE: { status: 413, message: 'The batch has too many operations.', advice: 'Split it.' },
  BODY_TOO_LARGE: { status: 413, message: 'The body of the request is too large.', advice: 'Split it.' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, message: 'The body is not JSON.', advice: 'Send application/json.' },
  NOT_ACCEPTABLE: {
    status: 406,
    message: 'The answer has no media type that the request accepts.',
    advice: 'Accept application/json or application/graphql-response+json.',
  },
  NOT_FOUND: { status: 404, message: 'There is nothing here.', advice: 'GraphQL is at /graphql.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This method is not served here.', advice: 'Use POST.' },
  NOT_OVER_GET: { status: 405, message: 'This operation is not served over GET.', advice: 'Use POST.' },
  CSRF_REFUSED: {
    status: 400,
    message: 'The request could have been forged by a web page.',
    advice: 'Send content-type: application/json, or a header apollo-require-preflight.',
  },
  RATE_LIMITED: { status: 429, message: 'Too many requests.', advice: 'Wait as long as Retry-After says.' },
  TOO_MANY_STREAMS: { status: 429, message: 'Too many subscriptions are open.', advice: 'End one first.' },
  TOO_MANY_VERIFICATIONS: {
    status: 429,
    message: 'Too many verifications are under way.',
    advice: 'Wait until one has ended.',
  },
  NO_SUCH_ID: { status: 404, message: 'An id names nothing.', advice: 'Compare it with what was listed.' },
  ALREADY_REGISTERED: {
    status: 409,
    message: 'Something else is registered under this.',
    advice: 'Compare it with what was listed.',
  },
  FOUND_SEVERAL: {
    status: 409,
    message: 'Several people have this value.',
    advice: 'Ask by another category.',
  },
  VERSION_CONFLICT: {
    status: 409,
    message: 'Another version stands.',
    advice: 'Read it, and send the change again with its version.',
  },
  CHECKPOINT_PENDING: {
    status: 503,
    message: 'No checkpoint covers this yet.',
    advice: 'Ask again in a second.',
  },
  TRY_AGAIN: { status: 503, message: 'Others changed the same thing at the same time.', advice: 'Try again.' },
  UNAVAILABLE: { status: 503, message: 'A part that is needed does not answer.', advice: 'Try again soon.' },
  TIMED_OUT: {
    status: 504,
    message: 'The operation took too long.',
    advice: 'It may still complete; what it read counts as read.',
  },
  INTERNAL: { status: 500, message: 'Something went wrong on our side.', advice: 'Report it with the X-Request-Id.' },
} as const satisfies Record<string, FaultText>;

export type FaultCode = keyof typeof FAULTS;

/** What every error that leaves carries, and nothing else. A refusal fills in what a fault leaves null. */
export interface ErrorExtensions {
  readonly code: string;
  readonly clause: string | null;
  readonly missing: readonly string[] | null;
  readonly entry: { readonly index: number; readonly link: string } | null;
}

export interface FaultOptions {
  /** A detail of ours, such as a limit or the name of an argument. Never a value that a client or the database gave. */
  readonly detail?: string | undefined;
  /** For the log of the server; it never leaves. */
  readonly cause?: unknown;
  /** Headers of the response, where the fault answers a whole request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class Fault extends GraphQLError {
  override readonly name: string = 'Fault';
  readonly code: FaultCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: FaultCode, { detail, cause, headers = {} }: FaultOptions = {}) {
    const { message, advice } = FAULTS[code];
    const extensions = { code, clause: null, missing: null, entry: null } satisfies ErrorExtensions;
    super(`${message}${detail === undefined ? '' : ` ${detail}`} ${advice}`, { extensions });
    if (cause !== undefined) this.cause = cause;
    this.code = code;
    this.headers = headers;
  }

  get status(): number {
    return FAULTS[this.code].status;
  }
}

/** True for a code of this list: of those that leave, the others are refusals. */
export function isFaultCode(code: unknown): code is FaultCode {
  return typeof code === 'string' && Object.hasOwn(FAULTS, code);
}
