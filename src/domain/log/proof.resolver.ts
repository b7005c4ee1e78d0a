/**
 * Proofs, through GraphQL: of entries for reviewers and for the people whom they are about, of consistency for reviewers.
 */
import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';
import { AuditEntryType } from './log.types.js';
import { ConsistencyProofType, DisclosureProofType, EntryState, PROOF_COMPLEXITY, UNDER } from './proof.types.js';
import {
  type ConsistencyProof,
  consistencyProof,
  type DisclosureProof,
  disclosureProof,
  entryState,
} from './proofs.js';

@Resolver(() => AuditEntryType)
export class ProofResolver {
  @Query(() => DisclosureProofType, {
    nullable: true,
    complexity: PROOF_COMPLEXITY,
    description:
      'For security reviewers of any entry, null where the log is not that long; for users of entries about themselves. Right after an entry was made CHECKPOINT_PENDING: ask again in a second.',
  })
  disclosureProof(
    @Ctx() context: Context,
    @Arg('index', () => LogIndexScalar) index: LogIndex,
    @Arg('under', () => LogIndexScalar, { nullable: true, description: UNDER }) under?: LogIndex | null,
  ): Promise<DisclosureProof | null> {
    return disclosureProof(context, { index, under: under ?? null });
  }

  @Query(() => ConsistencyProofType, {
    complexity: PROOF_COMPLEXITY,
    description: 'From one size of the log to a larger one that a checkpoint covers. For security reviewers.',
  })
  consistencyProof(
    @Ctx() context: Context,
    @Arg('from', () => LogIndexScalar) from: LogIndex,
    @Arg('to', () => LogIndexScalar) to: LogIndex,
  ): Promise<ConsistencyProof> {
    return consistencyProof(context, from, to);
  }

  @FieldResolver(() => EntryState)
  state(@Root() { index }: AuditEntryType, @Ctx() context: Context): Promise<string> {
    return entryState(context, index);
  }
}
