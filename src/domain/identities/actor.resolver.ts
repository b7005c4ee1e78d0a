/**
 * Who one is here, through GraphQL. One's own pseudonym is no disclosure, so it makes no entry.
 */
import { Ctx, Query, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import type { Actor } from '../../log/entry.js';
import { ActorType } from './actor.types.js';

@Resolver()
export class ActorResolver {
  @Query(() => ActorType, { description: 'Who you are here.' })
  me(@Ctx() { actor }: Context): Actor {
    return actor;
  }
}
