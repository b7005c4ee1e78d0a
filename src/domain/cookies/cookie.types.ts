/**
 * What GraphQL shows and takes of cookies.
 */
import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { Instant } from '../../graphql/scalars.js';
import { Withheld } from '../records/record.types.js';
import {
  type CookieAnswer as Answer,
  type CookieCategory as Category,
  COOKIE_ANSWERS,
  COOKIE_CATEGORIES,
  COOKIE_PREFERENCES,
  type CookiePreference as Preference,
} from './cookie.rules.js';

export const CookieCategory = enumOf(COOKIE_CATEGORIES);
registerEnumType(CookieCategory, {
  name: 'CookieCategory',
  description: 'What a cookie is for. All but the essential ones may be rejected (clause 4.2).',
});

export const CookiePreference = enumOf(COOKIE_PREFERENCES);
registerEnumType(CookiePreference, {
  name: 'CookiePreference',
  description: 'What a person prefers of the cookies that are not essential (clause 4.2).',
});

export const CookieAnswer = enumOf(COOKIE_ANSWERS);
registerEnumType(CookieAnswer, {
  name: 'CookieAnswer',
  description: 'Whether a cookie may be set; ASK is only once the person agrees to this one.',
});

@ObjectType({ description: 'A cookie that a service declares (clause 4.2).' })
export class Cookie {
  @Field(() => String)
  service: string;
  @Field(() => String)
  name: string;
  @Field(() => CookieCategory)
  category: Category;
  @Field(() => String, { nullable: true, description: 'What works less well without it.' })
  degrades: string | null;
}

@ObjectType()
export class DegradedFunction {
  @Field(() => String)
  function: string;
  @Field(() => [String], { description: 'The names of the cookies that it needs.' })
  cookies: readonly string[];
}

@ObjectType({ description: 'A service of which something works less well for who rejects cookies (clause 4.2).' })
export class DegradedService {
  @Field(() => String)
  key: string;
  @Field(() => String)
  title: string;
  @Field(() => [DegradedFunction])
  functions: readonly DegradedFunction[];
}

export const { NodeConnection: CookieConnection } = connectionTypes(Cookie, 'Cookie');
export const { NodeConnection: DegradedServiceConnection } = connectionTypes(DegradedService, 'DegradedService');

@ObjectType({ description: 'What a person prefers, of one service (clause 4.2).' })
export class StandingCookiePreference {
  @Field(() => String)
  service: string;
  @Field(() => CookiePreference)
  preference: Preference;
  @Field(() => Int, { description: 'Counts up with each change; 0 for who has set none, and is asked.' })
  version: number;
  @Field(() => Instant, { nullable: true })
  setAt: Date | null;
}

@ObjectType()
export class CookieCheck {
  @Field(() => CookieAnswer)
  answer: Answer;
  @Field(() => Withheld, { nullable: true, description: 'Why it is refused.' })
  refusal: Withheld | null;
}

@InputType()
export class DeclareCookieInput {
  @Field(() => String, { description: 'The key of an enrolled service.' })
  service: string;
  @Field(() => String)
  name: string;
  @Field(() => CookieCategory)
  category: Category;
  @Field(() => String, { nullable: true, description: 'What works less well without it; never of an essential one.' })
  degrades?: string | null;
}
