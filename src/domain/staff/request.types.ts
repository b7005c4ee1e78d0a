/**
 * What GraphQL shows and takes of requests of need to know.
 */
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { MOST_KEYS } from '../../graphql/keys.js';
import { Instant } from '../../graphql/scalars.js';
import { NEED_TO_KNOW_STATES, type NeedToKnowState as State } from './request.rules.js';

export const NeedToKnowState = enumOf(NEED_TO_KNOW_STATES);
registerEnumType(NeedToKnowState, { name: 'NeedToKnowState', description: 'How far a need to know has come (5.2).' });

@ObjectType({
  description: 'A member of the staff asks to read these categories for this purpose, until then (clause 5.2).',
})
export class NeedToKnowRequest {
  @Field(() => ID, { description: 'That of the grant as well, once it is approved.' })
  id: string;
  @Field(() => ID, { description: 'The pseudonym of the member.' })
  staff: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [String], { nullable: true, description: 'Null for all that the purpose covers.' })
  categories: readonly string[] | null;
  @Field(() => Instant)
  requestedAt: Date;
  @Field(() => Instant, { description: 'The first moment at which it would no longer be in force.' })
  until: Date;
  @Field(() => NeedToKnowState, { description: 'At this moment.' })
  state: State;
}

export const { NodeConnection: NeedToKnowRequestConnection } = connectionTypes(NeedToKnowRequest, 'NeedToKnowRequest');

@InputType()
export class RequestNeedToKnowInput {
  @Field(() => String)
  purpose: string;
  @Field(() => [String], {
    nullable: true,
    description: `Keys of declared categories that the purpose covers, at most ${MOST_KEYS}; null for all of them.`,
  })
  categories?: string[] | null;
  @Field(() => Instant, { description: 'At most 366 days from now.' })
  until: Date;
}
