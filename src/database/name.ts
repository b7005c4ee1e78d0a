/** The name of our database in the embedded PostgreSQL. */
export const DATABASE = 'access_ledger';
