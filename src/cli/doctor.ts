/**
 * `access-ledger doctor`: whether a database is as the migrations made it, and its rows and log agree.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Diagnosis, Examination } from '../doctor/doctor.js';
import type { Named } from './database.js';
import { CommandFault } from './fault.js';
import { showProgress } from './progress.js';

interface Options {
  readonly database?: Named;
  readonly keyFile?: string;
  readonly serverLogin?: readonly string[];
  readonly json?: boolean;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('examine a database for ways past its log')
    .description(
      'Looks for what would let the log be bypassed without anybody noticing: roles, grants, triggers, functions, tables and ' +
        'indexes that are not what the migrations made, logins that may write past them, rows and entries that do not agree, ' +
        'values that are not sealed, clocks, keys and checkpoints that lag. It writes nothing.',
    )
    .option('--database [url]', 'which (default: DATABASE_OWNER_URL, DATABASE_URL, or the one that runs in DATA_DIR)')
    .option('--key-file <file>', 'the key file, for how long KEKs wrap (default: KEK_FILE, KEK, or that of the demo)')
    .option(
      '--server-login <name>',
      "a login of servers; may be repeated (default: DATABASE_URL's)",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option('--json', 'print the diagnosis as JSON')
    .addHelpText(
      'after',
      `
It reads as the login that it is given. That of DATABASE_OWNER_URL, or a server's, may read all that it looks at; one with
access_ledger_reviewer alone may read the catalogue and the log, and what it says is not checked is everything about people's rows.
It asks the database itself, so it finds mistakes and leftovers, and no superuser who deceives: that is for \`verify\`.

Exit status: 0 nothing is wrong (a notice may be printed), 1 something is, 3 unusable input or arguments.

Example:
  access-ledger doctor --database postgres://ledger_owner@db.example.org/access_ledger --key-file kek.json`,
    )
    .action(run);
}

async function run({ database, keyFile, serverLogin, json }: Options): Promise<void> {
  const { withSnapshot } = await import('./database.js');
  const { DoctorError, examine } = await import('../doctor/doctor.js');
  const { formatDiagnosis } = await import('./diagnosis-text.js');
  const keks = await readKeks(keyFile, database !== undefined);
  const servers = serverLogin ?? serverOf(process.env.DATABASE_URL);
  const progress = showProgress(process.stderr, () => performance.now(), 'rows');
  let diagnosis: Diagnosis;
  try {
    diagnosis = await withSnapshot(database, process.env, (client) =>
      examine(client, { now: () => new Date(), keks, servers, onRows: progress.at }),
    );
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
    const what = error.code === 'NO_LOG' ? 'start the server once, so that it is migrated' : READERS;
    throw new CommandFault(`${error.message}: ${what}`, { cause: error });
  } finally {
    progress.end();
  }
  const coloured = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
  process.stdout.write(json ? `${JSON.stringify(diagnosis, null, 2)}\n` : formatDiagnosis(diagnosis, coloured));
  process.exitCode = diagnosis.healthy ? 0 : 1;
}

const READERS = 'give it the one of DATABASE_OWNER_URL, or GRANT access_ledger_reviewer to it for a part of the checks';

function serverOf(url: string | undefined): readonly string[] | null {
  return url && URL.canParse(url) ? [decodeURIComponent(new URL(url).username)] : null;
}

/** Their dates alone: the keys are for nobody here. */
async function readKeks(named: string | undefined, elsewhere: boolean): Promise<Examination['keks']> {
  const { KEK, KEK_FILE, DATABASE_OWNER_URL, DATABASE_URL, DATA_DIR } = process.env;
  const { VaultError } = await import('../vault/vault-error.js');
  const { parseKeys } = await import('../vault/key-file.js');
  const { readSecretFile } = await import('../vault/secret-file.js');
  const { demoKekFile } = await import('../server/demo/keys.js');
  const demo = demoKekFile(DATA_DIR || '.data');
  const isDemo = !elsewhere && !DATABASE_OWNER_URL && !DATABASE_URL && existsSync(demo);
  const file = named ?? (KEK_FILE || (isDemo && !KEK ? demo : undefined));
  if (!file && !KEK) return null;
  try {
    const { keks, current } = file ? parseKeys(readSecretFile(file), file) : parseKeys(KEK!, 'KEK');
    return keks.map(({ id, retires }) => ({ id, retires, current: id === current }));
  } catch (error) {
    if (error instanceof VaultError) throw new CommandFault(error.message, { cause: error });
    throw error;
  }
}
