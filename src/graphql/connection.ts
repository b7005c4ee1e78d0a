/**
 * A connection is a page of a list (GraphQL Cursor Connections), forward only. Cursors are keysets: the place after a row,
 * not a count of rows, so a page costs the same wherever it is and misses nothing while others write.
 */
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { Fault } from './fault.js';
import { uuidOrNull } from './id.js';

const DEFAULT_PAGE = 50;
export const LONGEST_PAGE = 200;

@ObjectType()
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage: boolean;
  @Field(() => Boolean, { description: 'Always false: lists are paged forward.' })
  hasPreviousPage: boolean;
  @Field(() => String, { nullable: true })
  startCursor: string | null;
  @Field(() => String, { nullable: true })
  endCursor: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, description: `At most ${LONGEST_PAGE}; ${DEFAULT_PAGE} if left out.` })
  first?: number | null;
  @Field(() => String, { nullable: true, description: 'The cursor to go on after.' })
  after?: string | null;
}

export interface Edge<N> {
  readonly cursor: string;
  readonly node: N;
}

export interface Connection<N> {
  readonly edges: readonly Edge<N>[];
  readonly pageInfo: PageInfo;
}

/** The GraphQL types of a connection of nodes. */
export function connectionTypes<N extends object>(Node: ClassType<N>, name: string) {
  @ObjectType(`${name}Edge`)
  class NodeEdge implements Edge<N> {
    @Field(() => String)
    cursor: string;
    @Field(() => Node)
    node: N;
  }

  @ObjectType(`${name}Connection`)
  class NodeConnection implements Connection<N> {
    @Field(() => [NodeEdge])
    edges: NodeEdge[];
    @Field(() => PageInfo)
    pageInfo: PageInfo;
  }

  return { NodeEdge, NodeConnection };
}

/**
 * A page of what `fetch` gives: up to `limit` nodes after the key, in order.
 *
 * @param keyOf what the cursor of a node stands for
 * @param isKey whether a key can be one of this list's; a cursor of another list is none of this one
 * @throws Fault BAD_INPUT for a page that is too long, or a cursor that is none
 */
export async function page<N>(
  { first, after }: PageArgs,
  keyOf: (node: N) => string,
  fetch: (after: string | null, limit: number) => Promise<N[]>,
  isKey: (key: string) => boolean = isUuid,
): Promise<Connection<N>> {
  const length = first ?? DEFAULT_PAGE;
  if (length < 1 || length > LONGEST_PAGE) {
    throw new Fault('BAD_INPUT', { detail: `"first" is from 1 to ${LONGEST_PAGE}.` });
  }
  const nodes = await fetch(after == null ? null : parseCursor(after, isKey), length + 1);
  const edges = nodes.slice(0, length).map((node) => ({ cursor: formatCursor(keyOf(node)), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: nodes.length > length,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

const PREFIX = 'after:';

/** Of a list in the order of the log. */
export function isIndex(key: string): boolean {
  return /^(0|[1-9][0-9]{0,14})$/.test(key);
}

function isUuid(key: string): boolean {
  return uuidOrNull(key) !== null;
}

function formatCursor(key: string): string {
  return Buffer.from(PREFIX + key).toString('base64url');
}

/** What a cursor of ours can hold: an id, a declared key, or an index. */
const KEY = /^after:([a-z0-9._-]{1,100})$/;

function parseCursor(cursor: string, isKey: (key: string) => boolean): string {
  const key = KEY.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (key === undefined || !isKey(key)) throw new Fault('BAD_INPUT', { detail: '"after" is no cursor of this list.' });
  return key;
}
