/**
 * What is declared, through GraphQL.
 */
import { Args, Ctx, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { type CategoryRow, type DeclaredPurpose, listCategories, listPurposes } from './declared.js';
import { DataCategoryConnection, PurposeConnection } from './purpose.types.js';

@Resolver()
export class PurposeResolver {
  @Query(() => PurposeConnection, { description: 'Declared purposes, by key.' })
  purposes(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<DeclaredPurpose>> {
    return listPurposes(context, args);
  }

  @Query(() => DataCategoryConnection, { description: 'Declared data categories, by key.' })
  dataCategories(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<CategoryRow>> {
    return listCategories(context, args);
  }
}
