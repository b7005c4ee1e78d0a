/**
 * A client of one server, for one person: it sends GraphQL and believes nothing of what comes back. What it gives is JSON of
 * whatever shape; what it says of errors are their codes, for their words are the server's.
 */
import { InvalidArgumentError } from 'commander';
import { CommandFault } from './fault.js';

export interface Client {
  /** @returns `data` @throws ServerError for an answer with errors; CommandFault where there is none */
  ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** The server answered with an error of its own. */
export class ServerError extends CommandFault {
  constructor(readonly code: string) {
    super(`the server answered ${code}`);
  }
}

/** Where GraphQL is: beside what is given, unless that is it already. */
export function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new InvalidArgumentError('It is the http or https URL of a server, such as https://ledger.example.com.');
  }
  const path = url.pathname.replace(/\/$/, '');
  url.pathname = path.endsWith('/graphql') ? path : `${path}/graphql`;
  return url;
}

const PATIENCE_MS = 30_000;

/** A page of 100 leaves of the largest size, and their proofs. */
const MAX_ANSWER_CHARS = 32 << 20;

/** How long a server may have us wait that has had too much of us, in seconds. */
const MAX_WAIT = 65;

/** @param wait for so many milliseconds */
export function createClient(url: URL, token: string, wait: (ms: number) => Promise<unknown>): Client {
  async function send(body: string): Promise<{ status: number; retryAfter: number; text: string }> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
        // A token is for this server and for no other.
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const retryAfter = Number(response.headers.get('retry-after'));
      return { status: response.status, retryAfter, text: await textOf(response) };
    } catch (error) {
      if (error instanceof CommandFault) throw error;
      throw new CommandFault(`${url.origin} does not answer: is the server up, and the URL right?`, { cause: error });
    }
  }

  return {
    async ask(query, variables) {
      const body = JSON.stringify({ query, variables });
      let answer = await send(body);
      while (answer.status === 429 && answer.retryAfter > 0 && answer.retryAfter <= MAX_WAIT) {
        await wait(answer.retryAfter * 1_000);
        answer = await send(body);
      }
      const { data, errors } = objectOf(jsonOf(answer.text));
      if (Array.isArray(errors) && errors.length > 0) throw new ServerError(codeOf(errors[0]));
      if (data === undefined || data === null) throw strange();
      return data;
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop cancels the rest.
    if (text.length > MAX_ANSWER_CHARS) throw strange();
  }
  return text + decoder.decode();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw strange();
  }
}

function codeOf(error: unknown): string {
  const { code } = objectOf(objectOf(error).extensions);
  return typeof code === 'string' && /^[A-Z_]{1,50}$/.test(code) ? code : 'an error without a code';
}

/** The members of what may be an object; none of anything else. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** For an answer that no Access Ledger gives. */
export function strange(): CommandFault {
  return new CommandFault('the server does not answer as an Access Ledger does: is the URL right?');
}
