/**
 * Shutdown is the orderly end: on SIGINT or SIGTERM each step runs after the one before, each within its time, and the
 * process exits. A later signal exits at once: whoever sends it has waited long enough.
 */
import { errorFields, type Log } from './log.js';

export interface ShutdownStep {
  readonly name: string;
  /** Milliseconds after which the next step begins all the same. */
  readonly patience: number;
  run(): Promise<void>;
}

export interface Shutdown {
  /** Ends as a signal does. Resolves when the steps are through. */
  begin(reason: string): Promise<void>;
  /** Stops listening for signals. */
  dispose(): void;
}

export interface ShutdownOptions {
  /** A step may add others, which come after all that there are. */
  readonly steps: readonly ShutdownStep[];
  readonly log: Log;
  readonly exit: (status: number) => void;
  /** Where signals come from. */
  readonly signals: Pick<NodeJS.Process, 'on' | 'off'>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** How long anything but requests may take to stop, in milliseconds. */
export const PATIENCE = 15_000;

/** One Ctrl-C may come twice, from the terminal and from npm: within this time signals are one, in milliseconds. */
export const SAME_MS = 500;

/** Exit status: 0 when every step ended in time and well, 1 otherwise, 130 at a later signal. */
export function handleShutdown({ steps, log, exit, signals }: ShutdownOptions): Shutdown {
  let ending: Promise<void> | null = null;
  let signalled = 0;

  const begin = (reason: string): Promise<void> => {
    ending ??= runSteps(reason);
    return ending;
  };
  const runSteps = async (reason: string): Promise<void> => {
    log.info('stopping', { reason });
    let well = true;
    for (const step of steps) {
      try {
        await within(step);
      } catch (error) {
        well = false;
        log.error('a step of stopping failed', { step: step.name, ...errorFields(error) });
      }
    }
    log.info('stopped');
    exit(well ? 0 : 1);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!ending) {
      signalled = performance.now();
      void begin(signal);
    } else if (performance.now() - signalled > SAME_MS) exit(130);
  };

  for (const signal of SIGNALS) signals.on(signal, onSignal);
  return {
    begin,
    dispose: () => {
      for (const signal of SIGNALS) signals.off(signal, onSignal);
    },
  };
}

/** A step that was given up. */
class OutOfPatience extends Error {}

async function within({ patience, run }: ShutdownStep): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutOfPatience()), patience);
  });
  try {
    await Promise.race([run(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
