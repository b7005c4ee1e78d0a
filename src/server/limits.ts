/**
 * Limits are what one request, and one actor, may cost. They stand before the gate, so that nobody can bury the log's
 * real reads under refusals: what is beyond an actor's budget is answered 429 and counted, and the counts become one
 * `refusals.suppressed` entry for each actor and minute.
 */
import { hash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Fault } from '../graphql/fault.js';
import type { Caller } from './authentication.js';
import { DOOR, type DoorLimits } from './door.js';
import { errorFields, type Log } from './log.js';

export interface Limits {
  readonly bodyBytes: number;
  /** Operations in one HTTP request. */
  readonly batch: number;
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  /** A field costs 1, or what the schema says; a page costs its fields times its size. */
  readonly complexity: number;
  /** Operations that one actor may send within a window, to one process. Entries count too: see ENTRIES_PER_OPERATION. */
  readonly rate: { readonly operations: number; readonly seconds: number };
  readonly door: DoorLimits;
  /** Subscriptions that are open at once in one process. */
  readonly streams: { readonly ofCaller: number; readonly total: number };
  /** Until the answer of an operation is given up, in milliseconds. */
  readonly operationMs: number;
  /** Until a request must have arrived, in milliseconds. */
  readonly requestMs: number;
  /** Parsed documents that are kept, in characters of their text. */
  readonly documentCharacters: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 256 * 1024,
  batch: 10,
  tokens: 1_000,
  depth: 12,
  aliases: 30,
  complexity: 10_000,
  rate: { operations: 600, seconds: 60 },
  door: DOOR,
  streams: { ofCaller: 4, total: 200 },
  operationMs: 20_000,
  requestMs: 30_000,
  documentCharacters: 512 * 1024,
};

/** Appends the entry that says how many requests of a caller were answered 429. */
export type OnSuppressed = (caller: Caller, count: number) => Promise<void>;

/**
 * An operation pays for one entry when it begins, and afterwards for the others that it caused: so many cost as much as an
 * operation. With 600 a minute, a list of 100 people costs 11 of them, and one that makes 801 entries 81.
 */
export const ENTRIES_PER_OPERATION = 10;

export interface Budget {
  /** @throws Fault RATE_LIMITED, with Retry-After in seconds */
  spend(caller: Caller, operations: number): Promise<void>;
  /** For the entries that one operation has caused. It is done, so this refuses nothing but what comes after. */
  charge(caller: Caller, entries: number): Promise<void>;
  /** Reports the counts now. What cannot be reported is kept for the next time. */
  flush(): Promise<void>;
  /** Reports, and stops. */
  close(): Promise<void>;
}

const FLUSH_MS = 60_000;

export function createBudget(rate: Limits['rate'], onSuppressed: OnSuppressed, log: Log): Budget {
  // A token that is verified once gives the same caller each time.
  const keys = new WeakMap<Caller, string>();
  const limiter = new RateLimiterMemory({ points: rate.operations, duration: rate.seconds });
  const suppressed = new Map<string, { caller: Caller; count: number }>();

  const suppress = (key: string, caller: Caller, count: number) => {
    suppressed.set(key, { caller, count: count + (suppressed.get(key)?.count ?? 0) });
  };

  const flush = async () => {
    const counts = [...suppressed];
    suppressed.clear();
    for (const [key, { caller, count }] of counts) {
      try {
        await onSuppressed(caller, count);
      } catch (error) {
        suppress(key, caller, count);
        log.error('suppressed refusals were not entered', { count, ...errorFields(error) });
      }
    }
  };

  const timer = setInterval(flush, FLUSH_MS).unref();
  const keyFor = (caller: Caller): string => {
    const key = keys.get(caller) ?? keyOf(caller);
    keys.set(caller, key);
    return key;
  };

  return {
    async charge(caller, entries) {
      const points = Math.ceil((entries - 1) / ENTRIES_PER_OPERATION);
      if (points > 0) await limiter.penalty(keyFor(caller), points);
    },
    async spend(caller, operations) {
      const key = keyFor(caller);
      try {
        await limiter.consume(key, operations);
      } catch (beyond) {
        if (!(beyond instanceof RateLimiterRes)) throw beyond;
        suppress(key, caller, operations);
        const seconds = Math.max(1, Math.ceil(beyond.msBeforeNext / 1000));
        throw new Fault('RATE_LIMITED', { headers: { 'retry-after': String(seconds) } });
      }
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

function keyOf({ issuer, subject }: Caller): string {
  return hash('sha256', `${issuer}\n${subject}`, 'base64');
}
