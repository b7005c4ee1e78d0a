/**
 * A reason is the one line that says why the server did not start, and what to do.
 */
import { EmbeddedPostgresError } from '../database/embedded.js';
import { sqlStateOf } from '../database/fault.js';
import { SetupError } from '../database/migrating.js';
import { WrongConnection } from '../database/pools.js';
import { DeclaredDifferently } from '../domain/purposes/declared-once.js';
import { VaultError } from '../vault/vault-error.js';
import { ConfigError } from './config.js';
import { errorFields } from './log.js';
import { LogKeyError } from './log-key.js';
import { WitnessesError } from './witnesses.js';

/** Their messages are ours, and say what to do. */
const OURS = [
  ConfigError,
  DeclaredDifferently,
  EmbeddedPostgresError,
  LogKeyError,
  SetupError,
  VaultError,
  WitnessesError,
  WrongConnection,
];

const SAYS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'Another program listens on this port: set PORT to another one, or to 0 for any.'],
  ['EACCES', 'This port or address is not ours to listen on: look at PORT and HOST.'],
  ['EADDRNOTAVAIL', 'This machine has no such address: look at HOST.'],
  ['ECONNREFUSED', 'PostgreSQL does not answer: look at DATABASE_URL and DATABASE_OWNER_URL.'],
  ['ENOTFOUND', 'There is no machine of this name: look at HOST, DATABASE_URL and DATABASE_OWNER_URL.'],
  ['28P01', 'PostgreSQL refuses a password: look at DATABASE_URL and DATABASE_OWNER_URL.'],
  ['28000', 'PostgreSQL refuses a login: look at DATABASE_URL and DATABASE_OWNER_URL.'],
  [
    '42501',
    'The login of DATABASE_OWNER_URL may not do what migrating needs: one that owns the database and may create roles, or a superuser; and the same that made the roles access_ledger_*, if they stand.',
  ],
  ['3D000', 'PostgreSQL has no database of this name: look at DATABASE_URL and DATABASE_OWNER_URL.'],
]);

/** Of errors that are not ours only the kind is known to be safe to show. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && OURS.some((kind) => error instanceof kind)) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return SAYS.get(sqlStateOf(error) ?? code) ?? `The server could not start: ${JSON.stringify(errorFields(error))}`;
}
