/**
 * Records, through GraphQL: collecting and updating. They are read as `User.personalData`.
 */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import type { Pseudonym, RecordId } from '../../log/entry.js';
import { CollectPersonalDataInput, RecordVersion, UpdatePersonalDataInput } from './record.types.js';
import { collectPersonalData, updatePersonalData } from './records.js';

@Resolver()
export class RecordResolver {
  @Mutation(() => [RecordVersion], { description: 'Keeps values about a user (clause 2.2).' })
  async collectPersonalData(
    @Ctx() context: Context,
    @Arg('input', () => CollectPersonalDataInput) input: CollectPersonalDataInput,
  ): Promise<readonly RecordVersion[]> {
    const user = uuidOrNull<Pseudonym>(input.user);
    const versions = user && (await collectPersonalData(context, { ...input, user }));
    if (!versions) throw new Fault('NO_SUCH_ID', { detail: '"user" names nobody.' });
    return versions;
  }

  @Mutation(() => RecordVersion, { description: 'Gives a record a new value, and keeps the old one (clause 6.4).' })
  async updatePersonalData(
    @Ctx() context: Context,
    @Arg('input', () => UpdatePersonalDataInput) input: UpdatePersonalDataInput,
  ): Promise<RecordVersion> {
    const record = uuidOrNull<RecordId>(input.record);
    const version = record && (await updatePersonalData(context, { ...input, record }));
    if (!version) throw new Fault('NO_SUCH_ID', { detail: '"record" names nothing.' });
    return version;
  }
}
