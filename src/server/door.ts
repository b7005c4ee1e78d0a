/**
 * A door is where requests whose token says nobody are counted, by the address that they come from. Beyond its budget such
 * a request is answered 429 instead of 401 or 403. A token that holds always lets in: an address may be a proxy's or a
 * whole office's, and nobody there is to be locked out by a neighbour.
 */
import { isIPv6 } from 'node:net';
import { Fault } from '../graphql/fault.js';
import { Unauthenticated } from './unauthenticated.js';

export interface DoorLimits {
  /** Failed authentications of one address within a window. An IPv6 address stands for its /64. */
  readonly failures: number;
  readonly seconds: number;
  /** Addresses that are remembered at once; beyond, the one that began its window first is forgotten. */
  readonly addresses: number;
}

export const DOOR: DoorLimits = { failures: 60, seconds: 60, addresses: 10_000 };

export interface Door {
  /** @returns the error to answer with: the given one, or RATE_LIMITED with Retry-After in seconds */
  failed(address: string, error: unknown): unknown;
}

/** @param now Milliseconds of a clock that is never set back. */
export function createDoor({ failures, seconds, addresses }: DoorLimits, now: () => number): Door {
  // In the order in which their windows began.
  const windows = new Map<string, { count: number; readonly until: number }>();
  return {
    failed(address, error) {
      // That the issuer is away is nobody's failure.
      if (!(error instanceof Unauthenticated) || error.code === 'ISSUER_UNREACHABLE') return error;
      const key = networkOf(address);
      let window = windows.get(key);
      if (!window || window.until <= now()) {
        windows.delete(key);
        if (windows.size >= addresses) windows.delete(windows.keys().next().value as string);
        window = { count: 0, until: now() + seconds * 1_000 };
        windows.set(key, window);
      }
      window.count += 1;
      if (window.count <= failures) return error;
      const wait = Math.max(1, Math.ceil((window.until - now()) / 1_000));
      return new Fault('RATE_LIMITED', { cause: error, headers: { 'retry-after': String(wait) } });
    },
  };
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const filled = [...groups, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])];
  return `${filled
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
