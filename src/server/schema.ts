/**
 * The API's schema, made from the resolvers of every domain folder. schema/schema.graphql is its text.
 */
import 'reflect-metadata';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchema } from 'type-graphql';
import { ConsentResolver } from '../domain/consents/consent.resolver.js';
import { CookieResolver } from '../domain/cookies/cookie.resolver.js';
import { HistoryResolver } from '../domain/history/history.resolver.js';
import { HistoryPlaceResolver } from '../domain/history/history-place.resolver.js';
import { ActorResolver } from '../domain/identities/actor.resolver.js';
import { LogResolver } from '../domain/log/log.resolver.js';
import { ProofResolver } from '../domain/log/proof.resolver.js';
import { VerificationResolver } from '../domain/log/verification.resolver.js';
import { ProcessorResolver } from '../domain/processors/processor.resolver.js';
import { PurposeResolver } from '../domain/purposes/purpose.resolver.js';
import { RecordResolver } from '../domain/records/record.resolver.js';
import { ServiceResolver } from '../domain/services/service.resolver.js';
import { AccessResolver } from '../domain/staff/access.resolver.js';
import { GrantResolver } from '../domain/staff/grant.resolver.js';
import { RequestResolver } from '../domain/staff/request.resolver.js';
import {
  AgreementResolver,
  EngagementResolver,
  StandingResolver,
  TrainingResolver,
} from '../domain/staff/standing.resolver.js';
import { UserResolver } from '../domain/users/user.resolver.js';

/** Every resolver. A domain that brings one is registered here. */
const RESOLVERS = [
  AccessResolver,
  ActorResolver,
  AgreementResolver,
  ConsentResolver,
  CookieResolver,
  EngagementResolver,
  GrantResolver,
  HistoryPlaceResolver,
  HistoryResolver,
  LogResolver,
  ProcessorResolver,
  ProofResolver,
  PurposeResolver,
  RecordResolver,
  RequestResolver,
  ServiceResolver,
  StandingResolver,
  TrainingResolver,
  UserResolver,
  VerificationResolver,
] as const;

/** Subscriptions follow tables: nobody publishes to them. The type wants one all the same. */
const NOTHING_PUBLISHED = {
  publish(): void {},
  subscribe(): never {
    throw new TypeError('nothing is published');
  },
};

export function buildApiSchema(): Promise<GraphQLSchema> {
  // Inputs are checked by the verbs, which say what is wrong without quoting it.
  return buildSchema({ resolvers: [...RESOLVERS], validate: false, pubSub: NOTHING_PUBLISHED });
}

/** Sorted, so that its order says nothing and a difference is a change. */
export function formatSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
