/**
 * The greeting is what a person sees when the server is up: where it is, who can sign in, and two commands to paste, one
 * that reads under audit and one that checks the log against what the read returned.
 */
import type { DemoOrganisation } from '../../seeds/organisation.js';
import { DEMO_ROLES } from './demo/issuer.js';

export interface Greeting {
  readonly url: string;
  readonly demo: DemoOrganisation | null;
  readonly seconds: number;
}

export function greeting({ url, demo, seconds }: Greeting): string {
  const lines = [
    `Access Ledger is ready after ${seconds.toFixed(1)} s.`,
    '',
    `  GraphQL    ${url}/graphql`,
    `  Explorer   ${url}/graphiql${demo ? '  (signed in as support)' : ''}`,
    `  Health     ${url}/health/ready`,
    `  Metrics    ${url}/metrics  (role operator)`,
  ];
  return [...lines, ...(demo ? demoLines(url, demo) : []), ''].join('\n');
}

function demoLines(url: string, { user }: DemoOrganisation): string[] {
  const names = Object.entries(DEMO_ROLES).map(([name, role]) => `  ${name.padEnd(10)} ${role.replace('-', ' ')}`);
  return [
    '',
    'Who can sign in to the demo; `npm run -s token -- NAME` prints a token:',
    '',
    ...names,
    '',
    'Read a person’s data under audit:',
    '',
    ...readCommand(url, user).map((line) => `  ${line}`),
    '',
    'Verify the log, with what the read returned as evidence:',
    '',
    ...VERIFY_COMMAND.map((line) => `  ${line}`),
    '',
    'Stop with Ctrl-C. The data stays.',
  ];
}

export const CUSTOMER_CARD =
  'query CustomerCard($user: ID!) { user(id: $user) { id personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) { category version channel value withheld { code clause missing } } } }';

export function readCommand(url: string, user: string): string[] {
  const body = JSON.stringify({ query: CUSTOMER_CARD, variables: { user } });
  return [
    `curl -s ${url}/graphql -H "authorization: Bearer $(npm run -s token -- support)" \\`,
    `  -H 'content-type: application/json' -d '${body}' | tee read.json`,
  ];
}

export const VERIFY_COMMAND = [
  'npm run -s access-ledger -- export log.ndjson &&',
  'npm run -s access-ledger -- verify log.ndjson --held read.json',
];
