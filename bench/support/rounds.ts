/**
 * Rounds: the same load on two servers in turn, so that whatever else the machine does falls on both.
 */
import autocannon from 'autocannon';
import type { Rival, Rivals } from './rivals.js';
import { median } from './table.js';

export const CONNECTIONS = 16;
const WARM_UP_SECONDS = 5;
const ROUND_SECONDS = 8;
const ROUNDS = 5;

/** What one connection asks: a new document and variables for each request, and what it learns of the answer. */
export interface Conversation {
  next(): { readonly query: string; readonly variables: object };
  /** The text of an answer that has no errors. */
  heard?(body: string): void;
}

/** One for each connection, by its number. */
export type Talk = (connection: number) => Conversation;

/** Of one server: requests a second, and milliseconds. Each the median of the rounds. */
export interface Figures {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Comparison {
  readonly ours: Figures;
  readonly plain: Figures;
  /** The median of the rounds' own ratios of requests a second, ours to the plain server's. */
  readonly ratio: number;
}

/** @param talkWith starts anew for each server, and goes on from round to round */
export async function compare(rivals: Rivals, talkWith: (rival: Rival) => Talk): Promise<Comparison> {
  const sides = [rivals.ours, rivals.plain].map((rival) => {
    const talk = talkWith(rival);
    const conversations = Array.from({ length: CONNECTIONS }, (_, connection) => talk(connection));
    return { rival, conversations, rounds: [] as Figures[] };
  });
  for (const { rival, conversations } of sides) await round(rival, rivals.token, conversations, WARM_UP_SECONDS);
  for (let nth = 0; nth < ROUNDS; nth++) {
    // Who goes first takes turns too.
    for (const { rival, conversations, rounds } of nth % 2 === 0 ? sides : sides.toReversed()) {
      rounds.push(await round(rival, rivals.token, conversations, ROUND_SECONDS));
    }
  }
  const [ours, plain] = sides.map(({ rounds }) => rounds) as [Figures[], Figures[]];
  return {
    ours: middle(ours),
    plain: middle(plain),
    ratio: median(ours.map(({ rate }, nth) => rate / plain[nth]!.rate)),
  };
}

function middle(rounds: readonly Figures[]): Figures {
  const of = (figure: keyof Figures) => median(rounds.map((round) => round[figure]));
  return { rate: of('rate'), p50: of('p50'), p99: of('p99') };
}

/** @throws where an answer is not what was asked for: then nothing is measured */
async function round(
  { url, name }: Rival,
  token: string,
  conversations: readonly Conversation[],
  seconds: number,
): Promise<Figures> {
  let connection = 0;
  let wrong: string | null = null;
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    setupClient: (client) => {
      const conversation = conversations[connection++ % CONNECTIONS]!;
      client.setRequests([
        {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          setupRequest: (request) => ({ ...request, body: JSON.stringify(conversation.next()) }),
          onResponse: (status, body) => {
            if (status !== 200 || body.includes('"errors"')) wrong ??= `${status}: ${body}`;
            else conversation.heard?.(body);
          },
        },
      ]);
    },
  });
  if (wrong !== null || result.errors > 0) throw new Error(`${name} did not answer as it should: ${wrong}`);
  const { requests, latency, duration } = result;
  return { rate: requests.total / duration, p50: latency.p50, p99: latency.p99 };
}
