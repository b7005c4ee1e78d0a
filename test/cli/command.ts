/**
 * The command as a person runs it: a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programOf } from '../support/build.js';

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Without the settings of whoever runs the tests. */
export function start(args: readonly string[], env: Around['env'] = {}): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  const program = programOf('src/cli/access-ledger');
  return spawn(process.execPath, [...program, ...args], { env: { PATH, HOME, DATA_DIR: '/nowhere', ...env } });
}

export function run(args: readonly string[], { env, stdin = '' }: Around = {}): Promise<Ran> {
  const child = start(args, env);
  const said = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  child.stdin!.on('error', () => {}).end(stdin);
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve({ status, ...said }));
  });
}

/** A folder for the tests of a suite. */
export function folder(): { path(name: string): string } {
  let made = '';
  before(async () => {
    made = await mkdtemp(join(tmpdir(), 'access-ledger-cli-'));
  });
  after(() => rm(made, { recursive: true, force: true }));
  return { path: (name) => join(made, name) };
}
