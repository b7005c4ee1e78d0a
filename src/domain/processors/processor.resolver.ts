/**
 * Processors, through GraphQL.
 */
import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Processor, ProcessorConnection, RegisterProcessorInput } from './processor.types.js';
import { listProcessors, ownProcessor, registerProcessor } from './processors.js';

@Resolver()
export class ProcessorResolver {
  @Query(() => ProcessorConnection, { description: 'Processors. A page is one entry, with its count. For staff.' })
  processors(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<Processor>> {
    return listProcessors(context, args);
  }

  @Query(() => Processor, { nullable: true, description: 'Yourself, if you are a processor; null if not.' })
  myProcessor(@Ctx() context: Context): Promise<Processor | null> {
    return ownProcessor(context);
  }

  @Mutation(() => Processor, { description: 'Registers a processor (clause 6.1). For privacy officers.' })
  registerProcessor(
    @Ctx() context: Context,
    @Arg('input', () => RegisterProcessorInput) { name, kind, identity }: RegisterProcessorInput,
  ): Promise<Processor> {
    return registerProcessor(context, { name, kind, identity: identity ?? null });
  }
}
