/**
 * Writes all vectors anew: `node --import @oxc-node/core/register test/vectors/generate.ts`. What a verifier must say
 * stands in test/log/vectors/cases.ts and was written by hand; a test holds the files to it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { vectors } from '../log/vectors/vector.js';

const folder = new URL('./', import.meta.url);

for (const kind of ['valid', 'invalid']) {
  rmSync(new URL(kind, folder), { recursive: true, force: true });
  mkdirSync(new URL(kind, folder));
}
for (const [name, { log, json }] of vectors()) {
  writeFileSync(new URL(`${name}.ndjson`, folder), log);
  writeFileSync(new URL(`${name}.json`, folder), json);
}
