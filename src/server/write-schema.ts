/**
 * Writes schema/schema.graphql, from which clients are made: `npm run schema`. A test fails where it is not up to date.
 */
import { writeFileSync } from 'node:fs';
import { buildApiSchema, formatSchema } from './schema.js';

writeFileSync('schema/schema.graphql', formatSchema(await buildApiSchema()));
