/**
 * The gate is the one door to people's data: read, find, change, erase. Each decides by the policy, writes the entry, and
 * only then opens or keeps anything. An operation gets a gate of its own, so that what it asks for is decided and written
 * together, and its entries can be shown to whoever asked.
 */
import { channel } from 'node:diagnostics_channel';
import DataLoader from 'dataloader';
import type pg from 'pg';
import type { Ledger } from '../ledger/ledger.js';
import type { Entry } from '../log/entry.js';
import type { Decision } from '../policy/decide.js';
import { Refusal, type Refused } from '../policy/refusal.js';
import type { Vault } from '../vault/vault.js';
import type { Asker, Particulars } from './asker.js';
import { change, type Revised, type Revision, revise, type Work } from './change.js';
import { type EraseAsk, erase } from './erase.js';
import type { ReadFacts } from './facts.js';
import { type FindAsk, type Found, find } from './find.js';
import { type ForeseeAsk, foresee } from './foresee.js';
import { type DeedAsk, enter, permit, refuse } from './permit.js';
import { type ReadAsk, readRecords, type ShownRecord } from './read.js';
import { untilFresh } from './try-again.js';

export interface GateParts {
  readonly log: number;
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly readFacts: ReadFacts;
  /** The reader's. */
  readonly pool: pg.Pool;
}

/**
 * What a verb throws says how far it came:
 *
 * - Refusal: it stands in the log, with its entry, and nothing opened or changed.
 * - TooMuchAtOnce: it stands in the log that somebody looked at what is held; nothing opened.
 * - VaultError where a key cannot wrap or seal: nothing was written for the ask.
 * - VaultError where a seal is broken: the entry of the read stands, though nothing opened by it.
 * - TryAgain: this ask did not come through. Others of the same batch may have: their entries stand, and count as reads.
 * - LedgerFault: nothing was answered. After UNAVAILABLE it is unknown whether entries, and the rows of a change, stand.
 *
 * What was entered before it threw is among the asker's entries all the same.
 */
export interface Gate {
  /** Batched with whatever else the operation asks for in the same turn. Null for an unknown person. */
  records(ask: ReadAsk): Promise<ShownRecord[] | null>;
  find(ask: FindAsk): Promise<Found>;
  change<T>(ask: DeedAsk, work: Work<T>): Promise<T>;
  revise(revision: Revision): Promise<Revised>;
  /** What a read would be decided to be, of nobody in particular. Makes no entry. */
  foresee(ask: ForeseeAsk): Promise<Decision[]>;
  erase(ask: Omit<EraseAsk, 'log'>): Promise<number | null>;
  /** For what opens no value and changes no row, but is to be known: a list looked at, the log read. */
  note(ask: DeedAsk, said?: Partial<Particulars>): Promise<Entry>;
  /** For what the role permits, and the thing itself turns out not to. Always throws. */
  refuse(ask: DeedAsk, why: Refused): Promise<never>;
}

export function openGate(parts: GateParts, asker: Asker): Gate {
  const loader = new DataLoader<ReadAsk, ShownRecord[] | null>(
    (asks) => timed('read', () => readRecords(parts, asker, asks)),
    { cache: false },
  );
  return {
    records: (ask) => loader.load(ask),
    find: (ask) => timed('find', () => find(parts, asker, ask)),
    change: (ask, work) => timed('change', () => change(parts, asker, ask, work)),
    revise: (revision) => timed('change', () => revise(parts, asker, revision)),
    foresee: (ask) => timed('foresee', () => foresee(parts, asker, ask)),
    erase: (ask) => timed('erase', () => erase(parts, asker, { ...ask, log: parts.log })),
    note: (ask, said) => timed('note', () => note(parts, asker, ask, said)),
    refuse: (ask, why) =>
      timed('note', () =>
        untilFresh<never>(async () => refuse(parts, asker, (await permit(parts, asker, ask)).refusal(why))),
      ),
  };
}

function note(parts: GateParts, asker: Asker, ask: DeedAsk, said?: Partial<Particulars>): Promise<Entry> {
  return untilFresh(async () => {
    const permitted = await permit(parts, asker, ask);
    return enter(parts, asker, permitted.body(ask.event, said));
  });
}

const answers = channel('access-ledger:gate');

async function timed<T>(verb: string, answer: () => Promise<T>): Promise<T> {
  if (!answers.hasSubscribers) return answer();
  const began = performance.now();
  let outcome = 'failed';
  try {
    const answered = await answer();
    outcome = 'answered';
    return answered;
  } catch (error) {
    if (error instanceof Refusal) outcome = 'refused';
    throw error;
  } finally {
    answers.publish({ verb, outcome, ms: performance.now() - began });
  }
}
