/**
 * The verb by which users see who accessed their data (clause 6.4): first the entry of their asking, then what it counts.
 */
import type { EntityManager } from 'typeorm';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import type { Entry, Pseudonym } from '../../log/entry.js';
import type { Link, LogIndex } from '../../log/leaf.js';
import { bodyOrNull } from './audit-entry.js';
import { challengeDigest } from './challenge.js';
import { isIndex } from './entries.js';
import { continues, type HistoryEntry, type Run } from './history.rules.js';
import { type Titles, type Words, wordsOf } from './history.words.js';

export interface HistoryLine extends Words {
  /** The entries of the line, newest first. */
  readonly run: Run;
}

export interface AccessHistory {
  /** How many entries name the person, up to and with `entry`. It says nothing about later ones. */
  readonly count: number;
  /** Of this very asking: it carries the SHA-256 of the challenge. */
  readonly entry: Entry;
  readonly lines: Connection<HistoryLine>;
}

/** @throws Refusal, with its entry, for whoever is no user; Fault BAD_INPUT */
export async function whoAccessedMyData(context: Context, challenge: string, args: PageArgs): Promise<AccessHistory> {
  const { actor, gate, rows, log } = context;
  const ask = { event: 'history.read', operation: 'whoAccessedMyData', data: null } as const;
  const entry = await gate.note(ask, { subject: actor.id, details: { challenge: challengeDigest(challenge) } });
  const [own] = await rows.query('SELECT e.nth FROM ledger.entry e WHERE e.log = $1 AND e.index = $2', [
    log,
    entry.index,
  ]);
  const titles = await readTitles(rows);
  const lines = await page<HistoryLine>(
    args,
    ({ run }) => String(run.at(-1)!.index),
    async (after, limit) => {
      const before = after === null ? entry.index + 1 : Number(after);
      const runs = await readRuns(context, before, limit);
      return runs.map((run) => ({ run, ...wordsOf(run, actor.id, titles) }));
    },
    isIndex,
  );
  return { count: Number(own.nth), entry, lines };
}

const CHUNK = 500;

/** The lines below an index, newest first, read in chunks until there are as many as wanted. */
async function readRuns({ rows, log, actor }: Context, below: number, limit: number): Promise<Run[]> {
  const runs: [HistoryEntry, ...HistoryEntry[]][] = [];
  for (let before = below, length = Math.min(limit, CHUNK); ; length = CHUNK) {
    const chunk = await readEntries(rows, log, actor.id, before, length);
    for (const entry of chunk) {
      const last = runs.at(-1);
      if (last && continues(last, entry)) last.push(entry);
      else if (runs.length === limit) return runs;
      else runs.push([entry]);
    }
    if (chunk.length < length) return runs;
    before = chunk.at(-1)!.index;
  }
}

async function readEntries(
  rows: EntityManager,
  log: number,
  subject: Pseudonym,
  before: number,
  limit: number,
): Promise<HistoryEntry[]> {
  const found: { index: string; link: Link; nth: string; body: string }[] = await rows.query(
    `SELECT e.index, encode(e.link, 'hex') AS link, e.nth, substr(e.leaf, strpos(e.leaf, E'\\n') + 1) AS body
     FROM ledger.entry e WHERE e.log = $1 AND e.subject = $2 AND e.index < $3 ORDER BY e.index DESC LIMIT $4`,
    [log, subject, before, limit],
  );
  return found.map(({ index, link, nth, body }) => ({
    index: Number(index) as LogIndex,
    link,
    nth: Number(nth),
    body: bodyOrNull(body),
  }));
}

async function readTitles(rows: EntityManager): Promise<Titles> {
  const [{ titles }] = await rows.query(
    `SELECT json_build_object(
       'categories', (SELECT json_object_agg(c.key, c.title) FROM registry.category c),
       'purposes', (SELECT json_object_agg(p.key, p.title) FROM registry.purpose p),
       'bases', (SELECT json_object_agg(b.key, b.title) FROM registry.legal_basis b),
       'processors', (SELECT json_object_agg(p.id, p.kind) FROM registry.processor p)) AS titles`,
  );
  const { categories, purposes, bases, processors } = titles;
  return {
    categories: new Map(Object.entries(categories ?? {})),
    purposes: new Map(Object.entries(purposes ?? {})),
    bases: new Map(Object.entries(bases ?? {})),
    processors: new Map(Object.entries(processors ?? {})),
  };
}
