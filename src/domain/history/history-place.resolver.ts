/**
 * The proof of an entry in one's history, through GraphQL. It is made where it is asked for, and a page's are made together.
 */
import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';
import { DisclosureProofType, PROOF_COMPLEXITY, UNDER } from '../log/proof.types.js';
import { type DisclosureProof, proofOf } from '../log/proofs.js';
import { HistoryPlace } from './history.types.js';

@Resolver(() => HistoryPlace)
export class HistoryPlaceResolver {
  @FieldResolver(() => DisclosureProofType, {
    nullable: true,
    complexity: PROOF_COMPLEXITY,
    description:
      'An error with CHECKPOINT_PENDING in the first second after the entry was made: then ask `disclosureProof` for it.',
  })
  proof(
    @Root() { index }: HistoryPlace,
    @Ctx() context: Context,
    @Arg('under', () => LogIndexScalar, { nullable: true, description: UNDER })
    under?: LogIndex | null,
  ): Promise<DisclosureProof | null> {
    return proofOf(context, { index, under: under ?? null });
  }
}
