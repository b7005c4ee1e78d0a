/**
 * Scalars of our own. `LogIndex` is where in the log an entry stands: a JSON number up to 2^53−1, and as an argument a
 * string of digits too, for clients whose numbers end earlier. Times are ISO 8601 in UTC.
 */
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import type { LogIndex } from '../log/leaf.js';

export const Instant = GraphQLDateTimeISO;

export const LogIndexScalar = new GraphQLScalarType<LogIndex, number>({
  name: 'LogIndex',
  description: 'Where in the log an entry stands: a number from 0 to 2^53−1. As an argument, a string of digits too.',
  serialize: indexOf,
  parseValue: indexOf,
  parseLiteral: (node) => indexOf(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : null),
});

function indexOf(value: unknown): LogIndex {
  const index = typeof value === 'string' && /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : value;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    throw new GraphQLError('A LogIndex is a number from 0 to 2^53−1, or a string of its digits.');
  }
  return index as LogIndex;
}
