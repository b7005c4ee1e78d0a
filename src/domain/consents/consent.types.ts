/**
 * What GraphQL shows and takes of consents.
 */
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { MOST_KEYS } from '../../graphql/keys.js';
import { Instant } from '../../graphql/scalars.js';
import type { Channel } from '../../policy/channel.js';
import { CONSENT_STATES, type ConsentState } from '../../policy/consent.js';
import { CollectionChannel } from '../records/record.types.js';

export const ConsentStates = enumOf(CONSENT_STATES);
registerEnumType(ConsentStates, {
  name: 'ConsentState',
  description: 'What a consent has come to. In force are those GIVEN and RENEWED; it expires by the clock alone.',
});

@ObjectType({ description: 'One thing that became of a consent, under an entry of its own.' })
export class ConsentChange {
  @Field(() => Int)
  version: number;
  @Field(() => ConsentStates)
  act: ConsentState;
  @Field(() => Instant)
  at: Date;
  @Field(() => CollectionChannel, { nullable: true, description: 'How it was given; null for what is no giving.' })
  channel: string | null;
  @Field(() => String, { nullable: true, description: 'Where it was given.' })
  service: string | null;
  @Field(() => String, { nullable: true, description: 'SHA-256 of the exact words that were shown, as UTF-8, in hex.' })
  words: string | null;
  @Field(() => String, { nullable: true })
  language: string | null;
  @Field(() => Instant, {
    nullable: true,
    description: 'The first moment at which it is no longer in force; null: no end.',
  })
  until: Date | null;
}

@ObjectType({
  description: 'What a person agreed to, or was asked to: these categories for this purpose (clause 3.1).',
})
export class Consent {
  @Field(() => ID)
  id: string;
  @Field(() => ID, { description: 'The pseudonym of the person.' })
  user: string;
  @Field(() => String)
  purpose: string;
  @Field(() => [String])
  categories: readonly string[];
  @Field(() => [ConsentChange], { description: 'All that became of it, the first first.' })
  history: readonly ConsentChange[];
}

export const { NodeConnection: ConsentConnection } = connectionTypes(Consent, 'Consent');

const CATEGORIES = `Keys of declared categories that the purpose covers, at most ${MOST_KEYS}.`;

@InputType()
export class RequestConsentInput {
  @Field(() => ID)
  user: string;
  @Field(() => String, { description: 'One that rests on consent.' })
  purpose: string;
  @Field(() => [String], { description: CATEGORIES })
  categories: string[];
}

@InputType({ description: 'How and where consent is given, and what the person was shown.' })
export class ConsentGivingInput {
  @Field(() => String, { description: 'The key of an enrolled service.' })
  service: string;
  @Field(() => CollectionChannel)
  channel: Channel;
  @Field(() => String, {
    description: 'The exact words that the person was shown. Their SHA-256 is kept, and they are not.',
  })
  words: string;
  @Field(() => String, { description: 'Of the words: such as "en" or "pt-BR".' })
  language: string;
  @Field(() => Instant, { nullable: true, description: 'When it ends; never, if left out.' })
  until?: Date | null;
}

@InputType()
export class GiveConsentInput {
  @Field(() => String, { description: 'One that rests on consent.' })
  purpose: string;
  @Field(() => [String], { description: CATEGORIES })
  categories: string[];
  @Field(() => ConsentGivingInput)
  giving: ConsentGivingInput;
}
