/**
 * Need-to-know grants, through GraphQL.
 */
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import type { Pseudonym } from '../../log/entry.js';
import { isStanding } from './grant.rules.js';
import { GrantNeedToKnowInput, NeedToKnowGrant, NeedToKnowGrantConnection } from './grant.types.js';
import { grantNeedToKnow, listGrants, ownGrants, revokeNeedToKnow } from './grants.js';
import { needToKnowState, type NeedToKnowState as State } from './request.rules.js';
import { NeedToKnowState } from './request.types.js';

@Resolver(() => NeedToKnowGrant)
export class GrantResolver {
  @Query(() => NeedToKnowGrantConnection, {
    description:
      'Grants, of all or of one member of the staff. A page is one entry, with its count. For privacy officers.',
  })
  needToKnowGrants(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
    @Arg('staff', () => ID, { nullable: true }) staff?: string | null,
  ): Promise<Connection<NeedToKnowGrant>> {
    return listGrants(context, staff == null ? null : (uuidOrNull<Pseudonym>(staff) ?? 'nobody'), args);
  }

  @Query(() => NeedToKnowGrantConnection, { description: 'Your own grants; none unless you are of the staff.' })
  myGrants(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<NeedToKnowGrant>> {
    return ownGrants(context, args);
  }

  @Mutation(() => NeedToKnowGrant, { description: 'Approves a grant for somebody else. For privacy officers.' })
  async grantNeedToKnow(
    @Ctx() context: Context,
    @Arg('input', () => GrantNeedToKnowInput) { purpose, until, ...input }: GrantNeedToKnowInput,
  ): Promise<NeedToKnowGrant> {
    const staff = uuidOrNull<Pseudonym>(input.staff);
    if (!staff) throw new Fault('NO_SUCH_ID', { detail: '"staff" names nobody.' });
    const { categories = null, from = null } = input;
    return grantNeedToKnow(context, { staff, purpose, categories, from, until });
  }

  @Mutation(() => NeedToKnowGrant, {
    description: 'Ends a grant: no read is permitted by it after the entry of this. For privacy officers.',
  })
  async revokeNeedToKnow(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<NeedToKnowGrant> {
    const grant = uuidOrNull(id);
    if (!grant) throw new Fault('NO_SUCH_ID', { detail: '"id" names no grant.' });
    return revokeNeedToKnow(context, grant);
  }

  @FieldResolver(() => Boolean, { description: 'At this moment.' })
  inForce(@Root() grant: NeedToKnowGrant, @Ctx() { now }: Context): boolean {
    return isStanding(grant, now());
  }

  @FieldResolver(() => NeedToKnowState, { description: 'At this moment.' })
  state(@Root() grant: NeedToKnowGrant, @Ctx() { now }: Context): State {
    return needToKnowState(grant.until, grant, now());
  }
}
