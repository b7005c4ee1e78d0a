/**
 * What GraphQL shows and takes of need-to-know grants.
 */
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { MOST_KEYS } from '../../graphql/keys.js';
import { Instant } from '../../graphql/scalars.js';

@ObjectType({
  description: 'One member of the staff may read these categories for this purpose, until then (clause 5.2).',
})
export class NeedToKnowGrant {
  @Field(() => ID)
  id: string;
  @Field(() => ID, { description: 'The pseudonym of the member.' })
  staff: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [String], { nullable: true, description: 'Null for all that the purpose covers.' })
  categories: readonly string[] | null;
  @Field(() => ID, { description: 'The pseudonym of whoever approved it.' })
  approvedBy: string;
  @Field(() => Instant)
  from: Date;
  @Field(() => Instant, { description: 'The first moment at which it is no longer in force.' })
  until: Date;
  @Field(() => Instant, { nullable: true })
  revokedAt: Date | null;
}

export const { NodeConnection: NeedToKnowGrantConnection } = connectionTypes(NeedToKnowGrant, 'NeedToKnowGrant');

@InputType()
export class GrantNeedToKnowInput {
  @Field(() => ID, { description: 'The pseudonym of the member: their `me.id`. Never your own.' })
  staff: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [String], {
    nullable: true,
    description: `Keys of declared categories that the purpose covers, at most ${MOST_KEYS}; null for all of them.`,
  })
  categories?: string[] | null;
  @Field(() => Instant, { nullable: true, description: 'Now, if left out.' })
  from?: Date | null;
  @Field(() => Instant, { description: 'At most 366 days from now.' })
  until: Date;
}
