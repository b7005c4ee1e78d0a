/**
 * What GraphQL shows and takes of engagements, confidentiality agreements and training records.
 */
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { Instant } from '../../graphql/scalars.js';
import { ENGAGEMENT_KINDS, type EngagementKind as Kind } from './standing.entity.js';
import { STANDING_STATES } from './standing.rules.js';

export const EngagementKind = enumOf(ENGAGEMENT_KINDS);
registerEnumType(EngagementKind, { name: 'EngagementKind', description: 'In the words of clause 5.2.' });

export const StandingState = enumOf(STANDING_STATES);
registerEnumType(StandingState, {
  name: 'StandingState',
  description: 'Whether it has begun, is in force at this moment, has run out, or was ended sooner.',
});

@ObjectType()
abstract class Standing {
  @Field(() => ID)
  id: string;
  @Field(() => ID, { description: 'The pseudonym of the member.' })
  staff: string;
  @Field(() => ID, { description: 'The pseudonym of whoever recorded it: never the member.' })
  recordedBy: string;
  @Field(() => Instant)
  from: Date;
  @Field(() => Instant, {
    nullable: true,
    description: 'The first moment at which it is not in force; null for never.',
  })
  until: Date | null;
  @Field(() => Instant, { nullable: true, description: 'When it was ended sooner.' })
  endedAt: Date | null;
}

@ObjectType({ description: 'As what a member of the staff works for us, and how long (clause 5.2).' })
export class Engagement extends Standing {
  @Field(() => EngagementKind)
  kind: Kind;
}

@ObjectType({ description: 'A member of the staff has agreed to keep what they learn to themselves (clause 5.2).' })
export class ConfidentialityAgreement extends Standing {}

@ObjectType({ description: 'A training in data protection that a member of the staff completed (clause 5.2).' })
export class TrainingRecord extends Standing {}

@ObjectType({
  description:
    'What a member of the staff must have, besides need to know, to reach personal data: one of each in force (clause 5.2).',
})
export class StaffMember {
  @Field(() => ID, { description: 'The pseudonym: their `me.id`.' })
  id: string;
  @Field(() => [Engagement])
  engagements: readonly Engagement[];
  @Field(() => [ConfidentialityAgreement])
  confidentialityAgreements: readonly ConfidentialityAgreement[];
  @Field(() => [TrainingRecord])
  trainingRecords: readonly TrainingRecord[];
}

export const { NodeConnection: StaffMemberConnection } = connectionTypes(StaffMember, 'StaffMember');

const MEMBER = 'The pseudonym of the member: their `me.id`. Never your own.';

@InputType()
export class BeginEngagementInput {
  @Field(() => ID, { description: MEMBER })
  staff: string;
  @Field(() => EngagementKind)
  kind: Kind;
  @Field(() => Instant, { nullable: true, description: 'Now, if left out.' })
  from?: Date | null;
  @Field(() => Instant, { nullable: true, description: 'Without term, if left out.' })
  until?: Date | null;
}

@InputType()
export class RecordAgreementInput {
  @Field(() => ID, { description: MEMBER })
  staff: string;
  @Field(() => Instant, { nullable: true, description: 'When it was signed: now, if left out.' })
  from?: Date | null;
  @Field(() => Instant, { nullable: true, description: 'Without term, if left out.' })
  until?: Date | null;
}

@InputType()
export class RecordTrainingInput {
  @Field(() => ID, { description: MEMBER })
  staff: string;
  @Field(() => Instant, { nullable: true, description: 'When it was completed: now, if left out.' })
  from?: Date | null;
  @Field(() => Instant, { description: 'How long it is current: at most 731 days.' })
  until: Date;
}
