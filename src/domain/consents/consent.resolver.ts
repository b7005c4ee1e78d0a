/**
 * Consents, through GraphQL.
 */
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import type { Pseudonym } from '../../log/entry.js';
import { type ConsentState, isConsenting, stateOf } from '../../policy/consent.js';
import {
  Consent,
  ConsentConnection,
  ConsentGivingInput,
  ConsentStates,
  GiveConsentInput,
  RequestConsentInput,
} from './consent.types.js';
import {
  type Giving,
  giveConsent,
  invalidateConsent,
  listConsents,
  ownConsents,
  refuseConsent,
  renewConsent,
  requestConsent,
  withdrawConsent,
} from './consents.js';
import { type ConsentHistory, newest } from './history.js';

@Resolver(() => Consent)
export class ConsentResolver {
  @Query(() => ConsentConnection, {
    description:
      'Your own consents; or, for staff, those of a user for a purpose all of which you need to know: a page is one entry, with its count (clause 3.1).',
  })
  consents(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
    @Arg('user', () => ID, { nullable: true }) user?: string | null,
    @Arg('purpose', () => String, { nullable: true }) purpose?: string | null,
  ): Promise<Connection<ConsentHistory>> {
    if (user == null) return ownConsents(context, args);
    const subject = uuidOrNull<Pseudonym>(user);
    if (!subject) throw new Fault('NO_SUCH_ID', { detail: '"user" names nobody.' });
    if (purpose == null) throw new Fault('BAD_INPUT', { detail: 'A "user" comes with a "purpose".' });
    return listConsents(context, { user: subject, purpose }, args);
  }

  @Mutation(() => Consent, {
    description: 'Asks a user for consent (clause 3.1). For staff who need to know these categories for the purpose.',
  })
  requestConsent(
    @Ctx() context: Context,
    @Arg('input', () => RequestConsentInput) { user, purpose, categories }: RequestConsentInput,
  ): Promise<ConsentHistory> {
    const subject = uuidOrNull<Pseudonym>(user);
    if (!subject) throw new Fault('NO_SUCH_ID', { detail: '"user" names nobody.' });
    return requestConsent(context, { user: subject, purpose, categories });
  }

  @Mutation(() => Consent, { description: 'Gives your consent, requested or not (clause 3.1). For users.' })
  giveConsent(
    @Ctx() context: Context,
    @Arg('input', () => GiveConsentInput) { purpose, categories, giving }: GiveConsentInput,
  ): Promise<ConsentHistory> {
    return giveConsent(context, { purpose, categories, giving: givingOf(giving) });
  }

  @Mutation(() => Consent, { description: 'Refuses what was requested of you (clause 3.1). For users.' })
  refuseConsent(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<ConsentHistory> {
    return refuseConsent(context, idOf(id));
  }

  @Mutation(() => Consent, {
    description: 'Withdraws your consent: nothing is permitted by it after the entry of this (clause 3.1). For users.',
  })
  withdrawConsent(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<ConsentHistory> {
    return withdrawConsent(context, idOf(id));
  }

  @Mutation(() => Consent, { description: 'Renews your consent while it is in force (clause 3.1). For users.' })
  renewConsent(
    @Ctx() context: Context,
    @Arg('id', () => ID) id: string,
    @Arg('giving', () => ConsentGivingInput) giving: ConsentGivingInput,
  ): Promise<ConsentHistory> {
    return renewConsent(context, idOf(id), givingOf(giving));
  }

  @Mutation(() => Consent, {
    description: 'Ends a consent that turns out to have been none (clause 3.1). For privacy officers.',
  })
  invalidateConsent(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<ConsentHistory> {
    return invalidateConsent(context, idOf(id));
  }

  @FieldResolver(() => ConsentStates, { description: 'At this moment.' })
  state(@Root() consent: ConsentHistory, @Ctx() { now }: Context): ConsentState {
    return stateOf(newest(consent), now());
  }

  @FieldResolver(() => Boolean, { description: 'At this moment.' })
  inForce(@Root() consent: ConsentHistory, @Ctx() { now }: Context): boolean {
    return isConsenting(newest(consent), now());
  }
}

function idOf(id: string): string {
  const consent = uuidOrNull(id);
  if (!consent) throw new Fault('NO_SUCH_ID', { detail: '"id" names no consent.' });
  return consent;
}

function givingOf({ until = null, ...giving }: ConsentGivingInput): Giving {
  return { ...giving, until };
}
