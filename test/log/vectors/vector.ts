import type { Entry } from '../../../src/log/entry.js';
import type { Evidence } from '../../../src/log/evidence.js';
import { formatExportLine } from '../../../src/log/export-line.js';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../../../src/log/note-key.js';
import { type Case, INVALID, VALID } from './cases.js';

/** A case as two files: the exported log, and beside it the evidence and what a verifier must say of it. */
export interface Vector {
  readonly log: string;
  readonly json: string;
}

interface Written {
  readonly held?: Entry[];
  readonly checkpoints?: {
    readonly key: string;
    readonly notes: string[];
    readonly witnesses?: { readonly keys: string[]; readonly quorum: number };
    readonly freshness?: { readonly maxSeconds: number; readonly now: string };
  };
}

/** By path below test/vectors, without extension. */
export function vectors(): Map<string, Vector> {
  const written = new Map<string, Vector>();
  for (const [folder, cases] of Object.entries({ valid: VALID, invalid: INVALID })) {
    for (const [name, vector] of Object.entries(cases)) written.set(`${folder}/${name}`, format(vector));
  }
  return written;
}

function format({ entries, evidence, verdict, vouched, findings }: Case): Vector {
  const { held, checkpoints } = evidence;
  const written = {
    ...(held && { held }),
    ...(checkpoints && {
      checkpoints: {
        key: formatVerifierKey(checkpoints.key),
        notes: checkpoints.notes,
        ...(checkpoints.witnesses && {
          witnesses: { keys: checkpoints.witnesses.keys.map(formatVerifierKey), quorum: checkpoints.witnesses.quorum },
        }),
        ...(checkpoints.freshness && { freshness: checkpoints.freshness }),
      },
    }),
  };
  const expected = { verdict, vouched, findings: findings.map(([code, first, last]) => ({ code, first, last })) };
  return {
    log: entries.map(formatExportLine).join(''),
    json: `${JSON.stringify({ evidence: written, expected }, null, 2)}\n`,
  };
}

export interface Expected {
  readonly verdict: string;
  readonly vouched: number;
  readonly findings: readonly { readonly code: string; readonly first: number | null; readonly last: number | null }[];
}

export function parse(json: string): { evidence: Evidence; expected: Expected } {
  const { evidence, expected } = JSON.parse(json) as { evidence: Written; expected: Expected };
  const { held, checkpoints } = evidence;
  return {
    expected,
    evidence: {
      ...(held && { held }),
      ...(checkpoints && {
        checkpoints: {
          key: keyOf(checkpoints.key),
          notes: checkpoints.notes,
          ...(checkpoints.witnesses && {
            witnesses: { keys: checkpoints.witnesses.keys.map(keyOf), quorum: checkpoints.witnesses.quorum },
          }),
          ...(checkpoints.freshness && {
            freshness: { ...checkpoints.freshness, now: new Date(checkpoints.freshness.now) },
          }),
        },
      }),
    },
  };
}

function keyOf(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (!key) throw new TypeError('a vector with a verifier key that is none');
  return key;
}
