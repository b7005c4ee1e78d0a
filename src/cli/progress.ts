/**
 * Progress is one line of a terminal, written over itself: entries, rate, share, time left.
 *
 *     412,000 entries  98,114/s  41 %  6 s left
 *
 * Elsewhere than on a terminal it is silent.
 */
export interface Progress {
  /** @param share of the whole, 0 to 1; null where nobody knows the whole */
  at(entries: number, share: number | null): void;
  /** Wipes the line. */
  end(): void;
}

export interface Line {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const EVERY_MS = 200;

/**
 * @param now milliseconds, of any clock that only goes forward
 * @param counted what they are called
 */
export function showProgress(line: Line, now: () => number, counted = 'entries'): Progress {
  if (!line.isTTY) return { at: () => {}, end: () => {} };
  const began = now();
  let shown = began;
  return {
    at(entries, share) {
      const at = now();
      if (at - shown < EVERY_MS) return;
      shown = at;
      line.write(`\r\x1b[K${progressLine(entries, share, (at - began) / 1000, counted)}`);
    },
    end() {
      if (shown !== began) line.write('\r\x1b[K');
    },
  };
}

export function progressLine(entries: number, share: number | null, seconds: number, counted = 'entries'): string {
  const parts = [`${formatCount(entries)} ${counted}`, `${formatCount(Math.round(entries / seconds))}/s`];
  if (share !== null && share > 0) {
    parts.push(`${Math.floor(100 * share)} %`, `${formatSeconds((seconds * (1 - share)) / share)} left`);
  }
  return parts.join('  ');
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 120 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}
