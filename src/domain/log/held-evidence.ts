/**
 * Held evidence is what a reviewer brings from outside the log, read strictly: entries as `extensions.ledger` showed them,
 * and checkpoints that the log signed.
 */
import { Fault } from '../../graphql/fault.js';
import type { HeldEvidence } from '../../ledger/verifications.js';
import { openCheckpoint } from '../../log/checkpoint.js';
import type { Entry } from '../../log/entry.js';
import { isLink } from '../../log/leaf.js';
import { formatNote, NoteError, type NoteFault, parseNote } from '../../log/note.js';
import type { VerifierKey } from '../../log/note-key.js';

/** As it was sent. */
export interface SentEvidence {
  readonly held: readonly { readonly index: number; readonly link: string }[];
  readonly checkpoints: readonly string[];
}

/** Pieces, in all. */
export const MOST_EVIDENCE = 16;

const SAID: Readonly<Record<NoteFault, string>> = {
  MALFORMED: 'is no checkpoint',
  NO_KNOWN_KEY: 'is not signed by the key of this log',
  OTHER_ORIGIN: 'is of another log',
  SIGNATURE_INVALID: 'has a signature that is not of its text: it was changed since, or forged',
};

/**
 * What is kept of a checkpoint is what the log's key signed, and its signature: no other line, for those anybody may write.
 *
 * @param key the log's
 * @throws Fault BAD_INPUT for what can be held against no log
 */
export function readEvidence({ held, checkpoints }: SentEvidence, key: VerifierKey): HeldEvidence {
  if (held.length + checkpoints.length > MOST_EVIDENCE) {
    throw new Fault('BAD_INPUT', { detail: `"held" and "checkpoints" are at most ${MOST_EVIDENCE} together.` });
  }
  return { held: held.map(readHeld), notes: checkpoints.map((note, nth) => readNote(note, key, nth + 1)) };
}

function readHeld({ index, link }: SentEvidence['held'][number], at: number): Entry {
  if (isLink(link)) return { index: index as Entry['index'], link };
  throw new Fault('BAD_INPUT', { detail: `"held", number ${at + 1}: a link is 64 lower-case hex digits.` });
}

function readNote(sent: string, key: VerifierKey, number: number): string {
  try {
    openCheckpoint(sent, key);
    const { text, signatures } = parseNote(sent);
    const [ours] = signatures.filter(({ name, id }) => name === key.name && id === key.id);
    return formatNote({ text, signatures: [ours!] });
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Fault('BAD_INPUT', { detail: `"checkpoints", number ${number}, ${SAID[error.code]}.` });
  }
}
