/**
 * What GraphQL shows and takes of services.
 */
import { Field, InputType, ObjectType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { MOST_KEYS } from '../../graphql/keys.js';

@ObjectType({ description: 'A product or service that may process personal data (clause 8.2).' })
export class Service {
  @Field(() => String)
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => String, { name: 'policyVersion', description: 'The version of the policy that it is enrolled under.' })
  policy: string;
  @Field(() => [String], {
    name: 'essentialCategories',
    description:
      'Keys of the data categories without which it cannot be provided (clause 4.1). All others are optional.',
  })
  essential: readonly string[];
}

export const { NodeConnection: ServiceConnection } = connectionTypes(Service, 'Service');

@InputType()
export class EnrolServiceInput {
  @Field(() => String, { description: 'Lower-case letters and hyphens.' })
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => [String], { description: `Keys of declared data categories, at most ${MOST_KEYS}; may be none.` })
  essentialCategories: string[];
}
