/**
 * `npm run bench -- search [--entries N] [--plans]`: how long a reviewer's search takes in a log of so many entries, 1,000,000
 * unless told otherwise: each filter of `auditEntries`, fifty entries a page, with the look for an open reading session and
 * with what reading the leaves costs. Once as it is before PostgreSQL has gathered statistics, and once after.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { migrate } from '../src/database/migrating.js';
import { auditEntries } from '../src/domain/log/entries.js';
import type { EntryFilter } from '../src/domain/log/entry-filter.js';
import type { Context } from '../src/graphql/context.js';
import type { Actor, Pseudonym } from '../src/log/entry.js';
import { signingKey } from '../src/log/note-key.js';
import { type Core, openCore } from '../src/server/core.js';
import { formatKeys, generateKeys } from '../src/vault/key-file.js';
import { environmentKeys } from '../src/vault/key-provider.js';
import { freshCluster } from './support/cluster.js';
import { analyzeLog, BEGAN, ENTRIES_A_SECOND, fillLog, requestOf, somebody } from './support/filled-log.js';
import { quantile, table } from './support/table.js';

const ORIGIN = 'localhost/bench';
const SAMPLES = 300;
/** In milliseconds. */
const REACH = 50;
const REVIEWER: Actor = { id: randomUUID() as string as Pseudonym, kind: 'staff', role: 'security-reviewer' };

export async function search(...args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { entries: { type: 'string', default: '1000000' }, plans: { type: 'boolean', default: false } },
  });
  const size = Number(values.entries);
  if (!Number.isSafeInteger(size) || size < 1_000) throw new RangeError('--entries is a number from 1000 on');
  const cluster = await freshCluster();
  try {
    const url = await cluster.database('search');
    await migrate(url, 'postgres', ORIGIN);
    const superuser = new pg.Client({ connectionString: url });
    await superuser.connect();
    const now = () => new Date();
    const keys = environmentKeys('KEK', formatKeys(generateKeys(now(), randomBytes)), now);
    const core = await openCore({ url, logKey: signingKey(ORIGIN, randomBytes(32)), keys, now });
    try {
      await fillLog(superuser, size, (entries) => process.stderr.write(`\r${entries.toLocaleString('en')} entries`));
      process.stderr.write('\r\u001b[K');
      const before = await measure(core, size);
      await analyzeLog(superuser);
      const after = await measure(core, size);
      const rows = [...after].map(([what, ms]) => [
        what,
        quantile(ms, 0.5),
        quantile(ms, 0.99),
        quantile(before.get(what)!, 0.99),
        REACH,
      ]);
      const head = [`${size.toLocaleString('en')} entries, by`, 'p50 ms', 'p99 ms', 'p99 without statistics', 'reach'];
      process.stdout.write(`${table(head, rows)}\n`);
      if (values.plans) await explain(core, size);
    } finally {
      await core.close();
      await superuser.end();
    }
  } finally {
    await cluster.close();
  }
}

interface Search {
  readonly filter: EntryFilter;
  /** Entries before this one. */
  readonly before?: number;
}

/** By what, and one at random of such searches in a log of so many entries. */
function searches(size: number): Readonly<Record<string, () => Search>> {
  const people = Math.floor(size / 50);
  const staff = Math.floor(size / 5_000);
  const seconds = size / ENTRIES_A_SECOND;
  const moment = (second: number) => new Date(BEGAN.getTime() + second * 1_000);
  const any = () => Math.random() * seconds;
  const span = (length: number) => {
    const from = Math.random() * Math.max(0, seconds - length);
    return { from: moment(from), to: moment(from + length) };
  };
  const person = () => somebody('subject', Math.floor(people * Math.random() ** 3));
  const busiest = somebody('subject', 0);
  const actor = () => somebody('actor', Math.floor(staff * Math.random() ** 2));
  const deep = () => randomInt(size);
  const by = (filter: () => EntryFilter) => () => ({ filter: filter() });
  const from = (filter: () => EntryFilter) => () => ({ filter: filter(), before: deep() });
  return {
    nothing: by(() => ({})),
    'nothing, from anywhere': from(() => ({})),
    subject: by(() => ({ subject: person() })),
    'subject, from anywhere': from(() => ({ subject: person() })),
    'subject in most entries, from anywhere': from(() => ({ subject: busiest })),
    'subject in none': by(() => ({ subject: somebody('subject', 999_999_999_999) })),
    actor: by(() => ({ actor: actor() })),
    'actor, from anywhere': from(() => ({ actor: actor() })),
    'actor in none': by(() => ({ actor: somebody('actor', 999_999_999_999) })),
    request: by(() => ({ request: requestOf(deep()) })),
    'event in most': by(() => ({ event: 'record.read' })),
    'event in most, from anywhere': from(() => ({ event: 'record.read' })),
    'event long ago only': by(() => ({ event: 'user.registered' })),
    'event of a thousandth': from(() => ({ event: 'log.read' })),
    'event in few': by(() => ({ event: 'key.destroyed' })),
    'event in none': by(() => ({ event: 'dream.seen' })),
    'purpose in most, from anywhere': from(() => ({ purpose: 'convenience' })),
    'purpose long ago only': by(() => ({ purpose: 'moving-in' })),
    'purpose in few': by(() => ({ purpose: 'once' })),
    'purpose in none': by(() => ({ purpose: 'gossip' })),
    'outcome permitted, from anywhere': from(() => ({ outcome: 'permitted' })),
    'outcome refused': by(() => ({ outcome: 'refused' })),
    'outcome refused, from anywhere': from(() => ({ outcome: 'refused' })),
    from: by(() => ({ from: moment(any()) })),
    'from, after the last': by(() => ({ from: moment(seconds + 10) })),
    to: by(() => ({ to: moment(any()) })),
    'to, before the first': by(() => ({ to: moment(-10) })),
    'a second': by(() => span(1)),
    'a tenth of a millisecond': by(() => span(0.0001)),
    'subject and an hour': by(() => ({ subject: person(), ...span(3_600) })),
    'subject and ten seconds': by(() => ({ subject: person(), ...span(10) })),
    'subject in most and a minute': by(() => ({ subject: busiest, ...span(60) })),
    'actor and a minute': by(() => ({ actor: actor(), ...span(60) })),
    'event in few and an hour': by(() => ({ event: 'key.destroyed', ...span(3_600) })),
    'refused and a minute': by(() => ({ outcome: 'refused', ...span(60) })),
    'subject, event and outcome': by(() => ({ subject: person(), event: 'record.updated', outcome: 'refused' })),
    'actor and a rare event': by(() => ({ actor: actor(), event: 'log.read' })),
    'actor and an event of long ago': by(() => ({ actor: actor(), event: 'user.registered' })),
    'purpose of long ago and a common event': by(() => ({ purpose: 'moving-in', event: 'record.read' })),
  };
}

async function measure(core: Core, size: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  for (const [what, next] of Object.entries(searches(size))) {
    const ms: number[] = [];
    const start = performance.now();
    for (let nth = 0; nth < SAMPLES; nth++) {
      const context = core.contextFor({ actor: REVIEWER, request: randomUUID() });
      const asked = next();
      const began = performance.now();
      await find(context, asked);
      ms.push(performance.now() - began);
      // What is slow is known after a few.
      if (nth >= 20 && performance.now() - start > 10_000) break;
    }
    times.set(what, ms);
  }
  return times;
}

function find(context: Context, { filter, before }: Search) {
  const after = before === undefined ? null : Buffer.from(`after:${before}`).toString('base64url');
  return auditEntries(context, filter, { first: 50, after });
}

/** The plans of one search of each kind. */
async function explain(core: Core, size: number): Promise<void> {
  for (const [what, next] of Object.entries(searches(size))) {
    process.stdout.write(`\n${what}\n`);
    const context = core.contextFor({ actor: REVIEWER, request: randomUUID() });
    const query = async (text: string, values: unknown[]) => {
      const plan: { 'QUERY PLAN': string }[] = await context.rows.query(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${text}`,
        values,
      );
      process.stdout.write(`${plan.map((line) => `  ${line['QUERY PLAN']}`).join('\n')}\n`);
      return context.rows.query(text, values);
    };
    await find({ ...context, rows: Object.assign(Object.create(context.rows), { query }) }, next());
  }
}
