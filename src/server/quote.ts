/**
 * A quote is as much of graphql-js's message as may be repeated: names of the schema, and names of the client's document.
 * The messages also quote literals and variables' values, which may be somebody's e-mail address, and answers end up in
 * other people's logs. So what is not known to be harmless is left out; the error's location still says where.
 */
import { type GraphQLError, Kind, print, type VariableDefinitionNode } from 'graphql';

/** What stood where something else was expected is left out: it may be a literal. */
export function saySyntax({ message }: GraphQLError): string | undefined {
  const expected = /^Syntax Error: (Expected [^,]{1,80}), found /.exec(message)?.[1];
  return expected && `${expected}.`;
}

const NAMES = /^[@$]?[\w![\]. :]*$/;
const MAX_QUOTE = 400;

export function sayInvalid(error: GraphQLError): string | undefined {
  if (error.nodes?.some(({ kind }) => kind === Kind.OBJECT_FIELD || kind.endsWith('Value'))) return sayLiteral(error);
  const quoted = error.message.match(/"[^"]*"/g) ?? [];
  const harmless = quoted.every((text) => NAMES.test(text.slice(1, -1))) && error.message.length <= MAX_QUOTE;
  return harmless ? error.message : undefined;
}

/** Rule ValuesOfCorrectType: the type is repeated, the literal is not. */
function sayLiteral({ message }: GraphQLError): string | undefined {
  if (
    /^Field "\w+(\.\w+)?" (of required type "[\w![\]]+" was not provided|is not defined by type "\w+")/.test(message)
  ) {
    return NAMES.test(message.replaceAll('"', '').replaceAll(/[?,]/g, '')) ? message : undefined;
  }
  const type =
    /^Expected value of type "([\w![\]]+)", found /.exec(message)?.[1] ??
    /^(Int|Float|String|Boolean|ID) cannot represent /.exec(message)?.[1] ??
    /^Enum "(\w+)" cannot represent /.exec(message)?.[1] ??
    /^Value "\w*" does not exist in "(\w+)" enum/.exec(message)?.[1];
  return type && `Expected a value of type "${type}".`;
}

/** Which variable, of which type, and where in it: names of the document and of the schema. */
export function sayInvalidVariable({ message, nodes }: GraphQLError): string | undefined {
  const definition = nodes?.[0];
  if (definition?.kind !== Kind.VARIABLE_DEFINITION) return undefined;
  const { variable, type } = definition as VariableDefinitionNode;
  const where = /^[^;]* at "([\w.[\]]{1,200})"; /.exec(message)?.[1];
  const path = where?.startsWith(variable.name.value) ? ` at "${where}"` : '';
  return `The variable "$${variable.name.value}" of type "${print(type)}" has no fitting value${path}.`;
}
