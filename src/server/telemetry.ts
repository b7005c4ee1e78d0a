/**
 * Telemetry counts and times what happens, for `/metrics` in the Prometheus text format. The core knows no metrics: it
 * publishes on `node:diagnostics_channel`, and this file listens. Labels are words of ours, never a person's or a client's.
 */
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** A group of bodies was sent, to be one COMMIT. */
export interface AppendMessage {
  /** How many entries were committed: none of stale bodies, nor of what was rolled back or failed. */
  readonly entries: number;
  /** `committed`, `rolled-back` (a change that is stale), or `failed`: then it may be sent again. */
  readonly outcome: string;
  /** How many appends shared the COMMIT. */
  readonly group: number;
  readonly ms: number;
}

/** A verb of the gate's was answered. */
export interface GateMessage {
  readonly verb: string;
  readonly outcome: string;
  readonly ms: number;
}

/** A step of publishing was done, or failed: `checkpoint`, or what follows one. */
export interface PublishMessage {
  readonly name: string;
  readonly failed: boolean;
  readonly ms: number;
}

export const APPEND_CHANNEL = 'access-ledger:append';
export const GATE_CHANNEL = 'access-ledger:gate';
export const PUBLISH_CHANNEL = 'access-ledger:publish';

export interface Telemetry {
  request(about: { route: string; method: string; status: number; ms: number }): void;
  /** An answer with this code: of a fault, or of a refusal. */
  failed(code: string): void;
  /** @returns the Prometheus text format */
  text(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createTelemetry(): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'access_ledger_http_request_seconds',
    help: 'HTTP requests, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS,
    registers,
  });
  const failures = new Counter({
    name: 'access_ledger_errors_total',
    help: 'Errors that were answered, by code.',
    labelNames: ['code'],
    registers,
  });
  const entries = new Counter({
    name: 'access_ledger_entries_total',
    help: 'Entries that were committed to the log.',
    registers,
  });
  const appends = new Histogram({
    name: 'access_ledger_append_seconds',
    help: 'Group commits, from the first statement to the answer of COMMIT, by outcome.',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers,
  });
  const groups = new Histogram({
    name: 'access_ledger_append_group_size',
    help: 'Appends that shared a group commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const decisions = new Histogram({
    name: 'access_ledger_gate_seconds',
    help: 'Answers of the gate, by verb and outcome.',
    labelNames: ['verb', 'outcome'],
    buckets: SECONDS,
    registers,
  });

  const publishing = new Histogram({
    name: 'access_ledger_publish_seconds',
    help: 'Steps of publishing: the checkpoint, and what follows it.',
    labelNames: ['step', 'outcome'],
    buckets: SECONDS,
    registers,
  });

  const onAppend: ChannelListener = (message) => {
    const { entries: count, group, outcome, ms } = message as AppendMessage;
    entries.inc(count);
    groups.observe(group);
    appends.observe({ outcome }, ms / 1000);
  };
  const onGate: ChannelListener = (message) => {
    const { verb, outcome, ms } = message as GateMessage;
    decisions.observe({ verb, outcome }, ms / 1000);
  };
  const onPublish: ChannelListener = (message) => {
    const { name, failed, ms } = message as PublishMessage;
    publishing.observe({ step: name, outcome: failed ? 'failed' : 'done' }, ms / 1000);
  };
  subscribe(PUBLISH_CHANNEL, onPublish);
  subscribe(APPEND_CHANNEL, onAppend);
  subscribe(GATE_CHANNEL, onGate);

  return {
    request: ({ route, method, status, ms }) => requests.observe({ route, method, status }, ms / 1000),
    failed: (code) => failures.inc({ code }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close() {
      unsubscribe(PUBLISH_CHANNEL, onPublish);
      unsubscribe(APPEND_CHANNEL, onAppend);
      unsubscribe(GATE_CHANNEL, onGate);
      registry.clear();
    },
  };
}
