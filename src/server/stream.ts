/**
 * A stream is one subscription over HTTP, as server-sent events: GraphQL over SSE, distinct connections mode
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
 *
 *     POST /graphql/stream      bearer token with an acting role; accept: text/event-stream
 *
 * It goes on for as long as a new request with its token would be let in. Where it ends with an error that another attempt
 * would meet too, `complete` follows, and clients of the protocol stay away; where this server stops or lacks something,
 * the connection ends without it, and they come back.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import { Fault } from '../graphql/fault.js';
import type { Entry } from '../log/entry.js';
import type { ContextFor } from './answer.js';
import type { RequestContext } from './apollo.js';
import type { Caller } from './authentication.js';
import { leavingError, tellUnexpected } from './errors.js';
import type { Budget, Limits } from './limits.js';
import type { Log } from './log.js';
import { acceptsEvents } from './media-type.js';
import type { Subscribe, SubscriptionRequest } from './subscriber.js';

export interface StreamingParts<C extends RequestContext> {
  readonly subscribe: Subscribe<C>;
  readonly contextFor: ContextFor<C>;
  /** Whether such a request would be let in now. @throws Unauthenticated */
  readonly letIn: (request: FastifyRequest) => Promise<void>;
  readonly budget: Budget;
  readonly limits: Pick<Limits, 'streams'>;
  readonly log: Log;
  /** What goes on. */
  readonly working: Set<Promise<unknown>>;
}

export interface Streaming {
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Breaks all of them off, and whatever begins later. */
  stop(): void;
}

/** Proxies take a connection for dead on which nothing comes, and that a client is gone may show at a write only. */
const BEAT_MS = 12_000;
const LET_IN_MS = 1_000;
/** What is made before somebody has read what was made: this much, and an event. */
const AHEAD_BYTES = 16 * 1024;

export function createStreaming<C extends RequestContext>(parts: StreamingParts<C>): Streaming {
  const { contextFor, limits, log, subscribe, working } = parts;
  const open = new Map<AbortController, string>();
  let stopped = false;

  /** @throws Fault TOO_MANY_STREAMS */
  function enter({ issuer, subject }: Caller): AbortController {
    const key = `${issuer}\n${subject}`;
    const { ofCaller, total } = limits.streams;
    const own = [...open.values()].filter((other) => other === key).length;
    if (own >= ofCaller) throw new Fault('TOO_MANY_STREAMS', { detail: `The limit is ${ofCaller}.` });
    if (open.size >= total) throw new Fault('TOO_MANY_STREAMS', { detail: 'Others have them.' });
    const stream = new AbortController();
    open.set(stream, key);
    if (stopped) stream.abort(stopping());
    return stream;
  }

  async function* resultsOf(request: FastifyRequest, entries: Entry[], signal: AbortSignal) {
    try {
      const facts = { id: request.id, method: 'POST', entries, signal } as const;
      const context = await contextFor(request.note.caller!, facts);
      yield* subscribe(parseRequest(request.body), context, request.note);
    } catch (error) {
      tellUnexpected(log, request.id, error);
      yield failure(request, error);
    }
  }

  return {
    stop() {
      stopped = true;
      for (const stream of open.keys()) stream.abort(stopping());
    },
    async answer(request, reply) {
      if (!acceptsEvents(request.headers.accept)) {
        throw new Fault('NOT_ACCEPTABLE', { detail: 'Streams are text/event-stream.' });
      }
      parseRequest(request.body);
      const caller = request.note.caller!;
      const stream = enter(caller);
      const entries: Entry[] = [];
      const closed = new Promise<void>((resolve) => {
        reply.raw.once('close', resolve);
      }).then(async () => {
        open.delete(stream);
        stream.abort();
        await parts.budget.charge(caller, entries.length);
      });
      working.add(closed);
      void closed.finally(() => working.delete(closed));
      void watch(parts, request, stream);
      const events = eventsOf(request, resultsOf(request, entries, stream.signal), stream.signal);
      return reply
        .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        .type('text/event-stream; charset=utf-8')
        .send(Readable.from(events, { objectMode: false, highWaterMark: AHEAD_BYTES }));
    },
  };
}

/** @throws Fault BAD_REQUEST */
function parseRequest(body: unknown): SubscriptionRequest {
  const { query, variables, operationName } = isObject(body) ? body : {};
  const fits =
    (variables == null || isObject(variables)) && (operationName == null || typeof operationName === 'string');
  if (typeof query !== 'string' || query === '' || !fits) throw new Fault('BAD_REQUEST');
  return { query, variables: variables ?? {}, operationName: operationName ?? null };
}

function isObject(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stopping(): Fault {
  return new Fault('UNAVAILABLE', { detail: 'This server is stopping.' });
}

/** Ends the stream when its token no longer lets in. */
async function watch<C extends RequestContext>(
  { letIn }: StreamingParts<C>,
  request: FastifyRequest,
  stream: AbortController,
): Promise<void> {
  while (!stream.signal.aborted) {
    await sleep(LET_IN_MS, undefined, { ref: false });
    await letIn(request).catch((error: unknown) => stream.abort(error));
  }
}

function failure({ note }: FastifyRequest, error: unknown): FormattedExecutionResult {
  const leaving = leavingError(error);
  note.codes.add(leaving.extensions.code);
  return { errors: [leaving] };
}

/** Until the results end, or the stream is broken off: then with the reason, if somebody still reads. */
async function* eventsOf(
  request: FastifyRequest,
  results: AsyncGenerator<FormattedExecutionResult, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let wake = () => {};
  let arrived: IteratorResult<FormattedExecutionResult, void> | null = null;
  let isBeatDue = false;
  const ask = async () => {
    arrived = await results.next();
    wake();
  };
  const beats = setInterval(() => {
    isBeatDue = true;
    wake();
  }, BEAT_MS);
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    // So that headers are sent, and the client knows that it is heard.
    yield COMMENT;
    let last: FormattedExecutionResult | null = null;
    for (void ask(); ; ) {
      if (!arrived && !isBeatDue && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (signal.aborted) {
        if (isAbort(signal.reason)) return;
        last = failure(request, signal.reason);
        yield eventOf('next', last);
        break;
      }
      const { done, value }: IteratorResult<FormattedExecutionResult, void> = arrived ?? { value: PENDING };
      if (done) break;
      if (value === PENDING) {
        isBeatDue = false;
        yield COMMENT;
        continue;
      }
      arrived = null;
      last = value;
      yield eventOf('next', last);
      void ask();
    }
    if (!isPassing(last)) yield eventOf('complete', null);
  } finally {
    clearInterval(beats);
    // It may be in the middle of something, which nobody waits for.
    void results.return();
  }
}

const COMMENT = ':\n\n';
const PENDING: FormattedExecutionResult = {};

/** Nobody reads on. */
function isAbort(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'AbortError';
}

/** JSON has no raw line feed, so it is one line. */
function eventOf(event: 'next' | 'complete', data: FormattedExecutionResult | null): string {
  return `event: ${event}\ndata: ${data === null ? '' : JSON.stringify(data)}\n\n`;
}

const PASSING = new Set<unknown>(['ISSUER_UNREACHABLE', 'TRY_AGAIN', 'UNAVAILABLE']);

function isPassing(last: FormattedExecutionResult | null): boolean {
  return last?.data == null && PASSING.has(last?.errors?.[0]?.extensions?.code);
}
