/**
 * What leaves when something was thrown: a message of ours and `extensions {code, clause, missing, entry}`, exactly.
 * Refusals and faults leave as they are. What graphql-js says of a document leaves without the values it quotes.
 * Everything else is INTERNAL: its message stays inside, for nobody knows what it holds.
 */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isDatabaseError, sqlStateOf } from '../database/fault.js';
import { TooMuchAtOnce } from '../gate/holdings.js';
import { TryAgain } from '../gate/try-again.js';
import { type ErrorExtensions, Fault, type FaultCode } from '../graphql/fault.js';
import { LedgerFault } from '../ledger/fault.js';
import { Refusal } from '../policy/refusal.js';
import { VaultError } from '../vault/vault-error.js';
import { causes, errorFields, type Log, stackFields } from './log.js';
import { sayInvalid, sayInvalidVariable, saySyntax } from './quote.js';

export interface LeavingError extends GraphQLFormattedError {
  readonly extensions: ErrorExtensions & Record<string, unknown>;
}

export function leavingError(error: unknown): LeavingError {
  const located = error instanceof GraphQLError ? error : undefined;
  return {
    ...said(error),
    ...(located?.locations && { locations: located.locations }),
    ...(located?.path && { path: located.path }),
  };
}

function said(error: unknown): LeavingError {
  const refusal = refusalOf(error);
  if (!refusal) {
    const { message, code } = faultOf(error);
    return { message, extensions: { code, clause: null, missing: null, entry: null } };
  }
  const { message, refused, entry } = refusal;
  const { code, clause, missing } = refused;
  const shown = entry && { index: entry.index, link: entry.link };
  return { message, extensions: { code, clause, missing, entry: shown } };
}

function refusalOf(error: unknown): Refusal | null {
  return (causes(error).find((one) => one instanceof Refusal) as Refusal | undefined) ?? null;
}

/** The status of a response that holds nothing but this error. */
export function statusOf(error: unknown): number {
  return refusalOf(error) ? 403 : faultOf(error).status;
}

/** Tells the server's log of what is not the client's doing. Its line names classes and codes, and quotes nothing. */
export function tellUnexpected(log: Log, request: string, error: unknown): void {
  if (refusalOf(error)) return;
  const { code } = faultOf(error);
  if (code !== 'INTERNAL' && code !== 'UNAVAILABLE' && code !== 'ISSUER_UNREACHABLE') return;
  log.error('a request failed', { request, answer: code, ...errorFields(error) });
  log.debug('where it failed', { request, ...stackFields(error) });
}

/** The fault that an error is, or that it leaves as. */
export function faultOf(error: unknown): Fault {
  const all = causes(error);
  const fault = all.find((one) => one instanceof Fault);
  if (fault instanceof Fault) return fault;
  if (error instanceof GraphQLError && error.path === undefined) {
    const ofDocument = requestFault(error);
    if (ofDocument) return ofDocument;
  }
  const argument = all.find(isArgument);
  if (argument) return new Fault('BAD_INPUT', { cause: error, detail: sayInvalidVariable(argument) });
  const code = all.map(coreFault).find((one) => one !== null) ?? all.map(databaseFault).find((one) => one !== null);
  return new Fault(code ?? 'INTERNAL', { cause: error });
}

/** What the core throws when it could not decide, or not do what it decided. */
function coreFault(error: unknown): FaultCode | null {
  if (error instanceof TryAgain) return 'TRY_AGAIN';
  if (error instanceof TooMuchAtOnce) return 'QUERY_TOO_COMPLEX';
  if (error instanceof LedgerFault) {
    if (error.code === 'UNAVAILABLE') return ofState(error.sqlState) === 'TRY_AGAIN' ? 'TRY_AGAIN' : 'UNAVAILABLE';
    return error.code === 'CLOCK_OFF' ? 'UNAVAILABLE' : ofState(error.sqlState);
  }
  if (!(error instanceof VaultError)) return null;
  if (error.code === 'VALUE_NOT_TEXT') return 'BAD_INPUT';
  return /^(KEK|KEYS|FILE)_/.test(error.code) ? 'UNAVAILABLE' : 'INTERNAL';
}

function databaseFault(error: unknown): FaultCode | null {
  return isDatabaseError(error) ? ofState(sqlStateOf(error)) : null;
}

/**
 * SQLSTATE class 40: others were in the way. 22021 and 22P05: text with a character that PostgreSQL has none for. Classes 08,
 * 53, 57, locks that do not come, sessions that were ended, and no class at all: the database is not there for us.
 */
function ofState(state: string | null): FaultCode {
  if (state?.startsWith('40')) return 'TRY_AGAIN';
  if (state === '22021' || state === '22P05') return 'BAD_INPUT';
  return state === null || /^(08|53|57|55P03|25P0[34])/.test(state) ? 'UNAVAILABLE' : 'INTERNAL';
}

/** What Apollo Server and graphql-js say of a request before a resolver runs. */
function requestFault(error: GraphQLError): Fault | null {
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

/** An error that points at a variable, or, coerced only while the field was executed, at an argument's value. */
function isArgument(error: unknown): error is GraphQLError {
  const kind = error instanceof GraphQLError ? error.nodes?.[0]?.kind : undefined;
  return kind !== undefined && /Value$|^Variable(Definition)?$/.test(kind);
}
