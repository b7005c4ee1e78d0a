/**
 * Evidence is what a reviewer holds from outside the log: entries that were shown to somebody when they were made, and
 * checkpoints that the log signed, perhaps with witnesses. A log without it can be consistent, and still be another one.
 */

import { toBase64 } from './bytes.js';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.js';
import type { Claim } from './claim.js';
import type { Entry } from './entry.js';
import type { Finding } from './finding.js';
import { NoteError } from './note.js';
import type { VerifierKey } from './note-key.js';

export interface Evidence {
  /** Entries as `extensions.ledger` returned them. */
  readonly held?: readonly Entry[];
  readonly checkpoints?: CheckpointEvidence;
}

export interface CheckpointEvidence {
  /** Of the log, from elsewhere than the log. */
  readonly key: VerifierKey;
  /** Signed notes. */
  readonly notes: readonly string[];
  /** Signed notes that the log itself shows. They can contradict it, and vouch for nothing. */
  readonly own?: readonly string[];
  /** How many of these must have cosigned a checkpoint for it to vouch. */
  readonly witnesses?: { readonly keys: readonly VerifierKey[]; readonly quorum: number };
  /** How old the newest cosigned checkpoint may be. Only a cosignature says when, so this needs witnesses. */
  readonly freshness?: { readonly maxSeconds: number; readonly now: Date };
}

export type EvidenceFault =
  /** No signatures, or nothing at all, could meet the quorum. */
  | 'QUORUM_OUT_OF_REACH'
  /** A note that is no checkpoint of this log's, whoever made it: it says nothing of the log, good or bad. */
  | 'CHECKPOINT_UNUSABLE';

/** Evidence that cannot be held against any log. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
  constructor(
    readonly code: EvidenceFault,
    message: string,
    /** Which of the notes, from 0; null where none is at fault. */
    readonly note: number | null = null,
  ) {
    super(message);
  }
}

/**
 * Opens all evidence: into claims to hold against the log, and findings about the evidence itself.
 *
 * @throws EvidenceError
 */
export function openEvidence({ held = [], checkpoints }: Evidence): { claims: Claim[]; findings: Finding[] } {
  const claims: Claim[] = held.map(({ index, link }) => ({
    size: index + 1,
    says: { link },
    by: `the held link of entry ${index}`,
    vouches: true,
  }));
  const findings: Finding[] = [];
  if (!checkpoints) return { claims, findings };
  const quorum = quorumOf(checkpoints.witnesses);
  const opened: OpenedCheckpoint[] = [];
  for (const [i, note] of checkpoints.notes.entries()) {
    const shown = `checkpoint ${i + 1} of ${checkpoints.notes.length}`;
    try {
      const checkpoint = openCheckpoint(note, checkpoints.key, checkpoints.witnesses?.keys);
      const met = witnessesOf(checkpoint).length >= quorum;
      if (!met) findings.push(tooFew(quorum, `${witnessesOf(checkpoint).length} on ${shown}`));
      opened.push(checkpoint);
      claims.push({ size: checkpoint.size, says: { root: checkpoint.root }, by: signers(checkpoint), vouches: met });
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      if (error.code !== 'SIGNATURE_INVALID') throw new EvidenceError('CHECKPOINT_UNUSABLE', error.message, i);
      const expected = `a checkpoint signed by ${checkpoints.key.name}`;
      findings.push(aboutEvidence('SIGNATURE_INVALID', expected, `${shown}: ${error.message}`));
    }
  }
  const own = openOwn(checkpoints);
  claims.push(...own.claims);
  findings.push(...own.findings);
  if (quorum > 0 && opened.length === 0) findings.push(tooFew(quorum, 'no checkpoint'));
  const stale = staleness(checkpoints, opened, Math.max(1, quorum));
  if (stale) findings.push(stale);
  return { claims, findings };
}

/** One finding for all that the log's key did not sign: nobody but who edits a log keeps such a thing in it. */
function openOwn({ own = [], key }: CheckpointEvidence): { claims: Claim[]; findings: Finding[] } {
  const claims: Claim[] = [];
  const faults: string[] = [];
  for (const note of own) {
    try {
      const { size, root } = openCheckpoint(note, key);
      claims.push({
        size,
        says: { root },
        by: `a checkpoint of ${key.name} that the log shows itself`,
        vouches: false,
      });
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length === 0) return { claims, findings: [] };
  const found = `${faults.length} that the log shows itself: ${faults[0]}`;
  return { claims, findings: [aboutEvidence('SIGNATURE_INVALID', `checkpoints signed by ${key.name}`, found)] };
}

/** How many witnesses have to have cosigned. @throws EvidenceError for what no signatures could meet */
export function quorumOf(witnesses: CheckpointEvidence['witnesses']): number {
  if (!witnesses) return 0;
  const distinct = new Set(witnesses.keys.map(({ publicKey }) => toBase64(publicKey))).size;
  const { quorum } = witnesses;
  if (Number.isInteger(quorum) && quorum >= 1 && quorum <= distinct) return quorum;
  throw new EvidenceError('QUORUM_OUT_OF_REACH', `a quorum of ${quorum} among ${distinct} witnesses`);
}

/**
 * When each witness cosigned, newest first, in Unix seconds. One key under two names is one witness.
 *
 * @param until cosignatures that state a later time are passed over
 */
export function witnessesOf({ signed }: OpenedCheckpoint, until = Number.POSITIVE_INFINITY): number[] {
  const times = new Map<string, number>();
  for (const { key, time } of signed.slice(1)) {
    if (time !== null && time > until) continue;
    const witness = toBase64(key.publicKey);
    times.set(witness, Math.max(time ?? 0, times.get(witness) ?? 0));
  }
  return [...times.values()].sort((a, b) => b - a);
}

/** How far a witness's clock may be ahead of ours, in seconds: what claims to be from later says nothing of its age. */
const MAX_SKEW = 300;

/** A quorum of witnesses must have seen a checkpoint lately: an old one can hide a tail that was cut. */
function staleness(
  { freshness }: CheckpointEvidence,
  opened: readonly OpenedCheckpoint[],
  quorum: number,
): Finding | null {
  if (!freshness) return null;
  const now = Math.floor(freshness.now.getTime() / 1000);
  const newest = Math.max(...opened.map((checkpoint) => witnessesOf(checkpoint, now + MAX_SKEW)[quorum - 1] ?? 0), 0);
  const age = now - newest;
  if (newest > 0 && age <= freshness.maxSeconds) return null;
  const found = newest > 0 ? `one ${age} s old` : 'none whose cosignatures say when';
  return aboutEvidence('CHECKPOINT_STALE', `a checkpoint no older than ${freshness.maxSeconds} s`, found);
}

function tooFew(quorum: number, found: string): Finding {
  return aboutEvidence('QUORUM_NOT_MET', `${quorum} known witnesses`, found);
}

function aboutEvidence(code: Finding['code'], expected: string, found: string): Finding {
  return { code, first: null, last: null, expected, found };
}

function signers({ signed: [log, ...witnesses] }: OpenedCheckpoint): string {
  const names = witnesses.map(({ key }) => key.name);
  return `the checkpoint of ${log!.key.name}${names.length > 0 ? ` with ${names.join(', ')}` : ''}`;
}
