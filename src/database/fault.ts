/**
 * What can be known of an error that a database call threw, without PostgreSQL's own words: those may quote a row.
 */

/** The five characters of SQLSTATE, or null where the error is not PostgreSQL's. TypeORM's errors carry it too. */
export function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return SQLSTATE.test(error.code) ? error.code : null;
}

/** None begins with an E, as the operating system's errors do, of which some have five characters as well: EPIPE, E2BIG. */
const SQLSTATE = /^(?!E)[0-9A-Z]{5}$/;

/** Whether PostgreSQL itself said that nothing was written. After any other error it may have been. */
export function isDefinite(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && !LOST.test(state);
}

/** Connection lost or ended by a timeout of its own, server going down or starting, deadlock or serialization. */
const LOST = /^(08|57P|40|25P0[34])/;

/** Whether others were in the way: a deadlock, or transactions that cannot be put in an order. Nothing was written. */
export function isConflict(error: unknown): boolean {
  return /^40(?!003)/.test(sqlStateOf(error) ?? '');
}

/** Whether the error came from talking to PostgreSQL at all: from it, from the socket, or from the driver. */
export function isDatabaseError(error: unknown): boolean {
  // Node tries every address of a host, and throws what came of all of them at once.
  if (error instanceof AggregateError) return error.errors.some(isDatabaseError);
  if (!(error instanceof Error)) return false;
  if (sqlStateOf(error) !== null || OF_CONNECTIONS.has(error.name)) return true;
  return ('syscall' in error && typeof error.syscall === 'string') || DRIVER.test(error.message);
}

/** TypeORM lets go of a connection that breaks, and is then surprised to be asked for it. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'QueryFailedError',
  'QueryRunnerAlreadyReleasedError',
  'QueryRunnerProviderAlreadyReleasedError',
  'WrongConnection',
]);

/** `pg` gives these no code. */
const DRIVER =
  /^(Connection terminated|Query read timeout|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed)/;
