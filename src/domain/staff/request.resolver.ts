/**
 * Requests of need to know, through GraphQL.
 */
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import { NeedToKnowGrant } from './grant.types.js';
import { NeedToKnowRequest, NeedToKnowRequestConnection, RequestNeedToKnowInput } from './request.types.js';
import { approveNeedToKnow, listRequests, ownRequests, requestNeedToKnow } from './requests.js';

@Resolver()
export class RequestResolver {
  @Query(() => NeedToKnowRequestConnection, {
    description: 'Requests that wait for approval (5.2). A page is one entry, with its count. For privacy officers.',
  })
  needToKnowRequests(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<NeedToKnowRequest>> {
    return listRequests(context, args);
  }

  @Query(() => NeedToKnowRequestConnection, { description: 'Your own requests, and what became of them (5.2).' })
  myNeedToKnowRequests(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<NeedToKnowRequest>> {
    return ownRequests(context, args);
  }

  @Mutation(() => NeedToKnowRequest, {
    description: 'Asks for need to know: it opens nothing before a privacy officer approves it (5.2). For staff.',
  })
  requestNeedToKnow(
    @Ctx() context: Context,
    @Arg('input', () => RequestNeedToKnowInput) { purpose, categories = null, until }: RequestNeedToKnowInput,
  ): Promise<NeedToKnowRequest> {
    return requestNeedToKnow(context, { purpose, categories, until });
  }

  @Mutation(() => NeedToKnowGrant, {
    description: 'Approves what somebody else asked for, from now on (5.2). For privacy officers.',
  })
  approveNeedToKnow(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<NeedToKnowGrant> {
    const request = uuidOrNull(id);
    if (!request) throw new Fault('NO_SUCH_ID', { detail: '"id" names no request.' });
    return approveNeedToKnow(context, request);
  }
}
