/**
 * Unauthenticated: the fault of a request whose bearer token does not say, provably, who calls.
 */
import { Fault, type FaultCode, type FaultOptions } from '../graphql/fault.js';

export type UnauthenticatedCode = Extract<FaultCode, `TOKEN_${string}`> | 'ISSUER_UNREACHABLE';

export class Unauthenticated extends Fault {
  override readonly name = 'Unauthenticated';
  declare readonly code: UnauthenticatedCode;

  constructor(code: UnauthenticatedCode, options: FaultOptions = {}) {
    super(code, { ...options, headers: { ...challenge(code), ...options.headers } });
  }
}

/** RFC 6750, section 3: a request without a token learns only the scheme; the others learn what was wrong. */
function challenge(code: UnauthenticatedCode): Record<string, string> {
  if (code === 'ISSUER_UNREACHABLE') return {};
  const scheme = 'Bearer realm="access-ledger"';
  if (code === 'TOKEN_MISSING') return { 'www-authenticate': scheme };
  const error = code.startsWith('TOKEN_ROLE') ? 'insufficient_scope' : 'invalid_token';
  return { 'www-authenticate': `${scheme}, error="${error}", error_description="${code}"` };
}
