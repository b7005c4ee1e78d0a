/**
 * The greeting is what a person sees when the server is up: where it is, who can sign in, and two commands to paste, one
 * that reads under audit and one that checks the log against what the read returned.
 */
import type { DemoName } from './demo/issuer.js';

export interface Greeting {
  readonly url: string;
  /** Whether there is a demo to sign in to. */
  readonly demo: boolean;
  /** Whether there is a GraphiQL. */
  readonly explorer: boolean;
  readonly seconds: number;
}

export function greeting({ url, demo, explorer, seconds }: Greeting): string {
  const lines = [
    `Access Ledger is ready after ${seconds.toFixed(1)} s.`,
    '',
    `  GraphQL    ${url}/graphql`,
    ...(explorer ? [`  Explorer   ${url}/graphiql${demo ? '  (signed in as support)' : ''}`] : []),
    `  Health     ${url}/health/ready`,
    `  Metrics    ${url}/metrics  (role operator)`,
  ];
  return [...lines, ...(demo ? demoLines(url) : []), ''].join('\n');
}

const CAN: Readonly<Record<DemoName, string>> = {
  support: 'finds people and reads their data, under a purpose',
  officer: 'grants and revokes need to know, registers processors',
  reviewer: 'searches the log: auditEntries, auditEntry, logHead',
  user: 'is Korey Mohr: their own data, and whoAccessedMyData(challenge: 64 hex digits)',
  processor: 'sees its own registration',
};

function demoLines(url: string): string[] {
  const names = Object.entries(CAN).map(([name, can]) => `  ${name.padEnd(10)} ${can}`);
  return [
    '',
    'Who can sign in to the demo; `npm run -s token -- NAME` prints a token, for the explorer’s headers too:',
    '',
    ...names,
    '',
    'Read a person’s data under audit:',
    '',
    ...readCommand(url).map((line) => `  ${line}`),
    '',
    'Verify the log, with what the read returned as evidence (to export it, the server has to run):',
    '',
    `  ${VERIFY_COMMAND}`,
    '',
    'Stop with Ctrl-C. The data stays.',
  ];
}

/** The first of the demo's people, who is the same in every demo. */
const READ = JSON.stringify({
  query:
    '{ findUser(category: "user.contact.email", value: "korey.mohr.0@example.com", purpose: "convenience") { personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) { category version channel value withheld { code } } } }',
});

function readCommand(url: string): string[] {
  return [
    `curl -s ${url}/graphql -H "authorization: Bearer $(npm run -s token -- support)" \\`,
    `  -H 'content-type: application/json' -d '${READ}' |`,
    `  node -e '${KEEP}'`,
  ];
}

/** Shows the answer, and keeps of it what is evidence and nobody's data. */
const KEEP = `const answer = fs.readFileSync(0, "utf8"); process.stdout.write(answer); fs.writeFileSync("held.json", JSON.stringify({ extensions: JSON.parse(answer).extensions }))`;

const VERIFY_COMMAND =
  'npm run -s access-ledger -- export log.ndjson && npm run -s access-ledger -- verify log.ndjson --held held.json';
