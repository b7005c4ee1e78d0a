/**
 * Verifications, through GraphQL, for reviewers.
 */
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { uuidOrNull } from '../../graphql/id.js';
import { MOST_EVIDENCE } from './held-evidence.js';
import { HeldEntryInput, VerificationConnection, VerificationType } from './verification.types.js';
import { allVerifications, verificationAt, verifyLog } from './verifications.js';

@Resolver()
export class VerificationResolver {
  @Mutation(() => VerificationType, {
    description: `Has the whole log verified in the background, and returns at once: ask \`verification\` what came of it. Without evidence from outside the server the verdict is INCONCLUSIVE at best; at most ${MOST_EVIDENCE} pieces. The checkpoints that the server has signed are compared too. For security reviewers.`,
  })
  verifyLog(
    @Ctx() context: Context,
    @Arg('held', () => [HeldEntryInput], { nullable: true, description: 'Entries that you were shown.' })
    held?: HeldEntryInput[] | null,
    @Arg('checkpoints', () => [String], {
      nullable: true,
      description: 'Checkpoints that you kept: signed notes, as text.',
    })
    checkpoints?: string[] | null,
  ): Promise<VerificationType> {
    return verifyLog(context, { held: held ?? [], checkpoints: checkpoints ?? [] });
  }

  @Query(() => VerificationType, {
    nullable: true,
    description: 'Null where there is none of this id. For security reviewers. The first look of an hour is an entry.',
  })
  verification(@Ctx() context: Context, @Arg('id', () => ID) id: string): Promise<VerificationType | null> {
    return verificationAt(context, uuidOrNull(id));
  }

  @Query(() => VerificationConnection, {
    description: 'Newest first. For security reviewers. The first look of an hour is an entry.',
  })
  verifications(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<VerificationType>> {
    return allVerifications(context, args);
  }
}
