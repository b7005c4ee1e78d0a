/**
 * What a document asks of `User.personalData`, found ahead of the executor: so that the root field asks the gate once for
 * each person, and a value is a plain property by the time the executor comes to it.
 */
import type { GraphQLObjectType, GraphQLResolveInfo } from 'graphql';
import type { ReadAsk } from '../../gate/read.js';
import { distinctKeys } from '../../graphql/keys.js';
import { objectTypeOf, selectedFields } from '../../graphql/selection.js';
import type { Pseudonym } from '../../log/entry.js';

/** The asks below a root field whose type is User, by response key. @throws Fault BAD_INPUT for a list that has no end */
export function selectedAsks(info: GraphQLResolveInfo, subject: Pseudonym, operation: string): Map<string, ReadAsk> {
  const user = info.schema.getType('User') as GraphQLObjectType;
  const record = objectTypeOf(user, 'personalData');
  const asks = new Map<string, ReadAsk>();
  for (const { responseKey, name, nodes, args } of selectedFields(info, user)) {
    if (name !== 'personalData') continue;
    const { purpose, categories = null } = args as { purpose: string; categories?: string[] | null };
    const values = selectedFields(info, record, nodes).some((field) => field.name === 'value');
    asks.set(responseKey, {
      subject,
      purpose,
      categories: categories && distinctKeys('categories', categories),
      values,
      operation,
    });
  }
  return asks;
}

/** Whether the `personalData` field that `info` is about selects `value`: only then is anything opened. */
export function selectsValue(info: GraphQLResolveInfo): boolean {
  const record = objectTypeOf(info.parentType, info.fieldName);
  return selectedFields(info, record).some((field) => field.name === 'value');
}
