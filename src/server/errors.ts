/**
 * What leaves when something was thrown: a message of ours and `extensions {code, clause, missing, entry}`, exactly.
 * Refusals and faults leave as they are. What graphql-js says of a document leaves without the values it quotes.
 * Everything else is INTERNAL: its message stays inside, for nobody knows what it holds.
 */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type ErrorExtensions, Fault, type FaultCode, isFaultCode } from '../graphql/fault.js';
import { causes } from './log.js';
import { sayInvalid, sayInvalidVariable, saySyntax } from './quote.js';

export interface LeavingError extends GraphQLFormattedError {
  readonly extensions: ErrorExtensions & Record<string, unknown>;
}

export function leavingError(error: unknown): LeavingError {
  const located = error instanceof GraphQLError ? error : undefined;
  const { message, extensions } = decided(error) ?? faultOf(error);
  const { code, clause, missing, entry } = extensions as unknown as ErrorExtensions;
  return {
    message,
    ...(located?.locations && { locations: located.locations }),
    ...(located?.path && { path: located.path }),
    extensions: { code, clause, missing, entry },
  };
}

/** True for an error that nobody expected: worth a line in the server's log. */
export function isInternal(error: unknown): boolean {
  return decided(error) === null && faultOf(error).code === 'INTERNAL';
}

/** A refusal: the only errors with a clause. */
function decided(error: unknown): GraphQLError | null {
  const refusal = causes(error).find((one) => one instanceof GraphQLError && isRefusal(one.extensions));
  return (refusal as GraphQLError | undefined) ?? null;
}

function isRefusal({ code, clause, missing }: Record<string, unknown>): boolean {
  return typeof code === 'string' && !isFaultCode(code) && typeof clause === 'string' && Array.isArray(missing);
}

export function faultOf(error: unknown): Fault {
  const all = causes(error);
  const fault = all.find((one) => one instanceof Fault);
  if (fault instanceof Fault) return fault;
  if (error instanceof GraphQLError && error.path === undefined) {
    const said = ofRequest(error);
    if (said) return said;
  }
  if (all.some(isArgument)) return new Fault('BAD_INPUT', { cause: error });
  return new Fault(all.map(ofDatabase).find((code) => code !== null) ?? 'INTERNAL', { cause: error });
}

/** What Apollo Server and graphql-js say of a request before a resolver runs. */
function ofRequest(error: GraphQLError): Fault | null {
  switch (error.extensions.code) {
    case 'GRAPHQL_PARSE_FAILED':
      if (/more that \d+ tokens/.test(error.message)) return new Fault('QUERY_TOO_LARGE');
      return new Fault('GRAPHQL_PARSE_FAILED', { detail: saySyntax(error) });
    case 'GRAPHQL_VALIDATION_FAILED':
      if (error.extensions.validationErrorCode === 'INTROSPECTION_DISABLED') return new Fault('INTROSPECTION_OFF');
      return new Fault('GRAPHQL_VALIDATION_FAILED', { detail: sayInvalid(error) });
    case 'BAD_USER_INPUT':
      return new Fault('BAD_INPUT', { detail: sayInvalidVariable(error) });
    case 'OPERATION_RESOLUTION_FAILURE':
      return new Fault('OPERATION_UNKNOWN');
    case 'PERSISTED_QUERY_NOT_SUPPORTED':
      return new Fault('BAD_REQUEST', { detail: 'Persisted queries are off.' });
    case 'BAD_REQUEST':
      if (/Cross-Site Request Forgery/.test(error.message)) return new Fault('CSRF_REFUSED');
      return new Fault(/^GET requests only support query/.test(error.message) ? 'NOT_OVER_GET' : 'BAD_REQUEST');
    default:
      return null;
  }
}

/** graphql-js coerces the arguments of nested fields while it executes; such an error points at the argument's value. */
function isArgument(error: unknown): boolean {
  const kind = error instanceof GraphQLError ? error.nodes?.[0]?.kind : undefined;
  return kind !== undefined && /Value$|^Variable(Definition)?$/.test(kind);
}

/** SQLSTATE classes 08, 53 and 57P0x, and Node's codes for a connection that is not there; 40001 and 40P01 pass. */
function ofDatabase(error: unknown): FaultCode | null {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return null;
  if (/^(40001|40P01)$/.test(code)) return 'TRY_AGAIN';
  return /^(08...|53...|57P0.|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/.test(code) ? 'UNAVAILABLE' : null;
}
