/**
 * Writes all vectors anew: `node --import @oxc-node/core/register test/vectors/generate.ts`. What a verifier must say
 * stands in test/log/vectors/cases.ts and was written by hand; a test holds the files to it. The golden log is what was once
 * written: a version that writes another keeps the old one beside it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { golden } from '../log/vectors/golden.js';
import { vectors } from '../log/vectors/vector.js';

const folder = new URL('./', import.meta.url);

for (const kind of ['valid', 'invalid', 'golden']) {
  rmSync(new URL(kind, folder), { recursive: true, force: true });
  mkdirSync(new URL(kind, folder));
}
for (const [name, { log, json }] of vectors()) {
  writeFileSync(new URL(`${name}.ndjson`, folder), log);
  writeFileSync(new URL(`${name}.json`, folder), json);
}
for (const [path, content] of await golden()) {
  const file = new URL(`golden/${path}`, folder);
  mkdirSync(new URL('./', file), { recursive: true });
  writeFileSync(file, content);
}
