/**
 * How two servers compare, as a table: ours, the plain one, and what the ratio should reach.
 */
import type { Comparison } from './rounds.js';
import { table } from './table.js';

export interface Compared extends Comparison {
  readonly what: string;
  /** The least ratio that was aimed at. */
  readonly reach: number;
}

export function comparisonTable(compared: readonly Compared[]): string {
  const head = ['', 'ours/s', 'p50 ms', 'p99 ms', 'plain/s', 'p50 ms', 'p99 ms', 'ratio', 'reach'];
  const rows = compared.map(({ what, ours, plain, ratio, reach }) => [
    what,
    ...[ours, plain].flatMap(({ rate, p50, p99 }) => [rate, p50, p99]),
    ratio,
    reach,
  ]);
  return table(head, rows);
}
