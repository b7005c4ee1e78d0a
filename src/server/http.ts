/**
 * HTTP is where requests come in: Fastify in front of Apollo Server. A request is authenticated, then charged to its
 * caller's budget, and only then read; each operation gets a context of its own and a deadline.
 *
 *     /graphql         GET, POST   bearer token with an acting role
 *     /graphql/stream  POST        the same, for subscriptions: see stream.ts
 *     /metrics         GET         bearer token with the role operator
 *     /checkpoint      GET         anybody; /tile/* too, but for leaves: see tiles.ts
 *     /graphiql        GET         anybody: a page without data, where introspection is on
 *     /health/live     GET         anybody
 *     /health/ready    GET         anybody
 */
import { randomUUID } from 'node:crypto';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { Fault, type FaultCode } from '../graphql/fault.js';
import { answerGraphQL, type ContextFor, sendError } from './answer.js';
import { createExecutor, type RequestContext } from './apollo.js';
import type { Authenticate, Caller } from './authentication.js';
import { createDoor } from './door.js';
import { leavingError, tellUnexpected } from './errors.js';
import { addGraphiQL } from './graphiql.js';
import { addHealth, type Checks } from './health.js';
import { createBudget, type Limits, type OnSuppressed } from './limits.js';
import type { Log } from './log.js';
import { JSON_MEDIA } from './media-type.js';
import { createStreaming } from './stream.js';
import { createSubscriber } from './subscriber.js';
import type { Telemetry } from './telemetry.js';
import { addTiles, type PublishedLog } from './tiles.js';
import { Unauthenticated } from './unauthenticated.js';

export interface HttpOptions<C extends RequestContext> {
  readonly schema: GraphQLSchema;
  readonly authenticate: Authenticate;
  /** Called for each operation. It gives a plain object: Apollo Server copies its properties. */
  readonly contextFor: ContextFor<C>;
  /** What is published of the log, if anything is, and how a reviewer's reading of its leaves gets into it. */
  readonly published?: PublishedLog & { readonly enterReading: (caller: Caller, request: string) => Promise<void> };
  /** What has to answer for this server to be ready. */
  readonly checks: Checks;
  readonly limits: Limits;
  readonly onSuppressed: OnSuppressed;
  /** Also whether there is GraphiQL, which lives on it. */
  readonly introspection: boolean;
  /** The token in GraphiQL's headers editor; absent where there is no demo. */
  readonly demoToken?: () => Promise<string>;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

export interface Http {
  readonly app: FastifyInstance;
  /** @returns the URL that it listens on */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /**
   * From now on not ready, and each connection ends with its next answer. Answers what is under way for at most so many
   * milliseconds, then cuts the connections.
   */
  close(patience: number): Promise<void>;
}

/** Above the deadline of operations, so that no connection is cut under one. */
const IDLE_MS = 120_000;

export async function createHttp<C extends RequestContext>(options: HttpOptions<C>): Promise<Http> {
  const { authenticate, contextFor, limits, log, telemetry } = options;
  const executor = await createExecutor<C>(options);
  const budget = createBudget(limits.rate, options.onSuppressed, log);
  const door = createDoor(limits.door, () => performance.now());
  const working = new Set<Promise<unknown>>();
  let draining = false;

  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: IDLE_MS,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (_, socket) => {
      if (socket.writable) socket.end(UNREADABLE);
    },
    frameworkErrors: (_, request, reply) => sendError(request, reply, new Fault('BAD_REQUEST')),
  });
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('note');
  app.addHook('onRequest', async (request, reply) => {
    request.note = { caller: null, fields: new Set(), codes: new Set() };
    reply.header('x-request-id', request.id);
    if (draining) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => tell(request, reply, log, telemetry));
  app.setNotFoundHandler((request, reply) => sendError(request, reply, new Fault('NOT_FOUND')));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = FASTIFY_FAULTS[error.code];
    const thrown = known === undefined ? error : new Fault(known);
    tellUnexpected(log, request.id, thrown);
    return sendError(request, reply, thrown);
  });

  const authenticated = async (request: FastifyRequest): Promise<Caller> => {
    try {
      const caller = await authenticate(request.headers.authorization);
      request.note.caller = caller;
      return caller;
    } catch (error) {
      throw door.failed(request.ip, error);
    }
  };
  const enter = async (request: FastifyRequest) => {
    const caller = await authenticated(request);
    checkActs(caller);
    await budget.spend(caller, 1);
  };
  app.route({
    url: '/graphql',
    method: ['GET', 'POST'],
    onRequest: enter,
    handler: (request, reply) => answerGraphQL({ executor, contextFor, budget, limits, log, working }, request, reply),
  });
  app.route({
    url: '/graphql',
    method: ['DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'PUT'],
    handler: () => {
      throw new Fault('METHOD_NOT_ALLOWED', { headers: { allow: 'GET, POST' } });
    },
  });
  const streaming = createStreaming<C>({
    subscribe: createSubscriber<C>(options),
    contextFor,
    letIn: async ({ headers }) => checkActs(await authenticate(headers.authorization)),
    budget,
    limits,
    log,
    working,
  });
  app.post('/graphql/stream', { onRequest: enter }, (request, reply) => streaming.answer(request, reply));
  app.get('/metrics', async (request, reply) => {
    const caller = await authenticated(request);
    if (!caller.roles.includes('operator')) throw new Unauthenticated('TOKEN_ROLE_MISSING');
    return reply
      .header('cache-control', 'no-store')
      .type(telemetry.contentType)
      .send(await telemetry.text());
  });
  const { published } = options;
  if (published) {
    const enterReading = async (request: FastifyRequest) =>
      published.enterReading(await authenticated(request), request.id);
    addTiles(app, { ...published, enterReading });
  }
  addHealth(app, options.checks, () => draining);
  if (options.introspection) addGraphiQL(app, options.demoToken ? { token: options.demoToken } : {});

  return {
    app,
    listen: (at) => app.listen(at),
    async close(patience) {
      draining = true;
      streaming.stop();
      await drained(app, working, patience);
      await budget.close();
      await executor.stop();
    },
  };
}

/** @throws Unauthenticated for an operator, who reads metrics and acts as nothing */
function checkActs(caller: Caller): void {
  if (caller.roles.every((role) => role === 'operator')) throw new Unauthenticated('TOKEN_ROLE_MISSING');
}

/** Until nothing is under way, or for so many milliseconds: then the connections are cut, and nobody waits for the rest. */
async function drained(app: FastifyInstance, working: ReadonlySet<Promise<unknown>>, patience: number): Promise<void> {
  // A connection becomes idle with its answer, and would then be kept alive.
  const idle = setInterval(() => app.server.closeIdleConnections(), 20);
  let late: NodeJS.Timeout | undefined;
  const cut = new Promise<void>((resolve) => {
    late = setTimeout(resolve, patience);
  });
  try {
    await Promise.race([app.close().then(() => Promise.allSettled(working)), cut]);
  } finally {
    clearInterval(idle);
    clearTimeout(late);
    app.server.closeAllConnections();
  }
}

/** One line for each request, and its metrics. */
function tell(request: FastifyRequest, reply: FastifyReply, log: Log, telemetry: Telemetry): void {
  const { fields, codes } = request.note;
  const { method, id } = request;
  const about = { route: request.routeOptions.url ?? 'none', method, status: reply.statusCode };
  const ms = reply.elapsedTime;
  telemetry.request({ ...about, ms });
  for (const code of codes) telemetry.failed(code);
  log.info('request', {
    request: id,
    ...about,
    ms: Math.round(ms * 100) / 100,
    ...(fields.size > 0 && { fields: [...fields] }),
    ...(codes.size > 0 && { codes: [...codes] }),
  });
}

/** Fastify's messages may quote the body, so its codes are translated and its messages dropped. */
const FASTIFY_FAULTS: Readonly<Record<string, FaultCode>> = {
  FST_ERR_BAD_URL: 'BAD_REQUEST',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_EMPTY_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
};

/** To bytes that are no HTTP request, before there is a request to speak of. */
const UNREADABLE = ((body: string) =>
  [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${JSON_MEDIA}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n'))(JSON.stringify({ errors: [leavingError(new Fault('BAD_REQUEST'))] }));
