/**
 * How `npm test` runs: two processes take one test file after another, each with a PostgreSQL of its own. On a server that
 * is somebody's, where roles are shared, all runs in one process.
 */
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

/** The files that take longest come first, so that neither process is left alone with one at the end. */
const LONGEST = ['tamper/rows', 'readme', 'tamper/published', 'cli/export', 'tamper/whole', 'database/embedded'].map(
  (name) => `test/${name}.test.ts`,
);

const files = readdirSync(join(__dirname, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .sort();

module.exports = {
  spec: [...LONGEST, ...files.filter((file) => !LONGEST.includes(file))],
  parallel: !process.env.TEST_DATABASE_URL,
  jobs: 2,
  'node-option': ['import=@oxc-node/core/register'],
  require: ['reflect-metadata', './test/support/build.ts', './test/support/postgres.ts'],
  timeout: 20_000,
  reporter: './test/support/reporter.ts',
};
