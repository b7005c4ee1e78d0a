/**
 * Read: the one way by which values leave. For a batch of asks: facts in one statement, decisions, entries in one COMMIT,
 * and only then, against the receipts, the values.
 *
 * One entry stands for each subject, purpose, basis, outcome and refusal code of a batch, and names exactly the records
 * whose values were asked for: two asks of one operation about one person share it.
 */
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipt.js';
import type { Body, Category, Entry, Pseudonym, Purpose, RecordId } from '../log/entry.js';
import { type Decision, decide, together } from '../policy/decide.js';
import { Refusal, type Refused } from '../policy/refusal.js';
import type { Vault, WrappedKey } from '../vault/vault.js';
import { VaultError } from '../vault/vault-error.js';
import { type Asker, permittedBody, RECORDS_PER_ENTRY, refusedBody } from './asker.js';
import type { Answer, Question, ReadFacts } from './facts.js';
import { type HeldRecord, TooMuchAtOnce } from './holdings.js';
import { untilFresh } from './try-again.js';

export interface ReadAsk extends Question {
  readonly subject: Pseudonym;
  /** The name of our root field. */
  readonly operation: string;
}

/** What is shown of one record, or of one category that is withheld: then nothing says whether there are records. */
export interface ShownRecord {
  readonly id: RecordId | null;
  readonly category: Category;
  readonly version: number | null;
  readonly channel: string | null;
  readonly value: string | null;
  readonly withheld: Refused | null;
}

/**
 * Null for an unknown person, to whoever might have read. To whoever is refused, known and unknown are shown alike. An error
 * is this ask's alone: a Refusal where it names what is not declared, the vault's where a seal is broken, and TooMuchAtOnce
 * where values are held of somebody and the asks together would bring too many.
 */
export type ReadResult = ShownRecord[] | null | Error;

export interface ReadParts {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly readFacts: ReadFacts;
}

export async function readRecords(parts: ReadParts, asker: Asker, asks: readonly ReadAsk[]): Promise<ReadResult[]> {
  try {
    return await readAll(parts, asker, asks);
  } catch (error) {
    if (!(error instanceof TooMuchAtOnce)) throw error;
    // How much is held is told as well, so it is decided and entered: as a look at what there is, for nothing opens.
    const unopened = asks.map((ask) => ({ ...ask, values: false }));
    const listed = await readAll(parts, asker, unopened);
    return listed.map((result, at) => (asks[at]!.values && showsRecords(result) ? error : result));
  }
}

function showsRecords(result: ReadResult): boolean {
  return Array.isArray(result) && result.some(({ withheld }) => !withheld);
}

async function readAll(parts: ReadParts, asker: Asker, asks: readonly ReadAsk[]): Promise<ReadResult[]> {
  const results = new Map<ReadAsk, ReadResult>();
  await untilFresh(async () => {
    const pending = asks.filter((ask) => !results.has(ask));
    const answered = await attempt(parts, asker, pending);
    pending.forEach((ask, at) => {
      const result = answered[at]!;
      if (result !== 'stale') results.set(ask, result.shown);
    });
    return results.size === asks.length ? results : 'stale';
  });
  return asks.map((ask) => results.get(ask) ?? null);
}

type Answered = { readonly shown: ReadResult } | 'stale';

async function attempt(parts: ReadParts, asker: Asker, asks: readonly ReadAsk[]): Promise<Answered[]> {
  const { asOf, answers } = await parts.readFacts(asker.actor.id, asks);
  const at = asker.now();
  const groups = new Map<string, Group>();
  const outcomes = asks.map((ask, nth) => sort(asker, at, ask, answers[nth]!, groups));
  const drafts = [...groups.values()].flatMap((group) => draft(asker, { asOf, at }, group));

  const appended = await parts.ledger.append(drafts.map(({ body }) => body));
  await Promise.all(
    drafts.map(async ({ group, records }, nth) => {
      const one = appended[nth]!;
      if (one === 'stale') {
        group.stale = true;
        return;
      }
      asker.entries.push(one.entry);
      group.entry = one.entry;
      if (!one.receipt || records.length === 0) return;
      await open(parts.vault, one.receipt, group, records).catch((fault: Error) => {
        group.fault = fault;
      });
    }),
  );
  return outcomes.map((outcome) => {
    if (outcome.parts.some(({ group }) => group.stale)) return 'stale';
    return { shown: show(outcome) };
  });
}

/** What one entry is about, gathered from the asks that share it. */
interface Group {
  readonly ask: ReadAsk;
  /** Null for an unknown person: whom a client named is not for the log. */
  readonly subject: Pseudonym | null;
  decision: Decision;
  readonly purpose: Purpose | undefined;
  readonly key: WrappedKey | null;
  readonly asked: Set<Category>;
  readonly records: Map<RecordId, HeldRecord>;
  readonly values: Map<RecordId, string>;
  wantsValues: boolean;
  stale: boolean;
  entry: Entry | null;
  /** Why its values do not open, if they do not. */
  fault: Error | null;
}

interface Outcome {
  readonly ask: ReadAsk;
  /** Null for an unknown person. */
  readonly held: readonly HeldRecord[] | null;
  readonly parts: readonly { decision: Decision; group: Group }[];
}

/** Decides on one ask, and adds each part of the decision to the group that its entry stands for. */
function sort({ actor }: Asker, at: Date, ask: ReadAsk, answer: Answer, groups: Map<string, Group>): Outcome {
  const { facts, holdings } = answer;
  const subject = holdings && ask.subject;
  const event = ask.values ? 'record.read' : 'record.listed';
  const parts = decide({ ...ask, actor, event }, facts, at).map((decision) => {
    const why = decision.outcome === 'permitted' ? decision.basis : decision.refusal.code;
    const name = `${subject} ${facts.purpose?.key} ${decision.outcome} ${why}`;
    let group = groups.get(name);
    if (!group) {
      group = {
        ask,
        subject,
        decision,
        purpose: facts.purpose?.key,
        key: holdings?.key ?? null,
        asked: new Set(),
        records: new Map(),
        values: new Map(),
        wantsValues: false,
        stale: false,
        entry: null,
        fault: null,
      };
      groups.set(name, group);
    }
    if (decision.outcome === 'refused' && group.decision.outcome === 'refused') {
      group.decision = { ...decision, refusal: together([group.decision.refusal, decision.refusal]) };
    }
    group.wantsValues ||= ask.values;
    for (const category of decision.categories) group.asked.add(category);
    if (decision.outcome === 'permitted' && ask.values) {
      for (const record of holdings?.records ?? []) {
        if (decision.categories.includes(record.category)) group.records.set(record.id, record);
      }
    }
    return { decision, group };
  });
  return { ask, held: holdings?.records ?? null, parts };
}

interface Draft {
  readonly group: Group;
  readonly records: readonly HeldRecord[];
  readonly body: Body;
}

function draft(asker: Asker, decided: { asOf: number; at: Date }, group: Group): Draft[] {
  const { ask, subject, decision, purpose } = group;
  const asked = [...group.asked].sort();
  const said = {
    ...decided,
    operation: ask.operation,
    ...(subject && { subject }),
    ...(purpose && { purpose }),
    ...(asked.length > 0 && { asked }),
  };
  if (decision.outcome === 'refused') {
    const event = group.wantsValues ? 'record.read' : 'record.listed';
    return [{ group, records: [], body: refusedBody(asker, { ...said, event }, decision.refusal) }];
  }
  const { basis, clause } = decision;
  const all = [...group.records.values()];
  const drafts: Draft[] = [];
  do {
    const records = all.slice(drafts.length * RECORDS_PER_ENTRY, (drafts.length + 1) * RECORDS_PER_ENTRY);
    const named = records.map(({ id, category, version }) => ({ category, id, version }));
    const event = named.length > 0 ? 'record.read' : 'record.listed';
    const body = permittedBody(asker, {
      ...said,
      event,
      clause,
      ...(basis !== null && { basis }),
      ...(named.length > 0 && { records: named }),
    });
    drafts.push({ group, records, body });
  } while (drafts.length * RECORDS_PER_ENTRY < all.length);
  return drafts;
}

async function open(vault: Vault, receipt: Receipt, group: Group, records: readonly HeldRecord[]): Promise<void> {
  const { key, values } = group;
  if (!key) throw new VaultError('SEAL_BROKEN');
  const sealed = records.map((record) => ({ record, bytes: record.sealed! }));
  const opened = await vault.open(receipt, key, sealed);
  records.forEach((record, at) => {
    values.set(record.id, opened[at]!);
  });
}

function show({ ask, held, parts }: Outcome): ReadResult {
  for (const { decision, group } of parts) {
    if (decision.outcome === 'refused' && NOT_DECLARED.has(decision.refusal.code)) {
      return new Refusal(decision.refusal, group.entry);
    }
    if (ask.values && group.fault) return group.fault;
  }
  if (!held && parts.some(({ decision }) => decision.outcome === 'permitted')) return null;
  return parts.flatMap(({ decision, group }): ShownRecord[] => {
    if (decision.outcome === 'refused') {
      return decision.categories.map((category) => ({ ...NOTHING, category, withheld: decision.refusal }));
    }
    return (held ?? [])
      .filter(({ category }) => decision.categories.includes(category))
      .map(({ id, category, version, channel }) => ({
        id,
        category,
        version,
        channel,
        value: ask.values ? (group.values.get(id) ?? null) : null,
        withheld: null,
      }));
  });
}

/** Bad arguments, rather than decisions about a person's categories. */
const NOT_DECLARED: ReadonlySet<string> = new Set(['PURPOSE_NOT_DECLARED', 'CATEGORY_NOT_DECLARED']);
const NOTHING = { id: null, version: null, channel: null, value: null };
