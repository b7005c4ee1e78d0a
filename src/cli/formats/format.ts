/**
 * A format is how an exported log is written for other tools than ours, which read it and cannot verify it: it has what the
 * leaves say, and not the leaves. Its last record says up to where it is complete, in a form that such tools survive.
 */
import type { Closing } from '../../log/export-line.js';
import type { Said } from './said.js';

export interface Format {
  /** Before the first record. */
  readonly head: string;
  record(said: Said): string;
  /** @param at when it was written */
  closing(closing: Closing, at: Date): string;
}

/** @param origin the log's name */
export type MakeFormat = (origin: string) => Format;

/** One record a line. */
export function line(record: object): string {
  return `${JSON.stringify(record)}\n`;
}

/** In words, for people. */
export function completion({ last }: Closing): string {
  return last === null ? 'complete: there are no entries' : `complete up to entry ${last}`;
}
