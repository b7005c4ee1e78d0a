/**
 * A list of keys is how a client says which declared things are meant. One list can stand before thousands of people and
 * aliases, each of which would go through it again, so it has an end; null means all, and needs no list.
 */
import { Fault } from './fault.js';

export const MOST_KEYS = 100;

/** Each key once, in the order sent. @throws Fault BAD_INPUT, before anything is done with them */
export function distinctKeys(argument: string, sent: readonly string[]): string[] {
  if (sent.length > MOST_KEYS) {
    throw new Fault('BAD_INPUT', { detail: `"${argument}" are at most ${MOST_KEYS}.` });
  }
  return [...new Set(sent)];
}
