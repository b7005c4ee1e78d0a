/**
 * What GraphQL shows of what one could read.
 */
import { Field, ObjectType } from 'type-graphql';
import { ErrorCode } from '../../graphql/error-code.js';

@ObjectType({ description: 'Categories that a read would withhold, and why.' })
export class WithheldAccess {
  @Field(() => [String], { description: 'Of what is not declared, nothing is repeated.' })
  categories: readonly string[];
  @Field(() => ErrorCode)
  code: string;
  @Field(() => String, { description: 'The clause of the privacy policy that the decision rests on.' })
  clause: string;
  @Field(() => [String], { description: 'What is to be had before a read of these is permitted.' })
  missing: readonly string[];
}

@ObjectType({
  description:
    'What you could read at this moment, of people whom nothing else keeps it from (clause 5.2). It names no person and no value.',
})
export class MyAccess {
  @Field(() => [String], { description: 'Categories that a read would show.' })
  permitted: readonly string[];
  @Field(() => [WithheldAccess])
  withheld: readonly WithheldAccess[];
  @Field(() => [String], { description: 'All that is missing; empty where all would be shown.' })
  missing: readonly string[];
}
