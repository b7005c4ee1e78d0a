/**
 * The DataSource of the TypeORM command line: `npm run -s typeorm -- migration:show -d ormconfig.ts`. It migrates, so it takes the login of
 * DATABASE_OWNER_URL. The server opens its own, with less.
 */
import { migrationSource } from './src/database/migrating.js';

const { DATABASE_OWNER_URL } = process.env;
if (!DATABASE_OWNER_URL) {
  // An error would be shown with its stack, and no URL at all would be whatever PGHOST and PGUSER say.
  process.stderr.write('Set DATABASE_OWNER_URL to the login that migrates: the TypeORM command line has no other.\n');
  process.exit(1);
}

export default migrationSource(DATABASE_OWNER_URL);
