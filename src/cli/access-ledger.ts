#!/usr/bin/env node
/**
 * The command `access-ledger`: what is done to a log from outside the server. Each command is a file beside this one,
 * and loads what it needs when it runs, so that verifying a file needs no database.
 */
import { Command, CommanderError } from 'commander';
import { addCheckProof } from './check-proof.js';
import { addDoctor } from './doctor.js';
import { addExport } from './export.js';
import { CommandFault, UNUSABLE } from './fault.js';
import { addKeys } from './keys.js';
import { addMonitor } from './monitor.js';
import { addMyHistory } from './my-history.js';
import { addProve } from './prove.js';
import { addToken } from './token.js';
import { addVerify } from './verify.js';
import { addWitness } from './witness.js';

const program = new Command('access-ledger')
  .description('Exports, verifies and proves the log of an Access Ledger, examines its database, and makes its keys.')
  .configureOutput({ outputError: () => {} })
  .configureHelp({ showGlobalOptions: false })
  .exitOverride()
  .addHelpText(
    'after',
    '\nEach command has its own --help, with an example.\nExit status: 0 done; 3 unusable input or arguments; 1 and 2 are verdicts of the commands that check.',
  );
addExport(program);
addVerify(program);
addMonitor(program);
addProve(program);
addCheckProof(program);
addMyHistory(program);
addDoctor(program);
addKeys(program);
addToken(program);
addWitness(program);

// A reader that stops early, such as `head`, changes no verdict.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}

/** @returns the exit status. It is never 1 or 2, whatever went wrong: those are verdicts. */
function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Commander has shown the help already where there was no command.
    if (error.code !== 'commander.help')
      say(`${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; see --help`);
  } else if (error instanceof CommandFault) say(error.message);
  else say(`a fault of its own: ${error instanceof Error ? `${error.name}: ${error.message}` : typeof error}`);
  return UNUSABLE;
}

function say(line: string): void {
  process.stderr.write(`access-ledger: ${line.replace(/\s*\n\s*/g, ' ')}\n`);
}
