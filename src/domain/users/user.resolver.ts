/**
 * Users, through GraphQL. `User.personalData` is the only way to values.
 */
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { ShownRecord } from '../../gate/read.js';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import { distinctKeys, MOST_KEYS } from '../../graphql/keys.js';
import type { Pseudonym } from '../../log/entry.js';
import { PersonalDataRecord } from '../records/record.types.js';
import { selectedAsks, selectsValue } from './personal-data.js';
import { registerUsers } from './registration.js';
import { RegisterUserInput, User, UserConnection } from './user.types.js';
import { findUser, listUsers, lookUpUser } from './users.js';

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, {
    nullable: true,
    description:
      'Null if unknown; where you are refused, nothing tells whether they are. An entry, hit or miss, but for oneself alone.',
  })
  async user(
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
    @Arg('id', () => ID) id: string,
  ): Promise<User | null> {
    const subject = uuidOrNull<Pseudonym>(id);
    if (!subject) return null;
    const asks = selectedAsks(info, subject, 'user');
    if (asks.size === 0) return (await lookUpUser(context, subject)) ? new User(subject, 'user') : null;
    const asked = new Map([...asks].map(([responseKey, ask]) => [responseKey, context.gate.records(ask)]));
    // What is refused shows a person, whoever they are: only where something was permitted does null say that there is none.
    const answers = await Promise.allSettled(asked.values());
    const isUnknown = answers.some((answer) => answer.status === 'fulfilled' && answer.value === null);
    return isUnknown ? null : new User(subject, 'user', asked);
  }

  @Query(() => UserConnection, { description: 'People, by pseudonym. A page is one entry, with its count.' })
  async users(@Ctx() context: Context, @Args(() => PageArgs) args: PageArgs): Promise<Connection<User>> {
    const { edges, pageInfo } = await listUsers(context, args);
    return { pageInfo, edges: edges.map(({ cursor, node }) => ({ cursor, node: new User(node, 'users') })) };
  }

  @Query(() => User, {
    nullable: true,
    description: 'The person with this value of a searchable category. An entry, hit or miss. Not served over GET.',
  })
  async findUser(
    @Ctx() context: Context,
    @Arg('category', () => String) category: string,
    @Arg('value', () => String) value: string,
    @Arg('purpose', () => String) purpose: string,
  ): Promise<User | null> {
    if (context.overGet) throw new Fault('NOT_OVER_GET', { detail: 'A value must not stand in a URL.' });
    const person = await findUser(context, { category, value, purpose });
    return person && new User(person, 'findUser');
  }

  @Mutation(() => User, {
    description: 'Registers a person with a service, with a key of their own (clauses 2.1, 2.2).',
  })
  async registerUser(
    @Ctx() context: Context,
    @Arg('input', () => RegisterUserInput) { purpose, service, records, identity }: RegisterUserInput,
  ): Promise<User> {
    const [person] = await registerUsers(context, purpose, [{ service, records, identity: identity ?? null }]);
    return new User(person!, 'registerUser');
  }

  @FieldResolver(() => [PersonalDataRecord], {
    nullable: true,
    description: 'Read under a declared purpose. A value that is not permitted is null, and `withheld` says why.',
  })
  async personalData(
    @Root() user: User,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
    @Arg('purpose', () => String) purpose: string,
    @Arg('categories', () => [String], {
      nullable: true,
      description: `Exact keys of declared categories, at most ${MOST_KEYS}; null for all that the purpose covers.`,
    })
    categories?: string[] | null,
  ): Promise<readonly ShownRecord[] | null> {
    const asked = user.asked.get(String(info.path.key));
    if (asked) return asked;
    const subject = user.id as Pseudonym;
    const values = selectsValue(info);
    return context.gate.records({
      subject,
      purpose,
      categories: categories ? distinctKeys('categories', categories) : null,
      values,
      operation: user.operation,
    });
  }
}
