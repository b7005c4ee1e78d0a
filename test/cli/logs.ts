/**
 * Logs that were never in a database, whole and damaged.
 */
import { entryId } from '../../src/ledger/entry-id.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { Chain } from '../../src/log/chain.js';
import { type Body, formatBody, type Pseudonym } from '../../src/log/entry.js';
import { formatExportLine } from '../../src/log/export-line.js';
import type { Link, LogIndex } from '../../src/log/leaf.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { someBody, someId } from '../support/ledger.js';

/** With an id as the ledger makes it. */
export function aBody(changes: Partial<Body> & { asOf: number }): Body {
  return someBody({ id: entryId(new Date()), ...changes });
}

/** Every third entry is about nobody, the others about three people. */
export function bodies(count: number): string[] {
  const people = Array.from({ length: 3 }, () => someId<Pseudonym>());
  return Array.from({ length: count }, (_, i) =>
    formatBody(aBody({ asOf: i, ...(i % 3 > 0 && { subject: people[(i >> 2) % 3]! }) })),
  );
}

export function chained(texts: readonly string[]): StoredEntry[] {
  const chain = new Chain();
  return texts.map((text) => chain.append(text, (JSON.parse(text) as { subject?: string }).subject ?? null));
}

export function linesOf(entries: readonly StoredEntry[]): string {
  return entries.map(formatExportLine).join('');
}

/** As an argument of `--held`. */
export function held({ index, link }: { readonly index: number; readonly link: string }): string {
  return `--held=${index}:${link}`;
}

/** What somebody makes of an entry who edits its body and leaves the rest. */
export function edited(entry: StoredEntry): StoredEntry {
  const leaf = new TextDecoder().decode(entry.leaf).replace('"support-agent"', '"privacy-officer"');
  return { ...entry, leaf: toUtf8(leaf) };
}

export function entryOf({ index, link }: StoredEntry): { index: LogIndex; link: Link } {
  return { index: index as LogIndex, link: link as Link };
}
