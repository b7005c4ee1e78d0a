/**
 * The state of a witness is what it must never forget: of each log, the last checkpoint that it cosigned. It is kept as
 *
 *     {
 *       "v": 1,
 *       "witness": "witness.example.com/w1+1f6c2a07+BKq…",
 *       "checkpoints": ["ledger.example.com/main\n43\nCsUY…\n\n— ledger.example.com/main Az3g…\n— witness.example.com/w1 H2wq…\n"]
 *     }
 *
 * Each checkpoint bears the witness's own cosignature, so that a state that was damaged, or is another witness's, is not
 * believed. One that is whole and old cannot be told from the newest: see docs/witnessing.md.
 */
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.js';
import { NoteError, openNote } from '../log/note.js';
import { formatVerifierKey, type VerifierKey } from '../log/note-key.js';
import { StateError } from './state-error.js';

export interface Cosigned extends Checkpoint {
  /** With the signatures of the log that were verified, and the witness's own. */
  readonly note: string;
}

/** By origin. A log that is not among them was never cosigned. */
export type State = ReadonlyMap<string, Cosigned>;

const VERSION = 1;

export function formatState(state: State, witness: VerifierKey): string {
  const checkpoints = [...state.values()].map(({ note }) => note);
  return `${JSON.stringify({ v: VERSION, witness: formatVerifierKey(witness), checkpoints }, null, 2)}\n`;
}

/**
 * @param logs The keys that are known now. The signature of one that is no longer known is not verified again.
 * @throws StateError `STATE_MALFORMED` for anything that `formatState` does not write; `STATE_OF_ANOTHER`
 */
export function parseState(text: string, witness: VerifierKey, logs: readonly VerifierKey[]): State {
  const { v, witness: name, checkpoints } = parseJson(text);
  if (v !== VERSION || !Array.isArray(checkpoints)) throw new StateError('STATE_MALFORMED');
  if (name !== formatVerifierKey(witness)) throw new StateError('STATE_OF_ANOTHER');
  const state = new Map<string, Cosigned>();
  for (const note of checkpoints) {
    const cosigned = openCosigned(note, witness, logs);
    state.set(cosigned.origin, cosigned);
  }
  if (formatState(state, witness) !== text) throw new StateError('STATE_MALFORMED');
  return state;
}

function parseJson(text: string): { v?: unknown; witness?: unknown; checkpoints?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new StateError('STATE_MALFORMED');
  }
}

function openCosigned(note: unknown, witness: VerifierKey, logs: readonly VerifierKey[]): Cosigned {
  try {
    if (typeof note !== 'string') throw new NoteError('MALFORMED', 'no text');
    const { text, signed } = openNote(note, [witness, ...logs]);
    const checkpoint = parseCheckpoint(text);
    if (checkpoint && signed.some(({ key }) => key === witness)) return { ...checkpoint, note };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
  }
  throw new StateError('STATE_MALFORMED');
}
