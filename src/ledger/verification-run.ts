/**
 * A verification run is a log being verified in a thread of its own: how far it is, what came of it, and how to end it.
 */
import { Worker } from 'node:worker_threads';
import type { Report } from '../log/verify.js';
import type { VerificationMessage, VerificationWork } from './verification-thread.js';
import type { VerificationFault } from './verifications.js';

export interface Progress {
  readonly entries: number;
  /** Null until it is known. */
  readonly of: number | null;
}

export interface VerificationRun {
  progress(): Progress;
  /** Never rejects: a fault where there is no report. */
  readonly outcome: Promise<Report | VerificationFault>;
  stop(): Promise<void>;
}

export function runVerification(work: VerificationWork): VerificationRun {
  let progress: Progress = { entries: 0, of: null };
  const worker = new Worker(new URL('./verification-thread.js', import.meta.url), { workerData: work });
  const outcome = new Promise<Report | VerificationFault>((resolve) => {
    worker.on('message', (message: VerificationMessage) => {
      if ('report' in message) resolve(message.report);
      else if ('fault' in message) resolve(message.fault);
      else progress = message;
    });
    // Such as a thread that is out of memory.
    worker.on('error', () => resolve('INTERNAL'));
    worker.on('exit', () => resolve('INTERNAL'));
  });
  return {
    progress: () => progress,
    outcome,
    async stop() {
      await worker.terminate();
    },
  };
}
