/**
 * What GraphQL shows and takes of processors.
 */
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { Instant } from '../../graphql/scalars.js';
import { IdentityInput } from '../users/user.types.js';
import { type ProcessorKind as Kind, PROCESSOR_KINDS } from './processor.entity.js';

export const ProcessorKind = enumOf(PROCESSOR_KINDS);
registerEnumType(ProcessorKind, { name: 'ProcessorKind', description: 'In the words of clause 6.1.' });

@ObjectType({ description: 'Who processes personal data for us, under a contract (clause 6.1).' })
export class Processor {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  name: string;
  @Field(() => ProcessorKind)
  kind: Kind;
  @Field(() => Instant)
  registeredAt: Date;
}

export const { NodeConnection: ProcessorConnection } = connectionTypes(Processor, 'Processor');

@InputType()
export class RegisterProcessorInput {
  @Field(() => String, { description: 'No two processors share one.' })
  name: string;
  @Field(() => ProcessorKind)
  kind: Kind;
  @Field(() => IdentityInput, { nullable: true, description: 'So that it can sign in.' })
  identity?: IdentityInput | null;
}
