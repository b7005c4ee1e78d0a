/**
 * The plain server's resolvers, tuned: one statement for a person with their records, two for a page of people, one for a
 * change. Nothing is decided, opened or entered; a purpose is taken and means nothing.
 */
import DataLoader from 'dataloader';
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { DataSource } from 'typeorm';
import { type Connection, PageArgs, page } from '../../src/graphql/connection.js';
import { Fault } from '../../src/graphql/fault.js';
import { uuidOrNull } from '../../src/graphql/id.js';
import type { PersonalDataRow } from './rows.js';
import { PersonalDataRecord, RecordVersion, UpdatePersonalDataInput, User, UserConnection } from './types.js';

type Records = readonly PersonalDataRow[];

export interface PlainContext {
  readonly request: string;
  readonly entries: readonly [];
  readonly source: DataSource;
  /** One for each set of categories, for one operation. */
  readonly loaders: Map<string, DataLoader<string, Records>>;
}

const COLUMNS = 'r.id, r.person, r.category, r.version, r.channel, r.value';

@Resolver(() => User)
export class PlainResolver {
  @Query(() => User, { nullable: true })
  async user(@Ctx() { source }: PlainContext, @Arg('id', () => ID) id: string): Promise<User | null> {
    if (!uuidOrNull(id)) return null;
    const rows: PersonalDataRow[] = await source.query(
      `SELECT ${COLUMNS} FROM person p LEFT JOIN personal_data r ON r.person = p.id WHERE p.id = $1 ORDER BY r.category, r.id`,
      [id],
    );
    if (rows.length === 0) return null;
    return { id, records: rows.filter((row) => row.id !== null) };
  }

  @Query(() => UserConnection)
  users(@Ctx() { source }: PlainContext, @Args(() => PageArgs) args: PageArgs): Promise<Connection<User>> {
    return page<User>(
      args,
      ({ id }) => id,
      (after, limit) =>
        after === null
          ? source.query('SELECT id FROM person ORDER BY id LIMIT $1', [limit])
          : source.query('SELECT id FROM person WHERE id > $1 ORDER BY id LIMIT $2', [after, limit]),
    );
  }

  @FieldResolver(() => [PersonalDataRecord], { nullable: true })
  personalData(
    @Root() user: User,
    @Ctx() context: PlainContext,
    @Arg('purpose', () => String) _purpose: string,
    @Arg('categories', () => [String], { nullable: true }) categories?: string[] | null,
  ): Records | Promise<Records> {
    if (user.records) {
      return categories ? user.records.filter(({ category }) => categories.includes(category)) : user.records;
    }
    return loaderFor(context, categories ?? null).load(user.id);
  }

  @Mutation(() => RecordVersion)
  async updatePersonalData(
    @Ctx() { source }: PlainContext,
    @Arg('input', () => UpdatePersonalDataInput) input: UpdatePersonalDataInput,
  ): Promise<RecordVersion> {
    const { record, expectedVersion, channel, value } = input;
    if (!uuidOrNull(record)) throw new Fault('NO_SUCH_ID');
    const [updated]: [RecordVersion[], number] = await source.query(
      `UPDATE personal_data SET value = $3, channel = $4, version = version + 1
       WHERE id = $1 AND version = $2 RETURNING id, category, version`,
      [record, expectedVersion, value, channel],
    );
    if (!updated[0]) throw new Fault('VERSION_CONFLICT');
    return updated[0];
  }
}

function loaderFor({ source, loaders }: PlainContext, categories: string[] | null): DataLoader<string, Records> {
  const key = categories?.join() ?? '';
  const known = loaders.get(key);
  if (known) return known;
  const loader = new DataLoader<string, Records>(
    async (people) => {
      const chosen = categories ? ' AND r.category = ANY ($2)' : '';
      const rows: PersonalDataRow[] = await source.query(
        `SELECT ${COLUMNS} FROM personal_data r WHERE r.person = ANY ($1)${chosen} ORDER BY r.category, r.id`,
        categories ? [people, categories] : [people],
      );
      const held = new Map<string, PersonalDataRow[]>(people.map((person) => [person, []]));
      for (const row of rows) held.get(row.person)!.push(row);
      return people.map((person) => held.get(person)!);
    },
    { cache: false },
  );
  loaders.set(key, loader);
  return loader;
}
