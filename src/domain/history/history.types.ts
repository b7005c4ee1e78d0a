/**
 * What GraphQL shows people of who accessed their data.
 */
import { Field, Int, ObjectType } from 'type-graphql';
import { connectionTypes, PageInfo } from '../../graphql/connection.js';
import { Instant, LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';
import { LogEntry, Outcome } from '../log/log.types.js';

@ObjectType({ description: 'An entry about you: where it stands in the log, and in your history.' })
export class HistoryPlace {
  @Field(() => LogIndexScalar)
  index: LogIndex;
  @Field(() => String, { description: 'SHA-256(0x00 ‖ leaf), 64 lower-case hex digits.' })
  link: string;
  @Field(() => Int, {
    nullable: true,
    description:
      'Which of the entries about you it is, from 1: the entry itself says so. Null where it cannot be read.',
  })
  nth: number | null;
}

@ObjectType({
  description:
    'One entry about you, in plain words; or several that follow each other, where the same role was refused again and again.',
})
export class AccessLine {
  @Field(() => String, { description: 'The whole line as a sentence.' })
  text: string;
  @Field(() => Instant, { nullable: true, description: 'When; of several, the last.' })
  at: Date | null;
  @Field(() => Instant, { nullable: true, description: 'Of several, when the first was.' })
  since: Date | null;
  @Field(() => Int, { description: 'How many entries the line stands for.' })
  times: number;
  @Field(() => String, { description: 'By role or kind of organisation, never by name.' })
  who: string;
  @Field(() => [String], { description: 'Which of your data.' })
  categories: readonly string[];
  @Field(() => [String], { description: 'Why.' })
  purposes: readonly string[];
  @Field(() => String, { nullable: true, description: 'The legal basis that permitted it.' })
  basis: string | null;
  @Field(() => Outcome, { nullable: true })
  outcome: string | null;
  @Field(() => HistoryPlace)
  newest: HistoryPlace;
  @Field(() => HistoryPlace, { description: 'The same as `newest`, unless there are several.' })
  oldest: HistoryPlace;
}

export const { NodeEdge: AccessLineEdge } = connectionTypes(AccessLine, 'AccessLine');

@ObjectType()
export class AccessHistoryConnection {
  @Field(() => Int, {
    description:
      'How many entries name you, up to and with `entry`: under a checkpoint whose log verifies, it shows that so many do, and which. It says nothing about later ones.',
  })
  count: number;
  @Field(() => LogEntry, {
    description:
      'The entry of this very asking, and the `count`-th about you. It carries the SHA-256 of your challenge, so it was written after you made that up.',
  })
  entry: LogEntry;
  @Field(() => [AccessLineEdge])
  edges: InstanceType<typeof AccessLineEdge>[];
  @Field(() => PageInfo)
  pageInfo: PageInfo;
}
