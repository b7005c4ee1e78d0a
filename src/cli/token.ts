/**
 * `access-ledger token`: a token of the demo organisation, for trying things out. It prints the token and nothing else, so
 * that it can stand in another command.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFault } from './fault.js';

/** Long enough for a day's trying. */
const EXPIRES_IN = 12 * 3_600;

export function addToken(program: Command): void {
  program
    .command('token')
    .summary('print a token for somebody of the demo organisation')
    .description(
      'Prints an access token of the demo issuer in DATA_DIR, valid for 12 hours. There is no demo issuer in production.',
    )
    .argument('<name>', 'support, officer, reviewer, user or processor')
    .addHelpText('after', '\nExample:\n  curl -H "authorization: Bearer $(npm run -s token -- support)" …')
    .action(run);
}

async function run(name: string): Promise<void> {
  const { DEMO_ROLES, openDemoIssuer } = await import('../server/demo/issuer.js');
  const { DATABASE_URL, DATA_DIR, DEMO, NODE_ENV, OIDC_ISSUER } = process.env;
  const role = Object.entries(DEMO_ROLES).find(([known]) => known === name)?.[1];
  if (!role) throw new CommandFault(`nobody of that name is in the demo: ${Object.keys(DEMO_ROLES).join(', ')}`);
  if (NODE_ENV === 'production') throw new CommandFault('there is no demo in production: ask your OpenID provider');
  if (OIDC_ISSUER) throw new CommandFault('there is no demo issuer where OIDC_ISSUER is set: ask that provider');
  if (DEMO === 'off' || (DATABASE_URL && DEMO !== 'on'))
    throw new CommandFault('there is no demo here: DEMO is not on, as it has to be beside DATABASE_URL');
  const dataDir = DATA_DIR || '.data';
  if (!existsSync(dataDir))
    throw new CommandFault(`there is no demo in ${dataDir} yet: start the server once (npm start)`);
  const issuer = await openDemoIssuer(dataDir, Date.now);
  process.stdout.write(`${await issuer.issueDemoToken({ subject: name, role, expiresIn: EXPIRES_IN })}\n`);
}
