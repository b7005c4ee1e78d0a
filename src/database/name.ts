/** The name of our database in the embedded PostgreSQL. */
export const DATABASE = 'access_ledger';

/** A deployment starts with one log. */
export const FIRST_LOG = 1;
