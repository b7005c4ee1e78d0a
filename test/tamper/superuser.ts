/**
 * A superuser can do anything to the log's database. What this one does, somebody then verifies, in the database and in an
 * export of it; and then all is as it was.
 */
import type pg from 'pg';
import { CommandFault } from '../../src/cli/fault.js';
import { evidenceWith, type ResumableEvidence, startOf, trustedHead } from '../../src/cli/resuming.js';
import { verifyLines } from '../../src/cli/verify-lines.js';
import { logPages, logSize } from '../../src/ledger/log-rows.js';
import { formatNoteOf } from '../../src/ledger/prover.js';
import { NotThere, treeReader } from '../../src/ledger/tree-reader.js';
import { verifyRows } from '../../src/ledger/verify-rows.js';
import { fromUtf8, toUtf8 } from '../../src/log/bytes.js';
import { canonical, type Json } from '../../src/log/canonical.js';
import { Chain } from '../../src/log/chain.js';
import { changesFacts } from '../../src/log/event.js';
import type { Evidence } from '../../src/log/evidence.js';
import { formatExportLine } from '../../src/log/export-line.js';
import type { Finding } from '../../src/log/finding.js';
import { type Leaf, parseLeaf } from '../../src/log/leaf.js';
import { Frontier } from '../../src/log/tree.js';
import { type Report, Verifier } from '../../src/log/verify.js';
import { LOG } from './honest-log.js';

/** A row of ledger.entry, as JSON has it. */
export type Row = Readonly<Record<string, string | number | null>>;
export type Content = { readonly [key: string]: Json };

/** What verifying the database says, and what verifying its export says. */
export interface Said {
  readonly database: string;
  readonly file: string;
}

export class Superuser {
  /** The export verified last: many that are changed export the same. */
  private known: { readonly text: string; readonly evidence: Evidence; readonly said: string } | null = null;

  private constructor(
    private readonly client: pg.Client,
    /** As they were written. */
    readonly rows: readonly Row[],
  ) {}

  /** All that keeps others from changing the log, or its rows from being any rows, is taken away. */
  static async begin(client: pg.Client): Promise<Superuser> {
    const { rows } = await client.query<{ row: Row }>('SELECT to_jsonb(e) AS row FROM ledger.entry e ORDER BY index');
    await client.query(`BEGIN;
      DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r' LOOP
          EXECUTE format('ALTER TABLE ledger.%I DISABLE TRIGGER ALL', it.relname);
        END LOOP;
        FOR it IN SELECT conname FROM pg_constraint WHERE conrelid = 'ledger.entry'::regclass AND contype <> 'n' LOOP
          EXECUTE format('ALTER TABLE ledger.entry DROP CONSTRAINT %I CASCADE', it.conname);
        END LOOP;
        FOR it IN SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.entry'::regclass AND attnum > 0 AND attnotnull LOOP
          EXECUTE format('ALTER TABLE ledger.entry ALTER %I DROP NOT NULL', it.attname);
        END LOOP;
      END $$;
      DROP INDEX ledger.entry_by_subject`);
    return new Superuser(
      client,
      rows.map(({ row }) => row),
    );
  }

  async end(): Promise<void> {
    await this.client.query('ROLLBACK');
  }

  /** Whatever is done in it is undone. */
  async undone<T>(work: () => Promise<T>): Promise<T> {
    await this.client.query('SAVEPOINT undone');
    try {
      return await work();
    } finally {
      await this.client.query('ROLLBACK TO undone; RELEASE undone');
    }
  }

  /** A command reads once, in a transaction of its own. */
  private async reading<T>(read: () => Promise<T>): Promise<T> {
    const done = await read();
    await this.do('CLOSE entries');
    return done;
  }

  /** @returns how many rows it changed */
  async do(sql: string, ...values: unknown[]): Promise<number> {
    return (await this.client.query(sql, values)).rowCount ?? 0;
  }

  /** Puts other rows in the place of all. */
  async replace(rows: readonly Row[]): Promise<void> {
    await this.do('DELETE FROM ledger.entry');
    await this.insert(rows);
  }

  insert(rows: readonly Row[]): Promise<number> {
    const text = 'INSERT INTO ledger.entry SELECT * FROM jsonb_populate_recordset(NULL::ledger.entry, $1)';
    return this.do(text, JSON.stringify(rows));
  }

  async said(evidence: Evidence): Promise<Said> {
    return { database: await this.database(evidence), file: await this.file(evidence) };
  }

  /** As `verify --database` has it. */
  async database(evidence: Evidence): Promise<string> {
    return this.reading(async () => told(await verifyRows(this.client, LOG, evidence, { onEntries: () => {} })));
  }

  /** As `verify --database --since` has it, with the newest checkpoint that the database shows. */
  async resumed(given: ResumableEvidence): Promise<string> {
    return this.reading(async () => {
      const tree = treeReader(this.client, LOG);
      const note = await this.shown();
      const evidence = evidenceWith(note === null ? null : { note, file: 'shown' }, given);
      const size = await logSize(this.client, LOG);
      const start = await startOf(trustedHead(given), size, tree).catch((error: unknown) => {
        if (error instanceof NotThere) return new Frontier();
        throw error;
      });
      return told(await verifyRows(this.client, LOG, evidence, { start, onEntries: () => {} }));
    });
  }

  /** As `export` and then `verify` of the file have it; `unusable` where `verify` takes it for no export. */
  async file(evidence: Evidence): Promise<string> {
    const text = await this.exported();
    if (this.known?.text === text && this.known.evidence === evidence) return this.known.said;
    const said = await verifyLines(chunksOf(toUtf8(text)), new Verifier(evidence), () => {}).then(
      told,
      (error: unknown) => {
        if (error instanceof CommandFault) return 'unusable';
        throw error;
      },
    );
    this.known = { text, evidence, said };
    return said;
  }

  private exported(): Promise<string> {
    return this.reading(async () => {
      const to = (await logSize(this.client, LOG)) - 1;
      const lines: string[] = [];
      for await (const page of logPages(this.client, LOG, { from: 0, to }, { projected: false })) {
        lines.push(...page.map(formatExportLine));
      }
      return lines.join('');
    });
  }

  /** The newest checkpoint that the database shows, or that of a size. */
  async shown(size?: number): Promise<string | null> {
    const tree = treeReader(this.client, LOG);
    const found = size === undefined ? await tree.newestSigned() : await tree.signedAt(size);
    return found && formatNoteOf(found);
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** `intact 45`, `inconclusive: NO_EVIDENCE`, or `tampered: CHAIN_BROKEN 6-7, …` in the order of the codes. */
function told({ findings, ...report }: Report): string {
  const found = [...findings].sort(byCode).map(placed).join(', ');
  if (report.verdict === 'intact') return `intact ${report.vouched.size}`;
  return report.verdict === 'tampered'
    ? `tampered: ${found}`
    : [`inconclusive: ${report.why}`, found].filter(Boolean).join(', ');
}

function byCode(a: Finding, b: Finding): number {
  return a.code < b.code ? -1 : Number(a.code > b.code);
}

function placed({ code, first, last }: Finding): string {
  if (first === null) return code;
  return first === last ? `${code} ${first}` : `${code} ${first}-${last}`;
}

export function contentOf(row: Row): Content {
  return JSON.parse(leafOf(row).body) as Content;
}

export function leafOf({ leaf }: Row): Leaf {
  return parseLeaf(toUtf8(leaf as string))!;
}

/** All rows of a log with these bodies, as an honest server would have written them. */
export function rowsOf(contents: readonly Content[]): Row[] {
  const chain = new Chain();
  const changed = new Map<Json, number>();
  let changedAll: number | null = null;
  return contents.map((content, index) => {
    const subject = (content.subject ?? null) as string | null;
    const { nth } = chain.place(subject).history ?? { nth: null };
    const { leaf, link } = chain.append(canonical(content), subject);
    if (content.outcome === 'permitted' && changesFacts(content.event as string)) {
      if (subject === null) changedAll = index;
      else changed.set(subject, index);
    }
    return {
      log: LOG,
      index,
      id: content.id as string,
      link: `\\x${link}`,
      leaf: fromUtf8(leaf)!,
      subject,
      nth,
      actor: (content.actor as { id: string }).id,
      event: content.event as string,
      outcome: content.outcome as string,
      purpose: (content.purpose ?? null) as string | null,
      request: content.request as string,
      at: content.at as string,
      changed: subject === null ? null : (changed.get(subject) ?? null),
      changed_all: changedAll,
    };
  });
}
