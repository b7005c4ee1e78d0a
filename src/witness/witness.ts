/**
 * A witness cosigns a log's checkpoints, each only if its tree begins with the one cosigned before (C2SP tlog-witness). So
 * of one log it never cosigns two roots for one size, nor a size below one it cosigned: who sees its cosignature on a
 * checkpoint sees the same history as everybody else who does.
 *
 * From the look at the state to its being on the disk nothing waits, so that no other request can come between. It costs
 * two fsyncs in a row for each checkpoint, and spares any lock that could be forgotten.
 */
import { parseAddCheckpoint } from '../log/add-checkpoint.js';
import { equal, toUtf8 } from '../log/bytes.js';
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.js';
import { checkConsistency } from '../log/consistency.js';
import { cosign } from '../log/cosignature.js';
import { sha256Hex } from '../log/hash.js';
import { formatNote, NoteError, type NoteSignature, openNote, parseNote } from '../log/note.js';
import type { SigningKey, VerifierKey } from '../log/note-key.js';
import { EMPTY_ROOT } from '../log/tree.js';
import type { Cosigned, State } from './state.js';

export type Refusal =
  | 'MALFORMED'
  | 'UNKNOWN_LOG'
  | 'SIGNATURE_INVALID'
  | 'OLD_SIZE_ABOVE'
  | 'CONFLICT'
  | 'INCONSISTENT';

export type Answer = {
  /** The checkpoint asked about; null before its log is known to have signed it. */
  readonly checkpoint: Checkpoint | null;
  /** Two roots of one size, both signed by the log: the note cosigned, and the one that cannot be true beside it. */
  readonly fork?: { readonly cosigned: string; readonly offered: string };
} & (
  | { /** A signature line. */ readonly cosignature: string }
  | { readonly refusal: 'CONFLICT' /** The size cosigned last. */; readonly size: number }
  | { readonly refusal: Exclude<Refusal, 'CONFLICT'> }
);

/** Where the state is kept: after `replace` it survives the process, or `replace` threw. */
export interface Keeper {
  readonly state: State;
  replace(state: State): void;
}

export interface WitnessOptions {
  readonly key: SigningKey;
  /** Of the logs to be witnessed: a key's name is its log's origin. A log may have several keys. */
  readonly logs: readonly VerifierKey[];
  readonly keeper: Keeper;
  readonly now: () => Date;
}

export class Witness {
  constructor(private readonly options: WitnessOptions) {}

  /** The last checkpoint cosigned of the log whose origin has this SHA-256, in hex; null where there is none. */
  checkpoint(originHash: string): string | null {
    for (const { origin, note } of this.options.keeper.state.values()) {
      if (sha256Hex(toUtf8(origin)) === originHash) return note;
    }
    return null;
  }

  /**
   * In the order that C2SP tlog-witness gives, "add-checkpoint".
   *
   * @param body of the request
   * @throws what the keeper throws; no cosignature exists then
   */
  addCheckpoint(body: string): Answer {
    const request = parseAddCheckpoint(body);
    const opened = request && this.open(request.checkpoint);
    if (!opened) return { checkpoint: null, refusal: 'MALFORMED' };
    if (typeof opened === 'string') return { checkpoint: null, refusal: opened };

    const { oldSize, proof } = request;
    const { checkpoint, text, signatures } = opened;
    const { keeper, key, now } = this.options;
    const last = keeper.state.get(checkpoint.origin);
    const head = last ?? { size: 0, root: EMPTY_ROOT };
    const about = { checkpoint, ...forkOf(last, opened) };
    if (oldSize > checkpoint.size) return { ...about, refusal: 'OLD_SIZE_ABOVE' };
    if (oldSize !== head.size) return { ...about, refusal: 'CONFLICT', size: head.size };
    if (!checkConsistency(proof, head, checkpoint)) return { ...about, refusal: 'INCONSISTENT' };

    const { line } = cosign(text, key, Math.floor(now().getTime() / 1_000));
    const note = formatNote({ text, signatures }) + line;
    keeper.replace(new Map(keeper.state).set(checkpoint.origin, { ...checkpoint, note }));
    return { ...about, cosignature: line };
  }

  /** @returns null for what is no checkpoint */
  private open(note: string): Opened | 'UNKNOWN_LOG' | 'SIGNATURE_INVALID' | null {
    const parsed = orNull(() => parseNote(note));
    const origin = note.slice(0, note.indexOf('\n'));
    const keys = this.options.logs.filter(({ name }) => name === origin);
    if (!parsed) return null;
    if (keys.length === 0) return 'UNKNOWN_LOG';
    const opened = orNull(() => openNote(note, keys));
    if (!opened) return 'SIGNATURE_INVALID';
    const checkpoint = parseCheckpoint(opened.text);
    const signatures = opened.signed.map(
      ({ key }) => parsed.signatures.find(({ name, id }) => name === key.name && id === key.id)!,
    );
    return checkpoint && { checkpoint, text: opened.text, signatures };
  }
}

interface Opened {
  readonly checkpoint: Checkpoint;
  readonly text: string;
  /** The log's own, verified. */
  readonly signatures: readonly NoteSignature[];
}

function forkOf(last: Cosigned | undefined, { checkpoint, text, signatures }: Opened): Pick<Answer, 'fork'> {
  if (!last || last.size !== checkpoint.size || equal(last.root, checkpoint.root)) return {};
  return { fork: { cosigned: last.note, offered: formatNote({ text, signatures }) } };
}

function orNull<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof NoteError) return null;
    throw error;
  }
}
