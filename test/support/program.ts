/**
 * A program is a process of its own that runs a piece of the product and says one line: to be killed, to be run as
 * another user, or to race with others.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { firstClosed } from '../../src/database/embedded/account.js';
import { type Account, as } from '../../src/database/embedded/program.js';

/** Starts the embedded PostgreSQL with the options given; says its URL, or the fault's code. */
export const STARTS = `
  import { startEmbedded } from '${new URL('../../src/database/embedded.ts', import.meta.url)}';
  const run = (options) => startEmbedded(options).then((it) => it.url());`;

const programs = new Set<ChildProcess>();

/** An ordinary user that every system has, and that is not the one root would choose where there is a postgres. */
export const NOBODY: Account = { uid: 65534, gid: 65534 };

/** Whether we can play another user here: only root can, in a checkout that all may read. */
export async function canPlay(account: Account): Promise<boolean> {
  return process.getuid?.() === 0 && (await firstClosed(process.cwd(), account)) === null;
}

/** Runs what the source defines as `run` with what is given, and stays. It leads a process group, as from a terminal. */
export function program(source: string, given: unknown, account: Account | null = null): ChildProcess {
  const main = `${source}
    const says = await run(${JSON.stringify(given)}).catch((error) => error.code ?? error.stack);
    process.stdout.write(says + '\\n');
    setInterval(() => {}, 1000);`;
  const args = ['--import', '@oxc-node/core/register', '--input-type=module', '-e', main];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true, ...as(account) });
  programs.add(child);
  return child;
}

/** The line that it says; empty if it ends without. */
export async function said({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) return line;
  return '';
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  programs.delete(child);
}

export async function endPrograms(): Promise<void> {
  for (const child of programs) {
    child.kill('SIGKILL');
    await ended(child);
  }
}
