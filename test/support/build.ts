/**
 * A build is the product as it is shipped, of the sources as they stand: made once for a run of all tests, as its commands
 * start in a third of the time that the sources take. Where there is none, as in a run of a few files, tests start the
 * sources.
 */
import { execFile } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openFolder } from './postgres.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What building and packing read. */
const SOURCE = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.log.json', 'ormconfig.ts'],
  ...['README.md', 'LICENSE', 'docs', 'schema', 'src', 'migrations', 'seeds'],
];

/** Where the processes of a run find it. */
const BUILD = 'ACCESS_LEDGER_TEST_BUILD';

/** A copy, as building makes anew what others may be reading. */
export function copySource(to: string): void {
  for (const part of SOURCE) cpSync(join(ROOT, part), join(to, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
}

/**
 * What to give to node to run a file of ours.
 *
 * @param file below the root, without its ending: `src/cli/access-ledger`
 */
export function programOf(file: string): string[] {
  const build = process.env[BUILD];
  return build
    ? [join(build, 'dist', `${file}.js`)]
    : ['--import', '@oxc-node/core/register', join(ROOT, `${file}.ts`)];
}

/** What cannot be built is tested from its sources: that it does not typecheck is one failure, and not the only one. */
export async function mochaGlobalSetup(): Promise<void> {
  const folder = await openFolder();
  copySource(folder);
  try {
    await promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: folder });
    process.env[BUILD] = folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    process.stderr.write(`not built: ${error instanceof Error ? error.message : error}\n`);
  }
}

export async function mochaGlobalTeardown(): Promise<void> {
  const build = process.env[BUILD];
  if (build) await rm(build, { recursive: true, force: true });
}
