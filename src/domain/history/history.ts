/**
 * The verb by which users see who accessed their data (clause 6.4): first the entry of their asking, then what it counts.
 */
import type { EntityManager } from 'typeorm';
import { type Connection, isIndex, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import type { Entry } from '../../log/entry.js';
import { ENTRY_COLUMNS, type EntryRow } from '../log/entry.entity.js';
import { challengeDigest } from './challenge.js';
import { extended, type Run, runOf } from './history.rules.js';
import { type Titles, type Words, wordsOf } from './history.words.js';
import { type HistoryEntry, historyEntry } from './history-entry.js';

export interface HistoryLine extends Words {
  readonly run: Run;
}

export interface AccessHistory {
  /** How many entries name the person, up to and with `entry`. It says nothing about later ones. */
  readonly count: number;
  /** Of this very asking: it carries the SHA-256 of the challenge. */
  readonly entry: Entry;
  readonly lines: Connection<HistoryLine>;
}

/**
 * @param merge whether refusals that are alike and follow each other are one line; if not, every entry is a line
 * @throws Refusal, with its entry, for whoever is no user; Fault BAD_INPUT
 */
export async function whoAccessedMyData(
  context: Context,
  challenge: string,
  args: PageArgs,
  merge = true,
): Promise<AccessHistory> {
  const { actor, gate, rows } = context;
  const ask = { event: 'history.read', operation: 'whoAccessedMyData', data: null } as const;
  const entry = await gate.note(ask, { subject: actor.id, details: { challenge: challengeDigest(challenge) } });
  const [own] = await readEntries(context, entry.index + 1, 1);
  if (own?.link !== entry.link || !own.says) throw new Fault('INTERNAL');
  const lines = await page<HistoryLine>(
    args,
    ({ run }) => String(run.oldest.index),
    async (after, limit) => {
      const before = after === null ? entry.index + 1 : Number(after);
      const runs = await readRuns(context, before, limit, merge);
      const titles = await readTitles(rows, runs);
      return runs.map((run) => ({ run, ...wordsOf(run, actor.id, titles) }));
    },
    isIndex,
  );
  return { count: own.says.nth, entry, lines };
}

const CHUNK = 200;

/** The lines below an index, newest first, read in chunks until there are as many as wanted. */
async function readRuns(context: Context, below: number, limit: number, merge: boolean): Promise<Run[]> {
  const runs: Run[] = [];
  for (let before = below, length = Math.min(limit, CHUNK); ; length = CHUNK) {
    const chunk = await readEntries(context, before, length);
    for (const entry of chunk) {
      const last = runs.at(-1);
      const longer = merge && last && extended(last, entry);
      if (longer) runs[runs.length - 1] = longer;
      else if (runs.length === limit) return runs;
      else runs.push(runOf(entry));
    }
    if (chunk.length < length) return runs;
    before = chunk.at(-1)!.index;
  }
}

/** Entries about the actor below an index, newest first. */
async function readEntries({ rows, log, actor }: Context, before: number, limit: number): Promise<HistoryEntry[]> {
  const found: EntryRow[] = await rows.query(
    `SELECT ${ENTRY_COLUMNS} FROM ledger.entry e
     WHERE e.log = $1 AND e.subject = $2 AND e.index < $3 ORDER BY e.index DESC LIMIT $4`,
    [log, actor.id, before, limit],
  );
  return found.map((row) => historyEntry(row, actor.id));
}

/** Of all that is declared, which is not much; of processors, those of the lines. */
async function readTitles(rows: EntityManager, runs: readonly Run[]): Promise<Titles> {
  const actors = runs.flatMap(({ newest: { says } }) => (says?.actor.kind === 'processor' ? [says.actor.id] : []));
  const [{ titles }] = await rows.query(
    `SELECT json_build_object(
       'categories', (SELECT json_object_agg(c.key, c.title) FROM registry.category c),
       'purposes', (SELECT json_object_agg(p.key, p.title) FROM registry.purpose p),
       'bases', (SELECT json_object_agg(b.key, b.title) FROM registry.legal_basis b),
       'processors', (SELECT json_object_agg(p.id, p.kind) FROM registry.processor p WHERE p.id = ANY ($1))) AS titles`,
    [[...new Set(actors)]],
  );
  const { categories, purposes, bases, processors } = titles;
  return {
    categories: new Map(Object.entries(categories ?? {})),
    purposes: new Map(Object.entries(purposes ?? {})),
    bases: new Map(Object.entries(bases ?? {})),
    processors: new Map(Object.entries(processors ?? {})),
  };
}
