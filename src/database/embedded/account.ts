/**
 * Which account PostgreSQL runs as. It refuses to run as root, so for root that is another one; for anybody else it is
 * their own, which we write as null.
 */
import { lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError, nullIfAbsent } from './error.js';
import { type Account, run } from './program.js';

/** `initdb` wants an entry in the user database, so a made-up uid will not do. The second is what macOS calls it. */
const NAMES = ['postgres', '_postgres', 'nobody'];

/**
 * @returns for root: the owner of the cluster if there is one, so that a folder keeps working as whoever began it
 * @throws EmbeddedPostgresError INIT_FAILED
 */
export async function accountFor(cluster: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(cluster).catch(nullIfAbsent);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of NAMES) {
    const uid = await id('-u', name);
    const gid = await id('-g', name);
    if (uid !== null && gid !== null) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    'INIT_FAILED',
    'PostgreSQL does not run as root, and there is no user postgres or nobody here: start as an ordinary user',
  );
}

/** Unsigned, for macOS has a user -2. */
async function id(flag: string, name: string): Promise<number | null> {
  const { status, output } = await run('id', [flag, name], null);
  return status === 0 ? Number(output) >>> 0 : null;
}

/** The first folder on the way to `folder`, itself included, that the account cannot enter. */
export async function firstClosed(folder: string, account: Account): Promise<string | null> {
  const way: string[] = [];
  for (let at = folder; at !== way[0]; at = dirname(at)) way.unshift(at);
  const tried = 'for d do test -x "$d" || { printf %s "$d"; exit 1; }; done';
  const { status, output } = await run('/bin/sh', ['-c', tried, 'sh', ...way], account);
  return status === 0 ? null : output;
}

/** Makes the account the owner of a folder and of all that is in it. */
export async function giveTo(account: Account | null, folder: string): Promise<void> {
  if (!account) return;
  await lchown(folder, account.uid, account.gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
}
