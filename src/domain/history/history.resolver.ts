/**
 * Who accessed one's data, through GraphQL.
 */
import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Outcome } from '../log/log.types.js';
import { type HistoryLine, whoAccessedMyData } from './history.js';
import { AccessHistoryConnection, type AccessLine, type HistoryPlace } from './history.types.js';
import type { HistoryEntry } from './history-entry.js';

@Resolver()
export class HistoryResolver {
  @Query(() => AccessHistoryConnection, {
    description: 'Who accessed your data: every entry that names you, newest first. For users. Asking is an entry too.',
  })
  async whoAccessedMyData(
    @Ctx() context: Context,
    @Arg('challenge', () => String, {
      description: '32 bytes that you made up just now, as 64 lower-case hex digits or 43 characters of base64url.',
    })
    challenge: string,
    @Args(() => PageArgs) args: PageArgs,
    @Arg('merge', () => Boolean, {
      defaultValue: true,
      description:
        'Whether refusals that are alike and follow each other are one line. False where each entry is to be proven.',
    })
    merge: boolean,
  ): Promise<AccessHistoryConnection> {
    const { lines, ...asked } = await whoAccessedMyData(context, challenge, args, merge);
    const edges = lines.edges.map(({ cursor, node }) => ({ cursor, node: shown(node) }));
    return { ...asked, edges, pageInfo: lines.pageInfo };
  }
}

function shown({ run, ...words }: HistoryLine): AccessLine {
  const newest = run.newest.says;
  const oldest = run.oldest.says;
  return {
    ...words,
    at: newest && new Date(newest.at),
    since: oldest && new Date(oldest.at),
    times: run.count,
    outcome: newest && (newest.refusal === null ? Outcome.PERMITTED : Outcome.REFUSED),
    newest: placeOf(run.newest),
    oldest: placeOf(run.oldest),
  };
}

function placeOf({ index, link, says }: HistoryEntry): HistoryPlace {
  return { index, link, nth: says?.nth ?? null };
}
