/**
 * The DataSource of the TypeORM command line: `npm run -s typeorm -- migration:show -d ormconfig.ts`. It migrates, so it takes the login of
 * DATABASE_OWNER_URL. The server opens its own, with less.
 */
import { migrationSource } from './src/database/migrating.js';

export default migrationSource(process.env.DATABASE_OWNER_URL ?? '');
