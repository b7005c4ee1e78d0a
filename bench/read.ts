/**
 * `npm run bench -- read`: audited reads over HTTP, against the same data served by a plain server (bench/plain/server.ts).
 * One person's customer card, and a page of 100 people, with 16 connections.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { comparisonTable } from './support/comparison.js';
import { ask, type Rivals, startRivals } from './support/rivals.js';
import { compare } from './support/rounds.js';

const CUSTOMER_CARD = `query CustomerCard($user: ID!) { user(id: $user) { id
  personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) {
    category version channel value withheld { code clause missing } } } }`;

const LIST = `query List($after: String) { users(first: 100, after: $after) { edges { node {
  id personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) { category value } } } } }`;

export async function read(): Promise<void> {
  const rivals = await startRivals();
  try {
    const cards = rivals.people.map(({ id }) => ({ query: CUSTOMER_CARD, variables: { user: id } }));
    const pages = cursors(rivals).map((after) => ({ query: LIST, variables: { after } }));
    await checkSame(rivals, [...cards.slice(0, 100), ...pages.slice(0, 3)]);
    const any = <T>(all: readonly T[]) => ({ next: () => all[Math.floor(Math.random() * all.length)]! });
    const one = await compare(rivals, () => () => any(cards));
    const list = await compare(rivals, () => () => any(pages));
    process.stdout.write(
      `${comparisonTable([
        { what: 'one person', reach: 0.65, ...one },
        { what: '100 people', reach: 0.45, ...list },
      ])}\n`,
    );
  } finally {
    await rivals.close();
  }
}

/** Where a page of 100 may begin so that it is full. */
function cursors({ people }: Rivals): (string | null)[] {
  const starts = people.slice(0, -100).map(({ id }) => Buffer.from(`after:${id}`).toString('base64url'));
  return [null, ...starts];
}

/** What is not the same is not compared. */
async function checkSame({ ours, plain, token }: Rivals, asked: { query: string; variables: object }[]): Promise<void> {
  for (const { query, variables } of asked) {
    const [one, other] = await Promise.all([ours, plain].map(({ url }) => ask(url, token, query, variables)));
    deepStrictEqual(one, other);
  }
}
