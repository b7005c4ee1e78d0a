/**
 * What GraphQL shows of what is declared: purposes with their legal basis, and data categories.
 */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { CollectionChannel } from '../records/record.types.js';
import { IDENTIFIABILITIES } from './declared.js';

export const Identifiability = enumOf(IDENTIFIABILITIES);
registerEnumType(Identifiability, {
  name: 'Identifiability',
  description: 'Whether a value tells who a person is by itself, or together with others (clause 2.1).',
});

@ObjectType({ description: 'What permits a purpose (clause 3.1).' })
export class LegalBasis {
  @Field(() => String)
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => String)
  description: string;
}

@ObjectType({ description: 'Why personal data may be read (clause 3.1). Every read names one.' })
export class Purpose {
  @Field(() => String)
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => String)
  description: string;
  @Field(() => String, { description: 'The clause of the privacy policy that it comes from.' })
  clause: string;
  @Field(() => LegalBasis, { nullable: true, description: 'Without one the purpose permits nothing.' })
  legalBasis: LegalBasis | null;
  @Field(() => [String], { description: 'The keys of the data categories that it covers.' })
  categories: readonly string[];
}

@ObjectType({ description: 'A kind of personal data (clause 2.1).' })
export class DataCategory {
  @Field(() => String, { description: 'fideslang’s key, such as `user.contact.email`.' })
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => Identifiability)
  identifiability: string;
  @Field(() => Boolean)
  sensitive: boolean;
  @Field(() => Boolean, { description: 'Whether `findUser` takes it.' })
  searchable: boolean;
  @Field(() => [CollectionChannel], { description: 'Through which it may be collected (clause 2.2).' })
  channels: readonly string[];
}

export const { NodeConnection: PurposeConnection } = connectionTypes(Purpose, 'Purpose');
export const { NodeConnection: DataCategoryConnection } = connectionTypes(DataCategory, 'DataCategory');
