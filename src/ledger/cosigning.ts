/**
 * Cosigning asks witnesses to cosign a checkpoint (C2SP tlog-witness, "add-checkpoint"). What a witness answers is believed
 * only as far as its known key signed it; whatever else it does costs at most its own cosignature.
 */
import { formatAddCheckpoint, parseSizeAnswer, SIZE_MEDIA } from '../log/add-checkpoint.js';
import { concat, fromUtf8 } from '../log/bytes.js';
import { parseCheckpoint } from '../log/checkpoint.js';
import { type Cosignature, openCosignature } from '../log/cosignature.js';
import { NoteError, type NoteFault, parseNote } from '../log/note.js';
import type { VerifierKey } from '../log/note-key.js';
import type { Hash } from '../log/tree.js';

export interface WitnessAt {
  readonly key: VerifierKey;
  /** The submission prefix, to which `add-checkpoint` is added. */
  readonly url: URL;
}

export type CosigningFault =
  | /** Nobody answered there. */ 'UNREACHABLE'
  | 'TIMED_OUT'
  | /** 3xx: what was meant for this witness goes to no other. */ 'REDIRECTED'
  | /** 404. */ 'LOG_UNKNOWN'
  | /** 403. */ 'LOG_SIGNATURE_REFUSED'
  | /** 400. */ 'REQUEST_REFUSED'
  | /** 422: it holds another root, or our proof is wrong. Either wants a person. */ 'INCONSISTENT'
  | /** It cosigned a larger size before: a newer checkpoint was faster, or this log was rolled back. */ 'AHEAD'
  | /** However often asked from the size that it named, it named another. */ 'CONFLICT'
  | /** Any other status. */ 'REFUSED'
  | 'ANSWER_TOO_LARGE'
  | 'ANSWER_MALFORMED'
  | /** No line of its key in the answer. */ 'COSIGNATURE_MISSING'
  | 'COSIGNATURE_INVALID'
  | /** The proof that it asked for could not be made here. */ 'PROOF_FAILED'
  | /** It cosigned, and that could not be stored here. */ 'NOT_KEPT';

export interface Failed {
  readonly fault: CosigningFault;
  /** Of the answer; null where there was none. */
  readonly status: number | null;
  /** What `consistencyProof`, the store or the network threw. */
  readonly cause?: unknown;
}

export type Outcome = { readonly witness: WitnessAt } & (
  | { readonly cosignature: Cosignature; readonly failed: null }
  | { readonly cosignature: null; readonly failed: Failed }
) & {
    /** The size it is known to have cosigned last: what to give as its `oldSizes` next time. Null where it did not say. */
    readonly size: number | null;
  };

export interface CosigningOptions {
  readonly witnesses: readonly WitnessAt[];
  /** From one size of this log to another, both at most the checkpoint's. */
  readonly consistencyProof: (from: number, to: number) => Promise<readonly Hash[]>;
  /** What each has cosigned last, as far as known. A witness that is not in it is asked from 0, and says. */
  readonly oldSizes?: ReadonlyMap<WitnessAt, number>;
  /** Milliseconds for one witness, all its answers together. */
  readonly timeout: number;
  /** Called for each as soon as it is known, so that nobody waits for the slowest. */
  readonly onOutcome?: (outcome: Outcome) => void;
  /** Ends all that is under way: those fail as TIMED_OUT. */
  readonly signal?: AbortSignal;
}

/**
 * Asks all at once.
 *
 * @param checkpoint signed by the log's key
 * @returns one outcome for each witness, in their order. It rejects only for a note that is no checkpoint
 */
export async function cosign(checkpoint: string, options: CosigningOptions): Promise<Outcome[]> {
  const { text } = parseNote(checkpoint);
  const size = parseCheckpoint(text)?.size;
  if (size === undefined) throw new NoteError('MALFORMED', 'a note that is no checkpoint');
  return Promise.all(
    options.witnesses.map(async (witness) => {
      const outcome = await askWitness({ note: checkpoint, text, size }, witness, options);
      options.onOutcome?.(outcome);
      return outcome;
    }),
  );
}

interface Asked {
  readonly note: string;
  readonly text: string;
  readonly size: number;
}

/** The size known, the size it names, and once more where another was faster in between. */
const MOST_ASKS = 3;

async function askWitness(asked: Asked, witness: WitnessAt, options: CosigningOptions): Promise<Outcome> {
  const { oldSizes, consistencyProof, timeout, signal } = options;
  const stop = new AbortController();
  const abort = () => stop.abort();
  const late = setTimeout(abort, timeout);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  let size = oldSizes?.get(witness) ?? null;
  try {
    for (let ask = 0; ask < MOST_ASKS; ask++) {
      const oldSize = size ?? 0;
      if (oldSize > asked.size) throw new Fault('AHEAD');
      const proof = await proofFor(oldSize, asked.size, consistencyProof);
      const body = formatAddCheckpoint({ oldSize, proof, checkpoint: asked.note });
      const answer = await post(witness.url, body, stop.signal);
      if (answer.status === 200) {
        const cosignature = open(asked.text, answer.body, witness.key);
        return { witness, cosignature, failed: null, size: asked.size };
      }
      size = conflictOf(answer);
    }
    throw new Fault('CONFLICT', 409);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { fault, status, cause } = error;
    return { witness, cosignature: null, failed: { fault, status, ...(cause !== undefined && { cause }) }, size };
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', abort);
  }
}

class Fault extends Error {
  constructor(
    readonly fault: CosigningFault,
    readonly status: number | null = null,
    override readonly cause?: unknown,
  ) {
    super(fault);
  }
}

async function proofFor(
  from: number,
  to: number,
  consistencyProof: CosigningOptions['consistencyProof'],
): Promise<readonly Hash[]> {
  if (from === 0) return [];
  try {
    return await consistencyProof(from, to);
  } catch (error) {
    throw new Fault('PROOF_FAILED', null, error);
  }
}

const NOTE_FAULTS: Readonly<Partial<Record<NoteFault, CosigningFault>>> = {
  NO_KNOWN_KEY: 'COSIGNATURE_MISSING',
  SIGNATURE_INVALID: 'COSIGNATURE_INVALID',
};

function open(text: string, lines: string, key: VerifierKey): Cosignature {
  try {
    return openCosignature(text, lines, key);
  } catch (error) {
    throw error instanceof NoteError ? new Fault(NOTE_FAULTS[error.code] ?? 'ANSWER_MALFORMED', 200) : error;
  }
}

const FAULTS: Readonly<Record<number, CosigningFault>> = {
  400: 'REQUEST_REFUSED',
  403: 'LOG_SIGNATURE_REFUSED',
  404: 'LOG_UNKNOWN',
  409: 'ANSWER_MALFORMED',
  422: 'INCONSISTENT',
};

/** The size that a 409 names. */
function conflictOf({ status, media, body }: Answer): number {
  const size = status === 409 && media === SIZE_MEDIA ? parseSizeAnswer(body) : null;
  if (size !== null) return size;
  throw new Fault(status >= 300 && status < 400 ? 'REDIRECTED' : (FAULTS[status] ?? 'REFUSED'), status);
}

interface Answer {
  readonly status: number;
  readonly media: string | null;
  readonly body: string;
}

/** Lines of 16 signatures at most, each of 5 kB, and room. */
const MAX_ANSWER_BYTES = 131_072;

async function post(prefix: URL, body: string, signal: AbortSignal): Promise<Answer> {
  const url = new URL(prefix);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/add-checkpoint`;
  try {
    const response = await fetch(url, { method: 'POST', body, redirect: 'manual', signal });
    const { status } = response;
    const text = fromUtf8(await readBody(response));
    if (text === null) throw new Fault('ANSWER_MALFORMED', status);
    return { status, media: response.headers.get('content-type'), body: text };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(signal.aborted ? 'TIMED_OUT' : 'UNREACHABLE', null, error);
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length > MAX_ANSWER_BYTES) throw new Fault('ANSWER_TOO_LARGE', response.status);
    chunks.push(chunk);
  }
  return concat(...chunks);
}
