/**
 * Arrivals are hints that a log may have grown: whoever waits for one looks at the log, and believes only that. A hint comes
 * at once where this process has appended; what other processes append is looked for every second. NOTIFY would tell of it
 * sooner, and cost appends between 6 and 14 %: a transaction that notifies takes a lock of the whole database's.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { APPENDS } from './ledger.js';

const POLL_MS = 1_000;

/**
 * Each call of what it returns resolves at the next hint since the last call, after a second without one, or at once when
 * the signal is aborted, as it must be in the end.
 */
export function followArrivals(signal: AbortSignal): () => Promise<void> {
  let isHinted = false;
  let wake = () => {};
  const hint = () => {
    isHinted = true;
    wake();
  };
  if (!signal.aborted) subscribe(APPENDS, hint);
  signal.addEventListener('abort', () => {
    unsubscribe(APPENDS, hint);
    wake();
  });
  return async () => {
    if (!isHinted && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    isHinted = false;
  };
}
