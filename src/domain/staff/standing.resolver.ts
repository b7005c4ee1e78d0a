/**
 * Engagements, confidentiality agreements and training records, through GraphQL.
 */
import { Arg, Args, type ClassType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import type { Pseudonym } from '../../log/entry.js';
import type { StandingRow } from './standing.entity.js';
import { type StandingKind, type StandingState as State, stateOf } from './standing.rules.js';
import {
  BeginEngagementInput,
  ConfidentialityAgreement,
  Engagement,
  RecordAgreementInput,
  RecordTrainingInput,
  StaffMember,
  StaffMemberConnection,
  StandingState,
  TrainingRecord,
} from './standing.types.js';
import { endStanding, listStaff, type Member, ownStanding, recordStanding } from './standings.js';

@Resolver()
export class StandingResolver {
  @Query(() => StaffMemberConnection, {
    description: 'The staff (clause 5.2). A page is one entry, with its count. For privacy officers.',
  })
  staff(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<Member>> {
    return listStaff(context, args);
  }

  @Query(() => StaffMember, { nullable: true, description: 'Yourself (clause 5.2); null unless you are of the staff.' })
  myStanding(@Ctx() context: Context): Promise<Member | null> {
    return ownStanding(context);
  }

  @Mutation(() => Engagement, { description: 'Records an engagement of somebody else (5.2). For privacy officers.' })
  beginEngagement(
    @Ctx() context: Context,
    @Arg('input', () => BeginEngagementInput) { staff, kind, from = null, until = null }: BeginEngagementInput,
  ): Promise<Engagement> {
    return recordStanding(context, 'engagement', { staff: memberOf(staff), kind, from, until });
  }

  @Mutation(() => Engagement, {
    description:
      'Ends an engagement: no read of the member is permitted after the entry of this (5.2). For privacy officers.',
  })
  endEngagement(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<Engagement> {
    return end(context, 'engagement', id);
  }

  @Mutation(() => ConfidentialityAgreement, {
    description: 'Records a confidentiality agreement that somebody else signed (5.2). For privacy officers.',
  })
  recordConfidentialityAgreement(
    @Ctx() context: Context,
    @Arg('input', () => RecordAgreementInput) { staff, from = null, until = null }: RecordAgreementInput,
  ): Promise<ConfidentialityAgreement> {
    return recordStanding(context, 'agreement', { staff: memberOf(staff), from, until });
  }

  @Mutation(() => ConfidentialityAgreement, {
    description: 'Ends a confidentiality agreement, and with it what rests on it (5.2). For privacy officers.',
  })
  withdrawConfidentialityAgreement(
    @Ctx() context: Context,
    @Arg('id', () => ID) id: string,
  ): Promise<ConfidentialityAgreement> {
    return end(context, 'agreement', id);
  }

  @Mutation(() => TrainingRecord, {
    description: 'Records a training that somebody else completed (5.2). For privacy officers.',
  })
  recordTraining(
    @Ctx() context: Context,
    @Arg('input', () => RecordTrainingInput) { staff, from = null, until }: RecordTrainingInput,
  ): Promise<TrainingRecord> {
    return recordStanding(context, 'training', { staff: memberOf(staff), from, until });
  }

  @Mutation(() => TrainingRecord, {
    description: 'Ends a training record that should not be, and what rests on it (5.2). For privacy officers.',
  })
  withdrawTraining(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<TrainingRecord> {
    return end(context, 'training', id);
  }
}

/** What state one is in, at this moment. */
function stateResolver(Type: ClassType<Engagement | ConfidentialityAgreement | TrainingRecord>) {
  @Resolver(() => Type)
  class StateResolver {
    @FieldResolver(() => StandingState, { description: 'At this moment.' })
    state(@Root() standing: StandingRow, @Ctx() { now }: Context): State {
      return stateOf(standing, now());
    }
  }
  return StateResolver;
}

export const EngagementResolver = stateResolver(Engagement);
export const AgreementResolver = stateResolver(ConfidentialityAgreement);
export const TrainingResolver = stateResolver(TrainingRecord);

function memberOf(id: string): Pseudonym {
  const staff = uuidOrNull<Pseudonym>(id);
  if (!staff) throw new Fault('NO_SUCH_ID', { detail: '"staff" names nobody.' });
  return staff;
}

function end<K extends StandingKind>(context: Context, standing: K, id: string) {
  const known = uuidOrNull(id);
  if (!known) throw new Fault('NO_SUCH_ID', { detail: `"id" names no ${standing}.` });
  return endStanding(context, standing, known);
}
