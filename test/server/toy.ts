/**
 * A toy service: the real HTTP server over a schema of a few fields, so that what is tested is the server.
 */
import 'reflect-metadata';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { GraphQLError } from 'graphql';
import {
  Arg,
  buildSchema,
  Ctx,
  Field,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { TryAgain } from '../../src/gate/try-again.js';
import { Fault } from '../../src/graphql/fault.js';
import { LedgerFault } from '../../src/ledger/fault.js';
import type { Entry } from '../../src/log/entry.js';
import { Refusal, refused } from '../../src/policy/refusal.js';
import type { RequestContext } from '../../src/server/apollo.js';
import type { Caller } from '../../src/server/authentication.js';
import { createAuthenticator } from '../../src/server/authentication.js';
import { createHttp, type Http, type HttpOptions } from '../../src/server/http.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/server/limits.js';
import { createLog } from '../../src/server/log.js';
import { createTelemetry } from '../../src/server/telemetry.js';
import { VaultError } from '../../src/vault/vault-error.js';
import type { OpenIdProvider } from '../support/oidc.js';

export interface ToyContext extends RequestContext {
  readonly caller: Caller;
  readonly entries: { index: number; link: string }[];
  /** Of a subscription. */
  readonly signal?: AbortSignal | undefined;
}

@ObjectType()
class Person {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => [Person])
  friends(@Arg('first', () => Int, { nullable: true }) first?: number): Person[] {
    return Array.from({ length: Math.min(first ?? 3, 3) }, (_, at) => personOf(`${this.id}.${at}`));
  }
}

function personOf(id: string): Person {
  return Object.assign(new Person(), { id, name: `person ${id}` });
}

@InputType()
class Contact {
  @Field(() => String)
  email!: string;

  @Field(() => Int, { nullable: true })
  age?: number;
}

/** Where the toy's refusal stands. */
export const REFUSED_ENTRY = { index: 3, link: 'link 3' } as unknown as Entry;

/** A secret that only the database, in the toy's errors, knows. */
export const STORED = 'stored-value-of-somebody';

/** How often `slow` has begun. */
export const slowed = { count: 0 };

@Resolver()
class Toy {
  @Query(() => Person, { nullable: true })
  person(@Arg('id', () => ID) id: string): Person {
    return personOf(id);
  }

  @Query(() => [Person])
  people(@Arg('first', () => Int, { defaultValue: 10 }) first: number): Person[] {
    return Array.from({ length: first }, (_, at) => personOf(String(at)));
  }

  /** Causes the entries of these indices, in this order. */
  @Query(() => String)
  enter(@Arg('indices', () => [Int]) indices: number[], @Ctx() context: ToyContext): string {
    for (const index of indices) context.entries.push({ index, link: `link ${index}` });
    return context.request;
  }

  @Query(() => String, { nullable: true })
  async slow(@Arg('ms', () => Int) ms: number, @Ctx() context: ToyContext): Promise<string> {
    context.entries.push({ index: 7, link: 'link 7' });
    slowed.count++;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'done';
  }

  /** Takes a value, and says nothing of it. */
  @Query(() => Boolean)
  contact(@Arg('contact', () => Contact) _: Contact): boolean {
    return true;
  }

  @Query(() => String, { nullable: true })
  fails(@Arg('how', () => String) how: string): string {
    throw failures[how]!();
  }

  @Mutation(() => String)
  change(@Arg('how', () => String, { nullable: true }) how?: string): string {
    if (how) throw failures[how]!();
    return 'changed';
  }

  /** So many ticks of so many characters; then it ends, fails, or waits until nobody listens. */
  @Subscription(() => String, { subscribe: ({ args, context }: Ticking) => ticking(args, context) })
  ticks(
    @Root() tick: string,
    @Arg('count', () => Int, { nullable: true }) _count?: number,
    @Arg('size', () => Int, { nullable: true }) _size?: number,
    @Arg('then', () => String, { nullable: true }) _then?: string,
  ): string {
    if (tick === 'bad tick') throw failures.unique!();
    return tick;
  }
}

interface Ticking {
  readonly args: { readonly count?: number; readonly size?: number; readonly then?: string };
  readonly context: ToyContext;
}

/** How many ticks were made so far, of all subscriptions. */
export const ticked = { count: 0, ended: 0 };

async function* ticking({ count = 0, size = 0, then }: Ticking['args'], { entries, signal }: ToyContext) {
  entries.push({ index: 5, link: 'link 5' });
  try {
    for (let nth = 0; nth < count && !signal!.aborted; nth++) {
      ticked.count += 1;
      yield nth === 1 && then === 'badly' ? 'bad tick' : `tick ${nth}`.padEnd(size, '.');
    }
    if (then === 'wait' && !signal!.aborted) await new Promise((resolve) => signal!.addEventListener('abort', resolve));
    else if (failures[then ?? '']) throw failures[then!]!();
  } finally {
    ticked.ended += 1;
  }
}

/** The same for every row of a page. */
const PAGE_FAILURE = Object.assign(new Error(STORED), { code: '57P01' });

const failures: Record<string, (() => unknown) | undefined> = {
  refusal: () => new Refusal(refused('NO_NEED_TO_KNOW', 'a need-to-know grant'), REFUSED_ENTRY),
  unentered: () => new Refusal(refused('OWN_GRANT'), null),
  imposter: () => new GraphQLError(STORED, { extensions: { code: 'TOKEN_EXPIRED', detail: STORED } }),
  spoof: () => new GraphQLError(STORED, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }),
  fault: () => new Fault('TRY_AGAIN'),
  get: () => new Fault('NOT_OVER_GET'),
  stale: () => new TryAgain(),
  ledger: () => new LedgerFault('UNAVAILABLE'),
  body: () => new LedgerFault('BODY_REFUSED', '23514'),
  characters: () => new LedgerFault('BODY_REFUSED', '22021'),
  character: () => Object.assign(new Error(STORED), { code: '22P05' }),
  locked: () => Object.assign(new Error(STORED), { code: '55P03' }),
  deadlocked: () => new LedgerFault('UNAVAILABLE', '40P01'),
  kek: () => new VaultError('KEK_UNKNOWN', STORED),
  seal: () => new VaultError('SEAL_BROKEN', STORED),
  gone: () => Object.assign(new Error(`no route to ${STORED}`), { code: 'ECONNREFUSED', syscall: 'connect' }),
  nowhere: () => Object.assign(new AggregateError([failures.gone!()], STORED), { code: 'ECONNREFUSED' }),
  page: () => PAGE_FAILURE,
  stopped: () => Object.assign(new Error(STORED), { code: '57P01', detail: STORED }),
  deadlock: () => new Error(STORED, { cause: Object.assign(new Error(STORED), { code: '40P01' }) }),
  unique: () => Object.assign(new Error(STORED), { code: '23505', detail: `Key (email)=(${STORED}) exists.` }),
  text: () => STORED,
  nothing: () => undefined,
};

/** The refusals and faults that leave for what a resolver throws. */
export const LEAVES: Readonly<Record<string, string>> = {
  refusal: 'NO_NEED_TO_KNOW',
  unentered: 'OWN_GRANT',
  imposter: 'INTERNAL',
  spoof: 'INTERNAL',
  fault: 'TRY_AGAIN',
  get: 'NOT_OVER_GET',
  stale: 'TRY_AGAIN',
  ledger: 'UNAVAILABLE',
  body: 'INTERNAL',
  characters: 'BAD_INPUT',
  character: 'BAD_INPUT',
  locked: 'UNAVAILABLE',
  deadlocked: 'TRY_AGAIN',
  kek: 'UNAVAILABLE',
  seal: 'INTERNAL',
  gone: 'UNAVAILABLE',
  nowhere: 'UNAVAILABLE',
  page: 'UNAVAILABLE',
  stopped: 'UNAVAILABLE',
  deadlock: 'TRY_AGAIN',
  unique: 'INTERNAL',
  text: 'INTERNAL',
  nothing: 'INTERNAL',
};

export interface Toys {
  readonly http: Http;
  readonly url: string;
  /** The server's log so far. */
  logged(): string;
  readonly suppressed: { caller: Caller; count: number }[];
  readonly contexts: ToyContext[];
  stop(): Promise<void>;
}

export interface ToyOptions extends Partial<Omit<HttpOptions<ToyContext>, 'limits'>> {
  readonly limits?: Partial<Limits>;
}

export async function startToys(provider: OpenIdProvider, { limits, ...options }: ToyOptions = {}): Promise<Toys> {
  const lines: string[] = [];
  const to = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const suppressed: Toys['suppressed'] = [];
  const contexts: ToyContext[] = [];
  const { issuer, audience } = provider;
  const telemetry = createTelemetry();
  const http = await createHttp<ToyContext>({
    schema: await toySchema(),
    authenticate: createAuthenticator({ issuer, audience, now: Date.now }),
    contextFor: async (caller, { id, signal }) => {
      const context: ToyContext = { request: id, entries: [], caller, signal };
      contexts.push(context);
      return context;
    },
    checks: { database: async () => true },
    limits: { ...DEFAULT_LIMITS, ...limits },
    onSuppressed: async (caller, count) => {
      suppressed.push({ caller, count });
    },
    introspection: true,
    log: createLog({ level: 'debug', to }),
    telemetry,
    ...options,
  });
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  return {
    http,
    url,
    logged: () => lines.join(''),
    suppressed,
    contexts,
    async stop() {
      await http.close(1_000);
      telemetry.close();
    },
  };
}

export function toySchema() {
  const pubSub = { publish: () => {}, subscribe: (): never => expect.fail('nothing is published') };
  return buildSchema({ resolvers: [Toy], validate: false, pubSub });
}
