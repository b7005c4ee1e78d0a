/**
 * What GraphQL shows and takes of users.
 */
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { ShownRecord } from '../../gate/read.js';
import { connectionTypes } from '../../graphql/connection.js';
import { PersonalDataInput } from '../records/record.types.js';

@ObjectType({ description: 'A person registered with a service; in law the data subject.' })
export class User {
  @Field(() => ID)
  id: string;

  /** The root field that this user was reached by: what the entries of their reads say. */
  readonly operation: string;
  /** What the root field has asked the gate for already, by response key. */
  readonly asked: ReadonlyMap<string, Promise<readonly ShownRecord[] | null>>;

  constructor(id: string, operation: string, asked: User['asked'] = new Map()) {
    this.id = id;
    this.operation = operation;
    this.asked = asked;
  }
}

export const { NodeConnection: UserConnection } = connectionTypes(User, 'User');

@InputType({ description: 'Who signs in, as the issuer of tokens knows them. Kept as a keyed digest only.' })
export class IdentityInput {
  @Field(() => String, { description: 'The `iss` of their tokens.' })
  issuer: string;
  @Field(() => String, { description: 'The `sub` of their tokens.' })
  subject: string;
}

@InputType()
export class RegisterUserInput {
  @Field(() => String, { description: 'The key of the service that they use.' })
  service: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [PersonalDataInput])
  records: PersonalDataInput[];
  @Field(() => IdentityInput, { nullable: true, description: 'So that they can sign in and see who looked.' })
  identity?: IdentityInput | null;
}
