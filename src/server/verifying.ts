/**
 * Verifying goes on beside the requests: of any number of servers one does what reviewers asked for, one at a time, and
 * another within seconds of its death. It says how far it is once a second, by which the others know that it lives.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { runVerification } from '../ledger/verification-run.js';
import type { VerificationWork } from '../ledger/verification-thread.js';
import { type HeldEvidence, type Job, REQUESTS, type Verifications } from '../ledger/verifications.js';
import type { Report } from '../log/verify.js';
import { errorFields, type Log } from './log.js';

export interface Verifying {
  start(): void;
  /** Breaks off what is under way, for another server to begin anew. */
  stop(): Promise<void>;
}

export interface VerifyingOptions {
  readonly work: Omit<VerificationWork, keyof HeldEvidence>;
  readonly verifications: Verifications;
  readonly log: Log;
}

/** Until another takes up what is no longer said to go on, in seconds. */
const LEASE_SECONDS = 4;

/** Between two looks at what is asked for elsewhere, and between two words of how far it is. */
const EVERY_MS = 1_000;

export function openVerifying({ work, verifications, log }: VerifyingOptions): Verifying {
  const stopping = new AbortController();
  const { signal } = stopping;
  const attempt = attempts(log);
  let going: Promise<void> | null = null;

  async function goOn(): Promise<void> {
    const asked = requests(signal);
    while (!signal.aborted) {
      const job = await attempt('claim', () => verifications.claim(LEASE_SECONDS));
      if (job) await attempt('end', () => doJob(job));
      else await asked();
    }
  }

  async function doJob(job: Job): Promise<void> {
    const run = runVerification({ ...work, held: job.held, notes: job.notes });
    try {
      for (;;) {
        const outcome = await Promise.race([run.outcome, pause(signal)]);
        if (outcome !== undefined) return await conclude(job, outcome);
        if (signal.aborted) return await verifications.leave(job);
        const { entries, of } = run.progress();
        const isOurs = await attempt('advance', () => verifications.advance(job, LEASE_SECONDS, entries, of));
        if (isOurs === false) return;
      }
    } finally {
      await run.stop();
    }
  }

  async function conclude(job: Job, outcome: Awaited<ReturnType<typeof runVerification>['outcome']>): Promise<void> {
    if (typeof outcome === 'string') {
      log.error('a verification failed', { verification: job.id, fault: outcome });
      await verifications.fail(job, outcome);
      return;
    }
    if (outcome.verdict === 'tampered') tellTampered(log, job, outcome);
    await verifications.report(job, outcome);
  }

  return {
    start() {
      going ??= goOn();
    },
    async stop() {
      stopping.abort();
      await going;
    },
  };
}

/** It is the operator's to know as well. Evidence may be to blame, which the reviewer chose. */
function tellTampered(log: Log, { id }: Job, { findings }: Report): void {
  log.error('a verification says that the log was tampered with', {
    verification: id,
    findings: [...new Set(findings.map(({ code }) => code))],
  });
}

/** Resolves at once where it is aborted. */
async function pause(signal: AbortSignal): Promise<void> {
  await setTimeout(EVERY_MS, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Each call resolves at the next request of this process since the last, or after a while. */
function requests(signal: AbortSignal): () => Promise<void> {
  let isHinted = false;
  let wake = () => {};
  const hint = () => {
    isHinted = true;
    wake();
  };
  subscribe(REQUESTS, hint);
  signal.addEventListener('abort', () => unsubscribe(REQUESTS, hint));
  return async () => {
    if (!isHinted) {
      const hinted = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([hinted, pause(signal)]);
    }
    isHinted = false;
  };
}

/** Says what failed, and then nothing more of it until it succeeds or fails otherwise. @returns null where it failed */
function attempts(log: Log) {
  const said = new Map<string, string>();
  return async <T>(step: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      const outcome = await work();
      said.delete(step);
      return outcome;
    } catch (error) {
      const fields = errorFields(error);
      const line = JSON.stringify(fields);
      if (said.get(step) !== line) log.error('verifying failed', { step, ...fields });
      said.set(step, line);
      return null;
    }
  };
}
