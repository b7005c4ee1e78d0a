/**
 * An answer to one HTTP request at /graphql: one operation's, or a batch's in order. Each operation of a batch has a
 * context, a deadline and a result of its own; one that fails harms no other.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../graphql/fault.js';
import type { Entry } from '../log/entry.js';
import { type Answer, type CausedEntry, type Executor, ledgerExtension, type RequestContext } from './apollo.js';
import type { Caller } from './authentication.js';
import { faultOf, leavingError, statusOf, tellUnexpected } from './errors.js';
import type { Budget, Limits } from './limits.js';
import type { Log } from './log.js';
import { chooseMediaType, JSON_MEDIA, type MediaType } from './media-type.js';

/** What is noted of a request for its line in the server's log: words of ours. */
export interface Note {
  caller: Caller | null;
  readonly fields: Set<string>;
  readonly codes: Set<string>;
}

declare module 'fastify' {
  interface FastifyRequest {
    note: Note;
  }
}

export interface RequestFacts {
  /** Our id of the HTTP request; X-Request-Id says it. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** For what the operation enters in the log, from the search for its actor on. */
  readonly entries: Entry[];
  /** Of a subscription: aborted when nobody waits for its events any more. */
  readonly signal?: AbortSignal;
}

export type ContextFor<C extends RequestContext> = (caller: Caller, request: RequestFacts) => Promise<C>;

export interface Answering<C extends RequestContext> {
  readonly executor: Executor<C>;
  readonly contextFor: ContextFor<C>;
  readonly budget: Budget;
  readonly limits: Limits;
  readonly log: Log;
  /** What goes on, also after its deadline. */
  readonly working: Set<Promise<unknown>>;
}

export async function answerGraphQL<C extends RequestContext>(
  answering: Answering<C>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { budget, limits } = answering;
  const media = chooseMediaType(request.headers.accept);
  if (media === null) throw new Fault('NOT_ACCEPTABLE');
  reply.header('cache-control', 'no-store').type(media);
  if (!Array.isArray(request.body)) {
    const { status, allow, text } = await answerOne(answering, request, media, request.body);
    if (allow !== undefined) reply.header('allow', allow);
    return reply.status(status).send(text);
  }
  const batch: readonly unknown[] = request.body;
  if (batch.length === 0) throw new Fault('BAD_REQUEST', { detail: 'The batch is empty.' });
  if (batch.length > limits.batch) throw new Fault('BATCH_TOO_LARGE', { detail: `The limit is ${limits.batch}.` });
  if (batch.length > 1) await budget.spend(callerOf(request), batch.length - 1);
  const answers = await Promise.all(batch.map((body) => answerOne(answering, request, media, body)));
  return reply.send(`[${answers.map(({ text }) => text.trimEnd()).join()}]`);
}

/** Never rejects: what is thrown becomes the operation's answer. */
async function answerOne<C extends RequestContext>(
  answering: Answering<C>,
  request: FastifyRequest,
  media: MediaType,
  body: unknown,
): Promise<Answer> {
  const { executor, contextFor, budget, limits, log, working } = answering;
  const method = request.method === 'GET' ? 'GET' : 'POST';
  const entries: Entry[] = [];
  let context: C | undefined;
  const caused = () => context?.entries ?? entries;
  const work = async (): Promise<Answer> => {
    context = await contextFor(callerOf(request), { id: request.id, method, entries });
    const search = method === 'GET' ? searchOf(request.url) : '';
    const contentType = request.headers['content-type'];
    const preflight = preflightOf(request);
    return executor.execute({ method, search, body, contentType, preflight, media, context, trace: request.note });
  };
  const paidFor = async (): Promise<Answer> => {
    try {
      return await work();
    } finally {
      await budget.charge(callerOf(request), new Set(caused().map(({ index }) => index)).size);
    }
  };
  const answer = paidFor();
  working.add(answer);
  const done = () => working.delete(answer);
  answer.then(done, done);
  try {
    return await inTime(answer, limits.operationMs);
  } catch (error) {
    tellUnexpected(log, request.id, error);
    return failed(error, request.note, caused());
  }
}

/** An operation that timed out may have caused entries: they are told all the same. */
function failed(error: unknown, note: Note, entries: readonly CausedEntry[]): Answer {
  const leaving = leavingError(error);
  note.codes.add(leaving.extensions.code);
  const extensions = entries.length > 0 ? ledgerExtension(entries) : undefined;
  return { status: statusOf(error), allow: undefined, text: JSON.stringify({ errors: [leaving], extensions }) };
}

/** Work goes on after its deadline: what it enters in the log stays true. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault('TIMED_OUT')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A request gets here only with a caller. */
function callerOf({ note }: FastifyRequest): Caller {
  if (!note.caller) throw new Fault('INTERNAL');
  return note.caller;
}

function searchOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/** The headers that Apollo's clients send for this. */
function preflightOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['apollo-require-preflight'] ?? headers['x-apollo-operation-name'];
  return header === undefined ? undefined : String(header);
}

/** Answers a whole request with one error, as `application/json` where nothing better is accepted. */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const leaving = leavingError(error);
  request.note?.codes.add(leaving.extensions.code);
  return reply
    .status(statusOf(error))
    .headers(faultOf(error).headers)
    .header('cache-control', 'no-store')
    .type(chooseMediaType(request.headers.accept) ?? JSON_MEDIA)
    .send(JSON.stringify({ errors: [leaving] }));
}
