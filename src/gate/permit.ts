/**
 * A permit is a decision that something may be done, with the facts it rests on: what a verb needs to do it, and to write
 * the entries of it. There is none for what is refused: the refusal is appended, and thrown.
 */
import type { Ledger } from '../ledger/ledger.js';
import type { Body, Category, Entry, PermittedBody, Pseudonym, Purpose, RecordId, RefusedBody } from '../log/entry.js';
import type { EventName } from '../log/event.js';
import { type Collected, decide, type Permitted, refusedDeed } from '../policy/decide.js';
import { type Missing, Refusal, type RefusalCode, type Refused } from '../policy/refusal.js';
import { refusedByRole } from '../policy/role.js';
import { type Asker, type Particulars, permittedBody, refusedBody } from './asker.js';
import type { Question, ReadFacts } from './facts.js';
import type { Holdings } from './holdings.js';
import { untilFresh } from './try-again.js';

/** What is to be done with somebody's data, and for which purpose. */
export interface DataAsk {
  /** Null where the person is not known yet. */
  readonly subject: Pseudonym | null;
  readonly record?: RecordId;
  readonly purpose: string;
  readonly categories: readonly string[] | null;
  readonly collected?: readonly Collected[];
  /** How a new value of `record` came. */
  readonly channel?: string;
}

export interface DeedAsk {
  readonly event: EventName;
  /** The name of our root field. */
  readonly operation: string;
  /** Null where nobody's data is concerned: then the role alone decides. */
  readonly data: DataAsk | null;
}

export interface Permit {
  readonly asOf: number;
  /** Null where nobody's data is concerned, or the person is not known. */
  readonly holdings: Holdings;
  /** The purpose's; null where nobody's data is concerned. */
  readonly basis: string | null;
  isSearchable(category: Category): boolean;
  /** A body that rests on this permit: its purpose, basis and categories, unless other particulars are given. */
  body(event: EventName, said?: Partial<Particulars>): PermittedBody;
  /** For what turns out, while the thing is done, not to be permitted after all. */
  refusal(why: Refused): RefusedBody;
}

export interface PermitParts {
  readonly ledger: Ledger;
  readonly readFacts: ReadFacts;
}

/** @throws Refusal, with its entry; LedgerFault */
export function permit(parts: PermitParts, asker: Asker, ask: DeedAsk): Promise<Permit> {
  return untilFresh(async () => {
    const judged = await judge(parts, asker, ask);
    return 'outcome' in judged ? refuse(parts, asker, judged) : judged;
  });
}

/** Appends one body for the asker, unless the facts have changed since. */
export async function enter({ ledger }: PermitParts, asker: Asker, body: Body): Promise<Entry | 'stale'> {
  const [appended] = await ledger.append([body]);
  if (!appended || appended === 'stale') return 'stale';
  asker.entries.push(appended.entry);
  return appended.entry;
}

/** Appends a refusal and throws it, unless the facts have changed since. */
export async function refuse(parts: PermitParts, asker: Asker, body: RefusedBody): Promise<'stale'> {
  const entry = await enter(parts, asker, body);
  if (entry === 'stale') return 'stale';
  const { code, missing = [] } = body.refusal;
  throw new Refusal({ code: code as RefusalCode, clause: body.clause, missing: missing as Missing[] }, entry);
}

async function judge(
  { readFacts }: PermitParts,
  asker: Asker,
  { event, operation, data }: DeedAsk,
): Promise<Permit | RefusedBody> {
  const isStaff = asker.actor.kind === 'staff';
  const questions = data ? [{ ...data, values: false }] : isStaff ? [OF_THE_ACTOR] : [];
  const { asOf, answers } = await readFacts(asker.actor.id, questions);
  const [answer] = answers;
  const at = asker.now();
  const said = { asOf, at, event, operation };
  if (!data || !answer) {
    const { actor } = asker;
    const refusal = answer ? refusedDeed(actor, event, answer.facts, at) : refusedByRole(actor, event);
    if (refusal) return refusedBody(asker, said, refusal);
    return {
      asOf,
      holdings: null,
      basis: null,
      isSearchable: () => false,
      refusal: (why) => refusedBody(asker, said, why),
      body: (of, particulars) => permittedBody(asker, { ...said, ...particulars, event: of }),
    };
  }

  const { facts, holdings } = answer;
  const subject = data.subject ?? holdings?.subject ?? null;
  const categories = data.record ? facts.declared.map(({ key }) => key) : data.categories;
  const { channel } = data;
  const collected = channel ? facts.declared.map(({ key }) => ({ category: key, channel })) : data.collected;
  const ask = {
    actor: asker.actor,
    event,
    subject,
    purpose: data.purpose,
    categories,
    ...(collected && { collected }),
  };
  const decisions = decide(ask, facts, at);
  const about = { asOf, at, operation, ...(subject && holdings && { subject }), ...aim(facts.purpose?.key) };
  const refusal = decisions.find((decision) => decision.outcome === 'refused');
  if (refusal) {
    const asked = refusal.categories.length > 0 ? { asked: refusal.categories } : {};
    return refusedBody(asker, { ...about, ...asked, event }, refusal.refusal);
  }
  const { basis, clause, categories: asked } = decisions[0] as Permitted;
  const carried = basis === null ? {} : { basis };
  return {
    asOf,
    holdings,
    basis: facts.purpose!.basis,
    isSearchable: (category) => facts.declared.some(({ key, searchable }) => searchable && key === category),
    refusal: (why) => refusedBody(asker, { ...about, asked, event }, why),
    body: (of, particulars) => permittedBody(asker, { ...about, ...carried, clause, asked, ...particulars, event: of }),
  };
}

/** For what is known of whoever asks, and nobody else. */
const OF_THE_ACTOR: Question = { subject: null, purpose: '', categories: [], values: false };

function aim(purpose: Purpose | undefined): { purpose?: Purpose } {
  return purpose ? { purpose } : {};
}
