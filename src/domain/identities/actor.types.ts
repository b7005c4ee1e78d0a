/**
 * What GraphQL shows of an actor: a pseudonym, never a name.
 */
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

export enum ActorKind {
  USER = 'user',
  STAFF = 'staff',
  PROCESSOR = 'processor',
  SYSTEM = 'system',
}
registerEnumType(ActorKind, { name: 'ActorKind' });

@ObjectType('Actor', { description: 'Who acts, by a pseudonym of ours.' })
export class ActorType {
  @Field(() => ID)
  id: string;
  @Field(() => ActorKind)
  kind: string;
  @Field(() => String, { nullable: true, description: 'For staff: the role that the issuer’s token gives them.' })
  role?: string | null;
}
