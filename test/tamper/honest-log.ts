/**
 * An honest log, as somebody tampers with it: written by the real ledger into a database of its own, published by the real
 * publisher, cosigned by a real witness; and what was kept of it elsewhere.
 */
import pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { createCosigner } from '../../src/ledger/cosigner.js';
import { entryId } from '../../src/ledger/entry-id.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { formatNoteOf } from '../../src/ledger/prover.js';
import { treeReader } from '../../src/ledger/tree-reader.js';
import { parseWitnessList } from '../../src/ledger/witness-list.js';
import type { Actor, Body, Entry, Pseudonym, RecordId, RefusedBody } from '../../src/log/entry.js';
import { formatVerifierKey } from '../../src/log/note-key.js';
import { serveWitness } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { migratedDatabase, someBody, someId } from '../support/ledger.js';
import { LOG_KEY, publishing, WITNESSES } from '../support/publishing.js';

/** How many entries it has, and what was kept: the cosigned checkpoint of the first 40, and the link of entry 44. */
export const ENTRIES = 48;
export const KEPT = 40;
export const HELD = 44;
/** Where checkpoints were signed. The one kept is among them. */
export const SIGNED = [16, KEPT, ENTRIES];

export const LOG = 1;
export const [WITNESS_KEY] = WITNESSES;
const COSIGNED_AT = new Date('2026-11-22T09:15:02.000Z');

export interface HonestLog {
  /** The superuser's only connection; whatever is done is done in its transaction. */
  readonly client: pg.Client;
  /** The checkpoint of KEPT, cosigned. */
  readonly kept: string;
  /** The newest checkpoint, which nobody has cosigned. */
  readonly newest: string;
  readonly held: Entry;
  /** What the witness remembers. */
  readonly witnessed: State;
  close(): Promise<void>;
}

export async function honestLog(): Promise<HonestLog> {
  const database = await migratedDatabase();
  const { ledger, publications, close } = await openLedger({
    url: database.url,
    log: LOG,
    entities: [],
    connections: 2,
  });
  const pool = openPool(database.url, 'access_ledger_reader', 2);
  const tree = treeReader(pool, LOG);
  const witness = witnessOf(new Map());
  const server = await serveWitness(witness.witness, { host: '127.0.0.1', port: 0, tell: () => {} });
  const policy = `witness w1 ${formatVerifierKey(WITNESS_KEY!)} ${server.url}\nquorum w1\n`;
  const list = parseWitnessList(policy, LOG_KEY);
  const cosigner = createCosigner({ list, reader: tree, publications, timeout: 5_000, onOutcome: () => {} });
  const { publish } = publishing({ tree, publications });

  const made: Entry[] = [];
  for (const change of story()) {
    const [appended] = await ledger.append([
      someBody({ ...(change as Partial<Body>), id: entryId(new Date()), asOf: made.length }),
    ]);
    if (appended === 'stale') throw new Error(`entry ${made.length} is stale`);
    made.push(appended!.entry);
    if (SIGNED.includes(made.length)) await publish();
    if (made.length === KEPT) await cosigner.followNewest();
  }
  const kept = formatNoteOf((await tree.signedAt(KEPT))!);
  const newest = formatNoteOf((await tree.newestSigned())!);
  await cosigner.stop();
  await server.close(100);
  await pool.end();
  await close();
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  return {
    client,
    kept,
    newest,
    held: made[HELD]!,
    witnessed: witness.state(),
    async close() {
      await client.end();
      await database.drop();
    },
  };
}

/** One that remembers this. */
export function witnessOf(remembered: State): { witness: Witness; state(): State } {
  const keeper = {
    state: remembered,
    replace: (state: State) => {
      keeper.state = state;
    },
  };
  const witness = new Witness({ key: WITNESS_KEY!, logs: [LOG_KEY], keeper, now: () => COSIGNED_AT });
  return { witness, state: () => keeper.state };
}

/** Of `someBody`. */
type Change = Partial<Record<keyof RefusedBody, unknown>>;

const SYSTEM = { id: '00000000-0000-4000-8000-000000000000' as Pseudonym, kind: 'system' } as const;

/** What is declared, who comes, who looks at whom and may not, who goes. */
function* story(): Generator<Change> {
  const people = Array.from({ length: 4 }, () => someId<Pseudonym>());
  const [anna, ben, carl, dora] = people as [Pseudonym, Pseudonym, Pseudonym, Pseudonym];
  const agents = [0, 1].map(() => ({ id: someId<Pseudonym>(), kind: 'staff', role: 'support-agent' }) as const);
  const officer = { id: someId<Pseudonym>(), kind: 'staff', role: 'privacy-officer' } as const;
  const reviewer = { id: someId<Pseudonym>(), kind: 'staff', role: 'security-reviewer' } as const;
  const processor = { id: someId<Pseudonym>(), kind: 'processor', onBehalfOf: agents[0]!.id } as const;
  const records = new Map(people.map((one) => [one, [someId<RecordId>(), someId<RecordId>()]]));
  const value = (of: Pseudonym, nth = 0, version = 1) => ({
    records: [{ id: records.get(of)![nth]!, category: nth === 0 ? 'user.name' : 'user.contact.email', version }],
  });
  const declared = { actor: SYSTEM, outcome: 'permitted', clause: '3.1', operation: 'declare' } as const;
  const read = (subject: Pseudonym, by: Actor, more: Change = value(subject)): Change => {
    return { event: 'record.read', actor: by, subject, purpose: 'convenience', basis: 'contract', ...more };
  };
  const refused = (subject: Pseudonym, by: Actor, code: string, missing: readonly string[] = []): Change => {
    return { ...read(subject, by, {}), outcome: 'refused', refusal: { code, missing } };
  };
  const own = (subject: Pseudonym) => ({ id: subject, kind: 'user' }) as const;

  yield { ...declared, event: 'purpose.declared', purpose: 'convenience' };
  yield { ...declared, event: 'category.declared', clause: '2.1', details: { searchable: true } };
  yield { ...declared, event: 'service.enrolled', clause: '8.2', details: { service: 'web' } };
  for (const subject of [anna, ben, carl]) {
    yield { ...declared, event: 'user.registered', clause: '2.2', subject };
    yield { ...declared, event: 'record.created', clause: '2.2', subject, ...value(subject) };
  }
  yield { event: 'record.created', subject: anna, actor: agents[0]!, ...value(anna, 1) };
  yield refused(anna, agents[0]!, 'NO_NEED_TO_KNOW', ['a grant']);
  yield { event: 'grant.approved', subject: anna, actor: officer, details: { staff: agents[0]!.id } };
  yield read(anna, agents[0]!);
  yield read(anna, agents[0]!, value(anna, 1));
  yield read(ben, own(ben));
  yield refused(ben, own(anna), 'NOT_YOUR_DATA');
  yield { event: 'log.read', actor: reviewer, clause: '5.1', details: { until: '2026-11-22T10:15:02.117Z' } };
  yield { ...declared, event: 'user.registered', clause: '2.2', subject: dora };
  yield { ...declared, event: 'record.created', clause: '2.2', subject: dora, ...value(dora) };
  yield { event: 'record.updated', subject: ben, actor: own(ben), clause: '6.4', ...value(ben, 0, 2) };
  yield read(ben, agents[1]!, value(ben, 0, 2));
  yield { ...declared, event: 'purpose.declared', purpose: 'fraud-detection' };
  yield read(ben, processor, value(ben, 0, 2));
  yield { event: 'user.listed', actor: agents[1]!, details: { count: 4 } };
  yield { event: 'history.read', subject: anna, actor: own(anna), clause: '6.4', details: { challenge: 'ab12' } };
  yield { event: 'grant.revoked', subject: anna, actor: officer, details: { staff: agents[0]!.id } };
  for (let round = 0; round < 3; round++) {
    yield refused(anna, agents[round % 2]!, 'NO_NEED_TO_KNOW', ['a grant']);
    yield read(carl, agents[0]!);
    yield { event: 'record.listed', subject: dora, actor: agents[1]!, details: { found: 0 } };
    yield read(dora, agents[1]!);
  }
  yield { event: 'key.destroyed', subject: carl, actor: officer, clause: '6.3', details: { kek: 'k1' } };
  yield { event: 'record.erased', subject: carl, actor: officer, clause: '6.3', ...value(carl) };
  yield refused(carl, agents[0]!, 'CATEGORY_NOT_DECLARED');
  yield { event: 'processor.listed', actor: reviewer, clause: '6.1', details: { count: 1 } };
  yield { ...declared, event: 'legal-basis.declared', basis: 'consent' };
  yield read(ben, agents[0]!, value(ben, 0, 2));
  yield refused(dora, processor, 'PURPOSE_NOT_DECLARED');
  yield read(dora, agents[0]!);
  yield { event: 'history.read', subject: ben, actor: own(ben), clause: '6.4', details: { challenge: 'cd34' } };
  yield read(anna, own(anna));
}
