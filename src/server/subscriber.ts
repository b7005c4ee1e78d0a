/**
 * The subscriber does for subscriptions what Apollo Server does for queries and mutations: an operation and its context in,
 * one result for each event out, under the same limits. HTTP is `stream.ts`.
 */
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { Fault } from '../graphql/fault.js';
import { ledgerExtension, type RequestContext, type Trace } from './apollo.js';
import { documentMeasure, refuseOverLimits, type Variables } from './document.js';
import { leavingError, tellUnexpected } from './errors.js';
import type { Limits } from './limits.js';
import type { Log } from './log.js';

export interface SubscriptionRequest {
  readonly query: string;
  readonly variables: Variables;
  readonly operationName: string | null;
}

/**
 * Results, each as it is sent. The next event is asked for only when its result is: whoever reads slowly is waited for, and
 * nothing is kept for them. It ends at the first error of the whole operation, with that error.
 */
export type Subscribe<C extends RequestContext> = (
  request: SubscriptionRequest,
  context: C,
  trace: Trace,
) => AsyncGenerator<FormattedExecutionResult, void, undefined>;

export interface SubscriberOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Limits;
  readonly introspection: boolean;
  readonly log: Log;
}

export function createSubscriber<C extends RequestContext>(options: SubscriberOptions): Subscribe<C> {
  const { schema, limits, introspection, log } = options;
  const measure = documentMeasure(schema);
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];

  /** @throws GraphQLError, Fault */
  function read({ query, operationName }: SubscriptionRequest): [DocumentNode, OperationDefinitionNode] {
    const document = coded('GRAPHQL_PARSE_FAILED', () => parse(query, { maxTokens: limits.tokens }));
    const [invalid] = validate(schema, document, rules, { maxErrors: 1 });
    if (invalid) throw withCode(introspection ? invalid : withoutHints(invalid), 'GRAPHQL_VALIDATION_FAILED');
    const operation = getOperationAST(document, operationName);
    if (!operation) throw new Fault('OPERATION_UNKNOWN');
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) throw new Fault('NO_SUBSCRIPTION');
    return [document, operation];
  }

  return async function* subscribe(request, context, trace) {
    const tell = (errors: readonly unknown[]) => {
      for (const error of errors) {
        trace.codes.add(leavingError(error).extensions.code);
        tellUnexpected(log, context.request, error);
      }
      return errors.map(leavingError);
    };
    let told = 0;
    /** What it has caused since the last result. */
    const extensions = () => {
      const caused = context.entries.slice(told);
      told = context.entries.length;
      return caused.length > 0 ? { extensions: ledgerExtension(caused) } : {};
    };
    try {
      const [document, operation] = read(request);
      const measured = measure(document, operation);
      for (const field of measured.fields) trace.fields.add(field);
      refuseOverLimits(measured, request.variables, limits);
      const { operationName, variables: variableValues } = request;
      const args = { schema, document, operationName, variableValues };
      const events = await createSourceEventStream({ ...args, contextValue: context });
      if (!(Symbol.asyncIterator in events)) {
        yield { errors: tell(events.errors ?? []), ...extensions() };
        return;
      }
      for await (const rootValue of events) {
        // What an event asks is asked for by itself, so its context is its own.
        const result: ExecutionResult = await execute({ ...args, rootValue, contextValue: { ...context } });
        const { data = null, errors } = result;
        yield { ...(errors && { errors: tell(errors) }), data, ...extensions() };
      }
    } catch (error) {
      yield { errors: tell([error]), ...extensions() };
    }
  };
}

/** The words by which `errors.ts` knows what Apollo Server refuses. */
function withCode(error: GraphQLError, code: string): GraphQLError {
  error.extensions.code = code;
  return error;
}

function coded<T>(code: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withCode(error as GraphQLError, code);
  }
}

/** Where nobody may ask for the schema, guesses do not tell it. */
function withoutHints(error: GraphQLError): GraphQLError {
  error.message = error.message.replace(/ ?Did you mean(.+?)\?$/, '');
  return error;
}
