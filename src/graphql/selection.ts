/**
 * A selection is what a document asks of one field's type: graphql-js's own reading of it, with aliases, fragments and
 * directives resolved, so that what is asked of the gate is exactly what the executor will ask of us.
 */
import { type FieldNode, type GraphQLObjectType, type GraphQLResolveInfo, getNamedType } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { getArgumentValues } from 'graphql/execution/values.js';

export interface SelectedField {
  /** The alias, or the name. */
  readonly responseKey: string;
  readonly name: string;
  readonly nodes: readonly FieldNode[];
  readonly args: Readonly<Record<string, unknown>>;
}

/** The fields selected of an object type below the field that `info` is about, or below `nodes`. */
export function selectedFields(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  nodes: readonly FieldNode[] = info.fieldNodes,
): SelectedField[] {
  const { schema, fragments, variableValues } = info;
  const fields = type.getFields();
  return [...collectSubfields(schema, fragments, variableValues, type, nodes)].flatMap(([responseKey, same]) => {
    const node = same[0]!;
    const field = fields[node.name.value];
    if (!field) return []; // __typename
    return [{ responseKey, name: field.name, nodes: same, args: getArgumentValues(field, node, variableValues) }];
  });
}

/** The type of a field's value, without lists and non-nulls. */
export function objectTypeOf(type: GraphQLObjectType, field: string): GraphQLObjectType {
  return getNamedType(type.getFields()[field]!.type) as GraphQLObjectType;
}
