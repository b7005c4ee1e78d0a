/**
 * What one could read, through GraphQL.
 */
import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { MOST_KEYS } from '../../graphql/keys.js';
import { type Access, ownAccess } from './access.js';
import { MyAccess } from './access.types.js';

@Resolver()
export class AccessResolver {
  @Query(() => MyAccess, {
    description:
      'What you lack to read under a purpose, before you try: by the rules that decide on the read (clause 5.2).',
  })
  myAccess(
    @Ctx() context: Context,
    @Arg('purpose', () => String) purpose: string,
    @Arg('categories', () => [String], {
      nullable: true,
      description: `Exact keys of declared categories, at most ${MOST_KEYS}; null for all that the purpose covers.`,
    })
    categories?: string[] | null,
  ): Promise<Access> {
    return ownAccess(context, purpose, categories ?? null);
  }
}
