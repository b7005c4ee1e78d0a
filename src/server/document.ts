/**
 * A document's measure: what it asks for, before anything is asked. It is taken once for each parsed document and
 * operation, and kept as long as the document; only a complexity that depends on variables is worked out again.
 */
import { createRequire } from 'node:module';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  isLeafType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
  visit,
} from 'graphql';
import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { Fault } from '../graphql/fault.js';
import type { Limits } from './limits.js';

/** Required, for its module imports a second copy of graphql-js, which does not know the schema of the first. */
const { fieldExtensionsEstimator, getComplexity }: typeof import('graphql-query-complexity') = createRequire(
  import.meta.url,
)('graphql-query-complexity');

export type Variables = { readonly [name: string]: unknown };

export interface Measure {
  /** Names of root fields: words of our schema. */
  readonly fields: readonly string[];
  /** Selection sets within each other, introspection aside (graphql-js limits that itself). */
  readonly depth: number;
  readonly aliases: number;
  /** @throws GraphQLError where a variable does not fit */
  complexity(variables: Variables): number;
}

export type MeasureDocument = (document: DocumentNode, operation: OperationDefinitionNode) => Measure;

/** @throws Fault QUERY_TOO_DEEP, TOO_MANY_ALIASES, QUERY_TOO_COMPLEX */
export function refuseOverLimits(measure: Measure, variables: Variables, limits: Limits): void {
  const over = (is: number, limit: number) =>
    `It is ${Number.isFinite(is) ? is : 'beyond counting'}, the limit ${limit}.`;
  if (measure.depth > limits.depth) throw new Fault('QUERY_TOO_DEEP', { detail: over(measure.depth, limits.depth) });
  if (measure.aliases > limits.aliases) {
    throw new Fault('TOO_MANY_ALIASES', { detail: over(measure.aliases, limits.aliases) });
  }
  const complexity = measure.complexity(variables);
  if (complexity > limits.complexity) {
    throw new Fault('QUERY_TOO_COMPLEX', { detail: over(complexity, limits.complexity) });
  }
}

export function documentMeasure(schema: GraphQLSchema): MeasureDocument {
  const measures = new WeakMap<OperationDefinitionNode, Measure>();
  return (document, operation) => {
    const known = measures.get(operation);
    if (known) return known;
    const measure = measureOf(schema, document, operation);
    measures.set(operation, measure);
    return measure;
  };
}

function measureOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Measure {
  const fragments = fragmentsOf(document);
  const steady = (operation.variableDefinitions ?? []).every(({ type }) => isSteady(schema, type));
  let kept: number | null = null;
  return {
    fields: [...rootFields(operation.selectionSet, fragments)],
    depth: depthOf(operation.selectionSet, fragments),
    aliases: aliasesOf(document),
    complexity: (variables) => {
      if (kept !== null) return kept;
      const complexity = complexityOf(schema, document, operation, variables);
      if (steady) kept = complexity;
      return complexity;
    },
  };
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

function fragmentsOf(document: DocumentNode): Fragments {
  const found = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) found.set(one.name.value, one);
  }
  return found;
}

function rootFields(set: SelectionSetNode, fragments: Fragments, names = new Set<string>()): Set<string> {
  for (const one of set.selections) {
    if (one.kind === Kind.FIELD) names.add(one.name.value);
    else if (one.kind === Kind.INLINE_FRAGMENT) rootFields(one.selectionSet, fragments, names);
    else rootFields(fragments.get(one.name.value)!.selectionSet, fragments, names);
  }
  return names;
}

/** Each fragment is measured once, so that fragments of fragments cannot make measuring itself expensive. */
function depthOf(set: SelectionSetNode, fragments: Fragments, known = new Map<string, number>()): number {
  const depths = set.selections.map((one): number => {
    if (one.kind === Kind.INLINE_FRAGMENT) return depthOf(one.selectionSet, fragments, known);
    if (one.kind === Kind.FIELD) {
      const measured = one.selectionSet && !one.name.value.startsWith('__');
      return 1 + (measured ? depthOf(one.selectionSet, fragments, known) : 0);
    }
    const name = one.name.value;
    const depth = known.get(name) ?? depthOf(fragments.get(name)!.selectionSet, fragments, known);
    known.set(name, depth);
    return depth;
  });
  return Math.max(...depths);
}

function aliasesOf(document: DocumentNode): number {
  let aliases = 0;
  visit(document, {
    Field: ({ alias }) => {
      if (alias) aliases += 1;
    },
  });
  return aliases;
}

/** False for the type of a variable that could say how much is asked for: a number, a condition, a list, an object. */
function isSteady(schema: GraphQLSchema, type: TypeNode): boolean {
  if (type.kind === Kind.NON_NULL_TYPE) return isSteady(schema, type.type);
  if (type.kind === Kind.LIST_TYPE) return false;
  const name = type.name.value;
  return isLeafType(schema.getType(name)) && !['Int', 'Float', 'Boolean'].includes(name);
}

/** Fragments of fragments can ask for more fields than there are atoms; from here on nobody counts. */
const MAX_NODES = 10_000;

function complexityOf(
  schema: GraphQLSchema,
  query: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const name = operation.name?.value;
  try {
    return getComplexity({
      schema,
      query,
      variables,
      ...(name !== undefined && { operationName: name }),
      estimators: [fieldExtensionsEstimator(), pageEstimator],
      maxQueryNodes: MAX_NODES,
    });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (/maximum allowed number of nodes/.test(error.message)) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** What a page costs whose size is left to us. */
const UNSTATED_PAGE = 50;

function pageEstimator({ field, args, childComplexity }: ComplexityEstimatorArgs): number {
  const paged = field.args.some(({ name }) => name === 'first' || name === 'last');
  const asked: unknown = args.first ?? args.last ?? UNSTATED_PAGE;
  const size = paged && typeof asked === 'number' ? Math.max(1, asked) : 1;
  return 1 + childComplexity * size;
}
