/**
 * What GraphQL shows and takes of personal-data records.
 */
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from '../../graphql/enum.js';
import { ErrorCode } from '../../graphql/error-code.js';
import { CHANNELS, type Channel } from '../../policy/channel.js';

export const CollectionChannel = enumOf(CHANNELS);
registerEnumType(CollectionChannel, { name: 'CollectionChannel', description: 'How a value came to us (clause 2.2).' });

@ObjectType({ description: 'Why a value is not shown.' })
export class Withheld {
  @Field(() => ErrorCode)
  code: string;
  @Field(() => String, { description: 'The clause of the privacy policy that the decision rests on.' })
  clause: string;
  @Field(() => [String], { description: 'What is to be had before the same request is permitted.' })
  missing: readonly string[];
}

@ObjectType({
  description:
    'One value of one data category about one user. Where it is withheld, nothing but the category is shown, and nothing says whether there is a record.',
})
export class PersonalDataRecord {
  @Field(() => ID, { nullable: true })
  id: string | null;
  @Field(() => String)
  category: string;
  @Field(() => Int, { nullable: true })
  version: number | null;
  @Field(() => CollectionChannel, { nullable: true })
  channel: string | null;
  @Field(() => String, { nullable: true, description: 'Null where `withheld` says why.' })
  value: string | null;
  @Field(() => Withheld, { nullable: true })
  withheld: Withheld | null;
}

@ObjectType({ description: 'Which version of which record stands now.' })
export class RecordVersion {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  category: string;
  @Field(() => Int)
  version: number;
}

@InputType()
export class PersonalDataInput {
  @Field(() => String, { description: 'The exact key of a declared data category.' })
  category: string;
  @Field(() => CollectionChannel)
  channel: Channel;
  @Field(() => String)
  value: string;
}

@InputType()
export class CollectPersonalDataInput {
  @Field(() => ID)
  user: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [PersonalDataInput])
  records: PersonalDataInput[];
}

@InputType()
export class UpdatePersonalDataInput {
  @Field(() => ID)
  record: string;
  @Field(() => String)
  purpose: string;
  @Field(() => Int, { description: 'The version that the new value is to follow.' })
  expectedVersion: number;
  @Field(() => CollectionChannel)
  channel: Channel;
  @Field(() => String)
  value: string;
}
