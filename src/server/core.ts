/**
 * The core, wired: pools of each role, the ledger, the vault and the gate's facts over one database and one log.
 */
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { FIRST_LOG } from '../database/name.js';
import { openDataSource, openPool } from '../database/pools.js';
import { consentFact } from '../domain/consents/consent.facts.js';
import { declaredFact, purposeFact } from '../domain/purposes/purpose.facts.js';
import { holdingsFact } from '../domain/records/record.facts.js';
import { grantFact } from '../domain/staff/grant.facts.js';
import { agreementFact, engagementFact, trainingFact, wasEngagedFact } from '../domain/staff/standing.facts.js';
import type { Asker } from '../gate/asker.js';
import type { FactSources } from '../gate/fact-source.js';
import { factReader } from '../gate/facts.js';
import { type GateParts, openGate } from '../gate/gate.js';
import type { Context } from '../graphql/context.js';
import { followArrivals } from '../ledger/arrivals.js';
import { openLedger } from '../ledger/open-ledger.js';
import { createProver } from '../ledger/prover.js';
import type { Publications } from '../ledger/publications.js';
import { type TreeReader, treeReader } from '../ledger/tree-reader.js';
import type { Verifications } from '../ledger/verifications.js';
import type { Actor, Entry } from '../log/entry.js';
import type { VerifierKey } from '../log/note-key.js';
import type { KeyProvider } from '../vault/key-provider.js';
import { makeVault } from '../vault/vault.js';
import { ENTITIES } from './entities.js';

/** Every fact that a decision can rest on. A domain that brings one is registered here. */
const FACTS: FactSources = {
  aim: {
    purpose: purposeFact,
    grants: grantFact,
    engagements: engagementFact,
    wasEngaged: wasEngagedFact,
    agreements: agreementFact,
    trainings: trainingFact,
    declared: declaredFact,
  },
  person: { consents: consentFact },
  holdings: holdingsFact,
};

export interface CoreOptions {
  /** The server's login. */
  readonly url: string;
  /** Of the log, whose origin is its name. */
  readonly logKey: VerifierKey;
  readonly keys: KeyProvider;
  readonly now: () => Date;
  /** How many witnesses make a checkpoint a cosigned one; one unless said. */
  readonly quorum?: number;
}

export interface Operation {
  readonly actor: Actor;
  /** Our id of the request. */
  readonly request: string;
  readonly overGet?: boolean;
  /** Where its entries are gathered, if it has some already. */
  readonly entries?: Entry[];
  /** Of a subscription; aborted in the end. */
  readonly signal?: AbortSignal | undefined;
}

export interface Core {
  readonly parts: GateParts;
  readonly rows: DataSource;
  /** What is published of the log. Anybody may ask for it, so it has connections of its own. */
  readonly tree: TreeReader;
  readonly publications: Publications;
  readonly verifications: Verifications;
  /** A context for one operation on behalf of an actor. */
  contextFor(operation: Operation): Context;
  /** Whether PostgreSQL answers, to the reader and to the writer, and the KEK can wrap. */
  readonly checks: Readonly<Record<'database' | 'writer' | 'keys', () => Promise<boolean>>>;
  close(): Promise<void>;
}

/** Connections of each pool: enough for two cores of requests, few enough for several servers on one PostgreSQL. */
const READERS = 8;
const WRITERS = 6;
const TREE_READERS = 3;

export async function openCore({ url, logKey, keys, now, quorum = 1 }: CoreOptions): Promise<Core> {
  const log = FIRST_LOG;
  const reader = openPool(url, 'access_ledger_reader', READERS);
  const rows = await openDataSource(url, 'access_ledger_reader', READERS, ENTITIES);
  const published = openPool(url, 'access_ledger_reader', TREE_READERS);
  const writer = await openLedger({ url, log, entities: ENTITIES, connections: WRITERS });
  const parts: GateParts = {
    log,
    pool: reader,
    ledger: writer.ledger,
    vault: makeVault(logKey.name, keys),
    readFacts: factReader(reader, log, FACTS),
  };
  const tree = treeReader(published, log);
  const prover = createProver(tree, quorum);
  return {
    parts,
    rows,
    tree,
    publications: writer.publications,
    verifications: writer.verifications,
    contextFor({ actor, request, overGet = false, entries = [], signal }) {
      const asker: Asker = { actor, request, now, entries };
      const gate = openGate(parts, asker);
      const live = signal ? { signal, grown: followArrivals(signal) } : null;
      return { actor, request, now, entries, log, logKey, overGet, rows: rows.manager, gate, prover, live };
    },
    checks: {
      database: () => answers(reader),
      writer: () => writer.answers(),
      keys: async () => Boolean(keys.current()),
    },
    async close() {
      await writer.close();
      await rows.destroy();
      await reader.end();
      await published.end();
    },
  };
}

function answers(pool: pg.Pool): Promise<boolean> {
  return pool.query('SELECT FROM ledger.head').then(
    ({ rowCount }) => rowCount !== 0,
    () => false,
  );
}
