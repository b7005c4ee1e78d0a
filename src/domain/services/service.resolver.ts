/**
 * Services, and what people decline, through GraphQL.
 */
import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { type CategoryRow, listCategories } from '../purposes/declared.js';
import { DataCategoryConnection } from '../purposes/purpose.types.js';
import { acceptCategories, declineCategories, declinedCategories } from './choices.js';
import { readEssential } from './coverage.js';
import { EnrolServiceInput, Service, ServiceConnection } from './service.types.js';
import { type EnrolledService, enrolNewService, listServices, setEssentialCategories } from './services.js';

@Resolver()
export class ServiceResolver {
  @Query(() => ServiceConnection, { description: 'Enrolled services, by key (clause 8.2).' })
  services(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<EnrolledService>> {
    return listServices(context, args);
  }

  @Query(() => DataCategoryConnection, {
    nullable: true,
    description:
      'The data categories without which a service cannot be provided (clause 4.1); null for one that is not enrolled.',
  })
  async essentialCategories(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<CategoryRow> | null> {
    const essential = await readEssential(context.rows, service);
    return essential && listCategories(context, args, essential);
  }

  @Query(() => DataCategoryConnection, { description: 'The data categories that you decline (clause 4.1).' })
  async declinedCategories(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<CategoryRow>> {
    return listCategories(context, args, await declinedCategories(context));
  }

  @Mutation(() => Service, {
    description: 'Enrols a service under the policy version in force (clause 8.2). For privacy officers.',
  })
  enrolService(
    @Ctx() context: Context,
    @Arg('input', () => EnrolServiceInput) { key, title, essentialCategories }: EnrolServiceInput,
  ): Promise<EnrolledService> {
    return enrolNewService(context, { key, title, essential: essentialCategories });
  }

  @Mutation(() => Service, {
    description: 'Says anew which data categories are essential for a service (clause 4.1). For privacy officers.',
  })
  setEssentialCategories(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Arg('categories', () => [String]) categories: string[],
  ): Promise<EnrolledService> {
    return setEssentialCategories(context, { service, categories });
  }

  @Mutation(() => [String], {
    description:
      'Has nothing more collected about you of these data categories, none of them essential (clause 4.1). Answers all that you decline. What is held already stays. For users.',
  })
  declineCategories(
    @Ctx() context: Context,
    @Arg('categories', () => [String]) categories: string[],
  ): Promise<readonly string[]> {
    return declineCategories(context, categories);
  }

  @Mutation(() => [String], {
    description: 'Takes back that you declined these data categories. Answers all that you decline. For users.',
  })
  acceptCategories(
    @Ctx() context: Context,
    @Arg('categories', () => [String]) categories: string[],
  ): Promise<readonly string[]> {
    return acceptCategories(context, categories);
  }
}
