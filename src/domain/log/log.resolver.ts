/**
 * The log, through GraphQL, for reviewers.
 */
import { Arg, Args, Ctx, Query, Resolver, Root, Subscription } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { LogIndexScalar } from '../../graphql/scalars.js';
import type { LogIndex } from '../../log/leaf.js';
import type { AuditEntry } from './audit-entry.js';
import { auditEntries, auditEntryAt, logHead } from './entries.js';
import { AuditEntryConnection, AuditEntryFilter, AuditEntryType, LogHead } from './log.types.js';
import { auditTail } from './tail.js';

interface Followed {
  readonly args: { readonly from?: LogIndex | null };
  readonly context: Context;
}

@Resolver()
export class LogResolver {
  @Query(() => AuditEntryConnection, {
    description: 'Entries, newest first. For security reviewers. The first look of an hour is an entry too.',
  })
  auditEntries(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
    @Arg('filter', () => AuditEntryFilter, { nullable: true }) filter?: AuditEntryFilter | null,
  ): Promise<Connection<AuditEntry>> {
    return auditEntries(context, filter ?? {}, args);
  }

  @Query(() => AuditEntryType, {
    nullable: true,
    description: 'Null where the log is not that long. For security reviewers.',
  })
  auditEntry(@Ctx() context: Context, @Arg('index', () => LogIndexScalar) index: LogIndex): Promise<AuditEntry | null> {
    return auditEntryAt(context, index);
  }

  @Query(() => LogHead, { description: 'For security reviewers.' })
  logHead(@Ctx() context: Context): Promise<LogHead> {
    return logHead(context);
  }

  @Subscription(() => AuditEntryType, {
    subscribe: ({ args, context }: Followed) => auditTail(context, args.from ?? null),
    description:
      'Every entry from an index on, once and in order, as the log grows: go on from the last index + 1 after a break. Without `from`: what comes from now on. For security reviewers, at /graphql/stream. The first look of an hour is an entry too.',
  })
  auditTail(
    @Root() entry: AuditEntry,
    @Arg('from', () => LogIndexScalar, { nullable: true }) _from?: LogIndex | null,
  ): AuditEntry {
    return entry;
  }
}
