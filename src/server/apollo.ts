/**
 * Apollo Server, as one function: an operation and its context in, a status and the text of an answer out.
 * HTTP, authentication and batches are `http.ts`; here are validation, limits, and what leaves.
 */
import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequestContext,
  HeaderMap,
  type HTTPGraphQLRequest,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type FormattedExecutionResult, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { FAULTS, Fault, type FaultCode, isFaultCode } from '../graphql/fault.js';
import { documentMeasure, refuseOverLimits } from './document.js';
import { createDocumentStore } from './document-store.js';
import { leavingError, tellUnexpected } from './errors.js';
import type { Limits } from './limits.js';
import { causes, type Log } from './log.js';
import { GRAPHQL_MEDIA, type MediaType } from './media-type.js';

/** An entry as it leaves: where it stands in the log, and its link. */
export interface CausedEntry {
  readonly index: number;
  readonly link: string;
}

/** What the server needs of an operation's context. Every operation has its own, also within a batch. */
export interface RequestContext {
  /** Our id of the HTTP request. */
  readonly request: string;
  /** The entries that this operation caused: the verbs add to it, in any order. */
  readonly entries: readonly CausedEntry[];
}

/** What operations tell about themselves for the server's log and metrics: words of ours. */
export interface Trace {
  readonly fields: Set<string>;
  readonly codes: Set<string>;
}

export interface Operation<C extends RequestContext> {
  readonly method: 'GET' | 'POST';
  /** With the question mark; GET only. */
  readonly search: string;
  /** Parsed JSON, of whatever shape. */
  readonly body: unknown;
  readonly contentType: string | undefined;
  /** A header that no form on another site can send. */
  readonly preflight: string | undefined;
  readonly media: MediaType;
  readonly context: C;
  readonly trace: Trace;
}

export interface Answer {
  readonly status: number;
  readonly allow: string | undefined;
  /** JSON. */
  readonly text: string;
}

export interface Executor<C extends RequestContext> {
  execute(operation: Operation<C>): Promise<Answer>;
  stop(): Promise<void>;
}

export interface ExecutorOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Limits;
  readonly introspection: boolean;
  readonly log: Log;
}

/** Apollo Server hands the request on to its plugins as it is, so it can stand for what is asked by it. */
type Asked = WeakMap<HTTPGraphQLRequest, Pick<Operation<RequestContext>, 'media' | 'trace'>>;

export async function createExecutor<C extends RequestContext>(options: ExecutorOptions): Promise<Executor<C>> {
  const { schema, limits, introspection, log } = options;
  const asked: Asked = new WeakMap();
  const server = new ApolloServer<C>({
    schema,
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: true,
    persistedQueries: false,
    documentStore: createDocumentStore(limits.documentCharacters),
    parseOptions: { maxTokens: limits.tokens },
    formatError: (_, error) => leavingError(error),
    logger: quiet(log),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      operationPlugin<C>(options, asked),
    ],
  });
  await server.start();
  return {
    stop: () => server.stop(),
    async execute({ method, search, body, contentType, preflight, media, context, trace }) {
      const headers = new HeaderMap();
      if (contentType !== undefined) headers.set('content-type', contentType);
      if (preflight !== undefined) headers.set('apollo-require-preflight', preflight);
      const httpGraphQLRequest: HTTPGraphQLRequest = { method, search, body, headers };
      asked.set(httpGraphQLRequest, { media, trace });
      const answer = await server.executeHTTPGraphQLRequest({ httpGraphQLRequest, context: async () => context });
      if (answer.body.kind !== 'complete') throw new Fault('INTERNAL', { detail: 'Answers in parts are not served.' });
      const status = answer.status ?? 200;
      if (status >= 400 && trace.codes.size === 0) noteCodes(trace, answer.body.string);
      return { status, allow: answer.headers.get('allow'), text: answer.body.string };
    },
  };
}

/** What Apollo Server refused before there was an operation for a plugin to see. */
function noteCodes({ codes }: Trace, text: string): void {
  const { errors = [] } = JSON.parse(text) as FormattedExecutionResult;
  for (const { extensions } of errors) codes.add(String(extensions?.code));
}

/** One plugin, no hook for each field: those cost more than the fields do. */
function operationPlugin<C extends RequestContext>(
  { schema, limits, log }: ExecutorOptions,
  asked: Asked,
): ApolloServerPlugin<C> {
  const measure = documentMeasure(schema);
  const hooks = {
    async didResolveOperation({ document, operation, request }: GraphQLRequestContext<C>): Promise<void> {
      if (!document || !operation) return;
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw new Fault('SUBSCRIPTION_REFUSED');
      const measured = measure(document, operation);
      const trace = request.http && asked.get(request.http)?.trace;
      for (const field of measured.fields) trace?.fields.add(field);
      refuseOverLimits(measured, request.variables ?? {}, limits);
    },
    async didEncounterErrors({ errors, contextValue, request }: GraphQLRequestContext<C>): Promise<void> {
      const trace = request.http && asked.get(request.http)?.trace;
      // What the whole page rests on fails once, and is then every row's error.
      const told = new Set<unknown>();
      for (const error of errors ?? []) {
        trace?.codes.add(leavingError(error).extensions.code);
        const origin = causes(error).at(-1);
        if (!told.has(origin)) tellUnexpected(log, contextValue.request, error);
        told.add(origin);
      }
    },
    async willSendResponse({ response, contextValue, request }: GraphQLRequestContext<C>): Promise<void> {
      if (response.body?.kind !== 'single') return;
      const result = response.body.singleResult;
      if (contextValue.entries.length > 0) {
        result.extensions = { ...result.extensions, ...ledgerExtension(contextValue.entries) };
      }
      response.http.status = statusOf(result, request.http && asked.get(request.http)?.media);
    },
  };
  return { requestDidStart: async () => hooks };
}

/** Sorted by index, each once: two verbs may have caused the same entry. */
export function ledgerExtension(caused: readonly CausedEntry[]): { ledger: { entries: CausedEntry[] } } {
  const byIndex = new Map(caused.map(({ index, link }) => [index, { index, link }]));
  return { ledger: { entries: [...byIndex.values()].sort((a, b) => a.index - b.index) } };
}

/**
 * GraphQL over HTTP: a well-formed request whose document is at fault is answered 200 as `application/json`, and 400
 * as `application/graphql-response+json`. An answer with data is 200, whatever failed beside it.
 */
function statusOf({ data, errors }: FormattedExecutionResult, media: MediaType | undefined): number {
  const code = errors?.[0]?.extensions?.code;
  if (errors === undefined || (data !== null && data !== undefined) || !isFaultCode(code)) return 200;
  const { status } = FAULTS[code];
  return media !== GRAPHQL_MEDIA && status === 400 && !MALFORMED_REQUESTS.has(code) ? 200 : status;
}

/** What is no GraphQL request in the first place. */
const MALFORMED_REQUESTS: ReadonlySet<FaultCode> = new Set(['BAD_REQUEST', 'CSRF_REFUSED']);

/** Apollo's own messages may quote errors, so only their existence is told. */
function quiet(log: Log) {
  const tell = () => log.warn('Apollo Server had something to say');
  return { debug: () => {}, info: () => {}, warn: tell, error: tell };
}
