/**
 * Shutdown is the orderly end: on SIGINT or SIGTERM each step runs after the one before, each within its time, and the
 * process exits. A second signal exits at once: whoever sends it has waited long enough.
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
  readonly steps: readonly ShutdownStep[];
  readonly log: Log;
  readonly exit: (status: number) => void;
  /** Where signals come from. */
  readonly signals: Pick<NodeJS.Process, 'on' | 'off'>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Exit status: 0 when every step ended in time and well, 1 otherwise, 130 at the second signal. */
export function handleShutdown({ steps, log, exit, signals }: ShutdownOptions): Shutdown {
  let ending: Promise<void> | null = null;

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
    if (ending) exit(130);
    else void begin(signal);
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
