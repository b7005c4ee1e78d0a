/**
 * Publishing goes on beside the requests: a checkpoint at most every so often, while entries arrive. What follows a
 * checkpoint, the mirror and the witnesses, delays neither the next checkpoint nor each other.
 */
import { channel } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { type CosignerParts, createCosigner } from '../ledger/cosigner.js';
import type { CosigningFault } from '../ledger/cosigning.js';
import { folderStore } from '../ledger/folder-store.js';
import { compareWithMirror, createMirror, type Mirror } from '../ledger/mirror.js';
import { createPublisher } from '../ledger/publisher.js';
import type { TreeReader } from '../ledger/tree-reader.js';
import type { WitnessList } from '../ledger/witness-list.js';
import type { SigningKey } from '../log/note-key.js';
import type { Config } from './config.js';
import type { Core } from './core.js';
import type { Checks } from './health.js';
import { errorFields, type Log } from './log.js';
import { PUBLISH_CHANNEL, type PublishMessage } from './telemetry.js';

const steps = channel(PUBLISH_CHANNEL);

export interface Publishing {
  /** By the name of a part that has to be as it should for this server to be ready. */
  readonly checks: Checks;
  start(): void;
  /** Ends after what is under way, and lets another server publish at once. */
  stop(): Promise<void>;
}

export interface PublishingOptions {
  readonly config: Pick<Config, 'checkpointSeconds' | 'mirrorDir'>;
  readonly witnesses: WitnessList;
  readonly key: SigningKey;
  readonly core: Pick<Core, 'tree' | 'publications'>;
  readonly log: Log;
}

/** How much longer than between two checkpoints nobody else publishes, in seconds. */
const LEASE_SECONDS = 3;

/** Until a witness is given up that does not answer, in milliseconds. */
const WITNESS_PATIENCE = 5_000;

export function openPublishing({ config, witnesses, key, core, log }: PublishingOptions): Publishing {
  const { tree, publications } = core;
  const mirror = config.mirrorDir === null ? null : createMirror(folderStore(config.mirrorDir), key);
  const leaseSeconds = config.checkpointSeconds + LEASE_SECONDS;
  const publisher = createPublisher({ reader: tree, publications, key, leaseSeconds, ...(mirror && { mirror }) });
  const attempt = attempts(log);
  const cosigner = createCosigner({
    list: witnesses,
    reader: tree,
    publications,
    timeout: WITNESS_PATIENCE,
    onOutcome: tellOutcomes(log),
  });
  const follow = (name: string, work: () => Promise<void>) => oneAtATime(() => attempt(name, work));
  const followers = [
    ...(mirror ? [follow('mirror', () => mirror.followNewest(tree))] : []),
    follow('witnesses', () => cosigner.followNewest()),
  ];
  const stopping = new AbortController();
  let going: Promise<void> | null = null;

  async function goOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      const outcome = await attempt('checkpoint', () => publisher.publish());
      if (outcome !== 'failed' && outcome !== 'standby') for (const { ask } of followers) ask();
      await sleep(config.checkpointSeconds * 1_000, stopping.signal);
    }
  }

  return {
    checks: mirror ? { mirror: () => agrees(mirror, tree, log) } : {},
    start() {
      going ??= goOn();
    },
    async stop() {
      stopping.abort();
      await going;
      await cosigner.stop();
      await Promise.all(followers.map(({ idle }) => idle()));
      await publisher.release();
    },
  };
}

/** Whether the log is at least what was mirrored of it. */
async function agrees(mirror: Mirror, tree: TreeReader, log: Log): Promise<boolean> {
  const fault = await compareWithMirror(mirror, tree);
  if (fault) log.error('the log is not what was mirrored', { fault });
  return fault === null;
}

/** Says which witness did not cosign, and why; and then nothing more of it until it does, or does not otherwise. */
function tellOutcomes(log: Log): CosignerParts['onOutcome'] {
  const said = new Map<string, CosigningFault>();
  return ({ witness: { key }, failed }) => {
    if (!failed) said.delete(key.name);
    else if (said.get(key.name) !== failed.fault) {
      log.warn('a witness did not cosign', { witness: key.name, fault: failed.fault, status: failed.status });
      said.set(key.name, failed.fault);
    }
  };
}

/** Says what failed, and then nothing more of it until it succeeds or fails otherwise. */
function attempts(log: Log) {
  const said = new Map<string, string>();
  return async <T>(name: string, work: () => Promise<T>): Promise<T | 'failed'> => {
    const began = performance.now();
    const publish = (failed: boolean) =>
      steps.publish({ name, failed, ms: performance.now() - began } satisfies PublishMessage);
    try {
      const outcome = await work();
      said.delete(name);
      publish(false);
      return outcome;
    } catch (error) {
      const fields = errorFields(error);
      const line = JSON.stringify(fields);
      if (said.get(name) !== line) log.error('publishing failed', { step: name, ...fields });
      said.set(name, line);
      publish(true);
      return 'failed';
    }
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Work that is never done twice at once: whoever asks while it goes on has it done once more afterwards. */
function oneAtATime(work: () => Promise<unknown>) {
  let again = false;
  let underWay: Promise<void> | null = null;
  async function run(): Promise<void> {
    do {
      again = false;
      await work();
    } while (again);
    underWay = null;
  }
  return {
    ask() {
      again = true;
      underWay ??= run();
    },
    idle: () => underWay ?? Promise.resolve(),
  };
}
