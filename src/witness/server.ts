/**
 * The witness over HTTP (C2SP tlog-witness), for logs that ask and monitors that look:
 *
 *     POST /add-checkpoint                         the cosignature, or why not
 *     GET  /<SHA-256 of the origin>/checkpoint     the last checkpoint cosigned
 *
 * Nobody is authenticated but by the log's signature, so every request is bounded in size and time before it is read.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatSizeAnswer, SIZE_MEDIA } from '../log/add-checkpoint.js';
import { fromUtf8 } from '../log/bytes.js';
import { StateError } from './state-error.js';
import type { Answer, Refusal, Witness } from './witness.js';

/** One line of the witness's own log. Of what was sent it holds sizes and origins of known logs, and of a fork the proof. */
export type Tell = (
  level: 'info' | 'error',
  message: string,
  fields: Readonly<Record<string, string | number | null>>,
) => void;

export interface WitnessServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tell: Tell;
  /** Instead of `LIMITS`. */
  readonly limits?: Partial<Record<keyof typeof LIMITS, number>>;
}

export interface WitnessServer {
  readonly url: string;
  /** Answers what is under way for at most so many milliseconds. */
  close(patience: number): Promise<void>;
}

/** A note may have 16 signatures at least, each of 5 kB (C2SP signed-note). */
export const MAX_BODY_BYTES = 131_072;

/** Bytes, and milliseconds. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
} as const;
/** Without a byte either way. */
const IDLE_MS = 60_000;
const MAX_CONNECTIONS = 512;

const STATUS: Readonly<Record<Refusal, number>> = {
  MALFORMED: 400,
  OLD_SIZE_ABOVE: 400,
  SIGNATURE_INVALID: 403,
  UNKNOWN_LOG: 404,
  CONFLICT: 409,
  INCONSISTENT: 422,
};

const SAID: Readonly<Record<Exclude<Refusal, 'CONFLICT'>, string>> = {
  MALFORMED: 'this is no add-checkpoint request',
  OLD_SIZE_ABOVE: 'the old size is above the checkpoint’s',
  SIGNATURE_INVALID: 'this log’s key did not sign this',
  UNKNOWN_LOG: 'this witness does not know the log',
  INCONSISTENT: 'the proof does not show that this tree begins with the one cosigned before',
};

/** @throws what listening throws, such as EADDRINUSE */
export async function serveWitness(
  witness: Witness,
  { host, port, tell, limits = LIMITS }: WitnessServerOptions,
): Promise<WitnessServer> {
  const server = createServer({ ...LIMITS, ...limits }, (request, response) => {
    handle(witness, request, response, tell).catch((error: unknown) => {
      tell('error', 'a request failed', { error: error instanceof Error ? error.name : typeof error });
      if (response.headersSent) response.destroy();
      else send(response, 500, 'a fault of the witness');
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => resolve());
  });
  return { url: urlOf(server, host), close: (patience) => close(server, patience) };
}

async function handle(witness: Witness, request: IncomingMessage, response: ServerResponse, tell: Tell): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  const [, originHash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? [];
  if (path === '/add-checkpoint') {
    if (request.method === 'POST') return addCheckpoint(witness, request, response, tell);
    send(response, 405, 'POST', { allow: 'POST' });
  } else if (originHash) {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'GET', { allow: 'GET, HEAD' });
    const note = witness.checkpoint(originHash);
    if (note === null) send(response, 404, 'nothing of such a log was cosigned');
    else sendExactly(response, 200, note, { 'cache-control': 'no-cache' });
  } else {
    send(response, 404, 'there is /add-checkpoint, and /<SHA-256 of an origin>/checkpoint');
  }
}

async function addCheckpoint(
  witness: Witness,
  request: IncomingMessage,
  response: ServerResponse,
  tell: Tell,
): Promise<void> {
  const began = performance.now();
  const bytes = await read(request);
  if (bytes === null) return;
  if (bytes === 'too large') {
    return send(response, 413, `a request has at most ${MAX_BODY_BYTES} bytes`, { connection: 'close' });
  }
  const body = fromUtf8(bytes);
  let answer: Answer;
  try {
    answer = body === null ? { checkpoint: null, refusal: 'MALFORMED' } : witness.addCheckpoint(body);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    tell('error', 'no cosignature: the state could not be kept', { code: error.code, cause: causeOf(error) });
    return send(response, 500, 'the witness cannot keep its state');
  }
  if (answer.fork) tell('error', 'two roots of one size, both signed by the log: keep this line', answer.fork);
  tell('info', 'add-checkpoint', {
    origin: answer.checkpoint?.origin ?? null,
    size: answer.checkpoint?.size ?? null,
    outcome: 'refusal' in answer ? answer.refusal : 'COSIGNED',
    ms: Math.round((performance.now() - began) * 100) / 100,
  });
  if ('cosignature' in answer) sendExactly(response, 200, answer.cosignature);
  else if (answer.refusal === 'CONFLICT') {
    sendExactly(response, STATUS.CONFLICT, formatSizeAnswer(answer.size), { 'content-type': SIZE_MEDIA });
  } else send(response, STATUS[answer.refusal], SAID[answer.refusal]);
}

/** @returns null where the client went away */
async function read(request: IncomingMessage): Promise<Uint8Array | 'too large' | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) return 'too large';
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, said: string, headers: Record<string, string> = {}): void {
  sendExactly(response, status, `${said}\n`, headers);
}

function sendExactly(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(body);
}

function causeOf({ cause }: StateError): string | null {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : null;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function close(server: Server, patience: number): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), patience);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(late);
}
