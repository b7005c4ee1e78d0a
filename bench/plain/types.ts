/**
 * What the plain server shows and takes: the same shape as ours, so that the same documents run on both.
 */
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionTypes } from '../../src/graphql/connection.js';
import type { PersonalDataRow } from './rows.js';

@ObjectType()
export class Withheld {
  @Field(() => String)
  code: string;
  @Field(() => String)
  clause: string;
  @Field(() => [String])
  missing: string[];
}

@ObjectType()
export class PersonalDataRecord {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  category: string;
  @Field(() => Int)
  version: number;
  @Field(() => String)
  channel: string;
  @Field(() => String)
  value: string;
  /** Nothing ever is. */
  @Field(() => Withheld, { nullable: true })
  withheld?: Withheld;
}

@ObjectType()
export class User {
  @Field(() => ID)
  id: string;
  /** All that is held, where it came with the person. */
  records?: readonly PersonalDataRow[];
}

export const { NodeConnection: UserConnection } = connectionTypes(User, 'User');

@ObjectType()
export class RecordVersion {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  category: string;
  @Field(() => Int)
  version: number;
}

@InputType()
export class UpdatePersonalDataInput {
  @Field(() => ID)
  record: string;
  @Field(() => String)
  purpose: string;
  @Field(() => Int)
  expectedVersion: number;
  @Field(() => String)
  channel: string;
  @Field(() => String)
  value: string;
}
