/**
 * What GraphQL shows of the log to reviewers, and how they ask for it.
 */
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { Instant, LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';
import { ActorType } from '../identities/actor.types.js';
import { RecordVersion } from '../records/record.types.js';

export enum Outcome {
  PERMITTED = 'permitted',
  REFUSED = 'refused',
}
registerEnumType(Outcome, { name: 'Outcome', description: 'A refusal is an entry too.' });

@ObjectType({
  description:
    'Where in the log an entry stands, and its link: keep both, and you can check later that it still stands.',
})
export class LogEntry {
  @Field(() => LogIndexScalar)
  index: LogIndex;
  @Field(() => String, { description: 'SHA-256(0x00 ‖ leaf), 64 lower-case hex digits.' })
  link: string;
}

@ObjectType({ description: 'Where the log ends at this moment.' })
export class LogHead {
  @Field(() => LogIndexScalar, { description: 'How many entries it has.' })
  size: LogIndex;
  @Field(() => LogIndexScalar, { description: 'Of the newest entry: `index:link` is what `verify --held` takes.' })
  index: LogIndex;
  @Field(() => String, { description: 'The link of the newest entry.' })
  link: string;
  @Field(() => String, { description: 'The name of the log, as in its checkpoints.' })
  origin: string;
}

@ObjectType({ description: 'Why something was refused.' })
export class EntryRefusal {
  @Field(() => String)
  code: string;
  @Field(() => [String])
  missing: readonly string[];
}

@ObjectType('AuditEntry', {
  description:
    'One entry, as its leaf says it. Where somebody has edited the leaf so that it cannot be read, all but `index`, `link` and `leaf` is null: verify the log.',
})
export class AuditEntryType {
  @Field(() => LogIndexScalar)
  index: LogIndex;
  @Field(() => String)
  link: string;
  @Field(() => String, { description: 'Exactly what is hashed; schema/log-format.md says how.' })
  leaf: string;
  @Field(() => Int, { nullable: true, description: 'Which of the entries about the subject it is, from 1.' })
  nth: number | null;
  @Field(() => LogIndexScalar, { nullable: true, description: 'The entry about the subject before it.' })
  earlier: LogIndex | null;
  @Field(() => Instant, { nullable: true })
  at: Date | null;
  @Field(() => String, { nullable: true })
  event: string | null;
  @Field(() => Outcome, { nullable: true })
  outcome: string | null;
  @Field(() => ActorType, { nullable: true })
  actor: ActorType | null;
  @Field(() => ID, { nullable: true, description: 'The pseudonym of the person that it is about.' })
  subject: string | null;
  @Field(() => String, { nullable: true })
  purpose: string | null;
  @Field(() => String, { nullable: true, description: 'The legal basis that carried the decision.' })
  basis: string | null;
  @Field(() => String, { nullable: true })
  clause: string | null;
  @Field(() => String, { nullable: true, description: 'The policy version in force.' })
  policy: string | null;
  @Field(() => [String], { nullable: true, description: 'The data categories decided on.' })
  asked: readonly string[] | null;
  @Field(() => [RecordVersion], {
    nullable: true,
    description: 'The records whose values were opened, changed or erased.',
  })
  records: readonly RecordVersion[] | null;
  @Field(() => EntryRefusal, { nullable: true })
  refusal: EntryRefusal | null;
  @Field(() => ID, { nullable: true, description: 'The X-Request-Id.' })
  request: string | null;
  @Field(() => String, { nullable: true, description: 'The root field.' })
  operation: string | null;
  @Field(() => LogIndexScalar, {
    nullable: true,
    description: 'The log’s size when the facts of the decision were read.',
  })
  asOf: LogIndex | null;
  @Field(() => String, { nullable: true, description: 'Canonical JSON (RFC 8785).' })
  details: string | null;
}

export const { NodeConnection: AuditEntryConnection } = connectionTypes(AuditEntryType, 'AuditEntry');

@InputType({ description: 'Entries for which every given member is exactly so.' })
export class AuditEntryFilter {
  @Field(() => ID, { nullable: true })
  subject?: string | null;
  @Field(() => ID, { nullable: true })
  actor?: string | null;
  @Field(() => String, { nullable: true, description: 'Such as `record.read`.' })
  event?: string | null;
  @Field(() => String, { nullable: true })
  purpose?: string | null;
  @Field(() => Outcome, { nullable: true })
  outcome?: string | null;
  @Field(() => Instant, { nullable: true, description: 'The first moment.' })
  from?: Date | null;
  @Field(() => Instant, { nullable: true, description: 'The first moment after.' })
  to?: Date | null;
  @Field(() => ID, { nullable: true, description: 'An X-Request-Id.' })
  request?: string | null;
}
