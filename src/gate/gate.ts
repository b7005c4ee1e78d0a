/**
 * The gate is the one door to people's data: read, find, change, erase. Each decides by the policy, writes the entry, and
 * only then opens or keeps anything. An operation gets a gate of its own, so that what it asks for is decided and written
 * together, and its entries can be shown to whoever asked.
 */
import { channel } from 'node:diagnostics_channel';
import DataLoader from 'dataloader';
import type pg from 'pg';
import type { Change, Ledger, Tx } from '../ledger/ledger.js';
import type { Entry } from '../log/entry.js';
import { Refusal } from '../policy/refusal.js';
import type { Vault } from '../vault/vault.js';
import type { Asker, Particulars } from './asker.js';
import { change, type Revised, type Revision, revise, type Seal } from './change.js';
import { type EraseAsk, erase } from './erase.js';
import type { ReadFacts } from './facts.js';
import { type FindAsk, type Found, find } from './find.js';
import { type DeedAsk, type Permit, permit } from './permit.js';
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

/** Every verb throws Refusal (with its entry), TryAgain or LedgerFault, and then nothing has happened. */
export interface Gate {
  /** Batched with whatever else the operation asks for in the same turn. Null for an unknown person. */
  records(ask: ReadAsk): Promise<ShownRecord[] | null>;
  find(ask: FindAsk): Promise<Found>;
  change<T>(ask: DeedAsk, work: (tx: Tx, permit: Permit, seal: Seal) => Promise<Change<T>>): Promise<T>;
  revise(revision: Revision): Promise<Revised>;
  erase(ask: Omit<EraseAsk, 'log'>): Promise<number>;
  /** For what opens no value and changes no row, but is to be known: a list looked at, the log read. */
  note(ask: DeedAsk, said?: Partial<Particulars>): Promise<Entry>;
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
    erase: (ask) => timed('erase', () => erase(parts, asker, { ...ask, log: parts.log })),
    note: (ask, said) => timed('note', () => note(parts, asker, ask, said)),
  };
}

function note(parts: GateParts, asker: Asker, ask: DeedAsk, said?: Partial<Particulars>): Promise<Entry> {
  return untilFresh(async () => {
    const permitted = await permit(parts, asker, ask);
    const [appended] = await parts.ledger.append([permitted.body(ask.event, said)]);
    if (!appended || appended === 'stale') return 'stale';
    asker.entries.push(appended.entry);
    return appended.entry;
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
