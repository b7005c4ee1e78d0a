/**
 * What GraphQL shows of proofs, and of how far an entry has come.
 */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';

/** What one proof costs, in fields: about that of reading and hashing its tiles. */
export const PROOF_COMPLEXITY = 20;

/** Of the argument by which a checkpoint is named. */
export const UNDER =
  'The size of the checkpoint to prove it under. If left out: the newest that is cosigned and covers it, or else the newest.';

export enum EntryState {
  APPENDED = 'appended',
  CHECKPOINTED = 'checkpointed',
  COSIGNED = 'cosigned',
}
registerEnumType(EntryState, {
  name: 'EntryState',
  description: 'How far an entry has come. Each state includes those before it.',
  valuesConfig: {
    APPENDED: { description: 'It is committed, and held by links that were shown to somebody.' },
    CHECKPOINTED: { description: 'A checkpoint that the log’s key signed covers it.' },
    COSIGNED: { description: 'So does one that witnesses cosigned.' },
  },
});

@ObjectType('DisclosureProof', {
  description:
    'Shows that one entry is in the log, to whoever has the log’s verifier key: `access-ledger check-proof`, or any verifier of C2SP tlog-proof.',
})
export class DisclosureProofType {
  @Field(() => LogIndexScalar)
  index: LogIndex;
  @Field(() => String, { description: 'The `.tlog-proof` file, as text.' })
  file: string;
  @Field(() => String, {
    nullable: true,
    description:
      'Exactly what is hashed, and what the file proves: keep both. Staff are in it by role and pseudonym, nobody by name. Null where you are no reviewer and it no longer says that it is about you: then it was edited.',
  })
  leaf: string | null;
}

@ObjectType('ConsistencyProof', {
  description: 'Shows that the log of one size is the beginning of the log of a larger one (RFC 6962 section 2.1.2).',
})
export class ConsistencyProofType {
  @Field(() => LogIndexScalar)
  from: LogIndex;
  @Field(() => LogIndexScalar)
  to: LogIndex;
  @Field(() => [String], { description: 'Base64, lowest first.' })
  hashes: readonly string[];
  @Field(() => String, {
    nullable: true,
    description: 'The signed checkpoint of size `to`; null where none was signed of that size.',
  })
  checkpoint: string | null;
}
