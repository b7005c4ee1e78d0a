/**
 * A cosignature is a witness's statement that a checkpoint is of the largest tree it has seen of that log, that this tree
 * begins with every one it cosigned before, and when that was so (C2SP tlog-cosignature). It travels as a signature line:
 *
 *     — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn…
 */
import { formatNote, NoteError, openNote, parseNote, signNote } from './note.js';
import type { SigningKey, VerifierKey } from './note-key.js';

export interface Cosignature {
  /** With its line feed: what is added to the checkpoint's note. */
  readonly line: string;
  /** Unix seconds. */
  readonly time: number;
}

/**
 * @param text of the checkpoint, with its last line feed
 * @param time Unix seconds, from 1
 * @throws NoteError `MALFORMED` for a text that no note can hold
 */
export function cosign(text: string, key: SigningKey, time: number): Cosignature {
  if (key.type !== 'cosignature' || !Number.isSafeInteger(time) || time < 1) {
    throw new RangeError('a cosignature is of a witness’s key, and has a time');
  }
  return { line: signNote(text, [key], time).slice(text.length + 1), time };
}

/**
 * Finds a witness's cosignature among the lines that it answered with. Other keys' lines are passed over.
 *
 * @throws NoteError `MALFORMED` for lines that are no signatures; `NO_KNOWN_KEY`; `SIGNATURE_INVALID`, also where the
 * cosignature does not say when
 */
export function openCosignature(text: string, lines: string, key: VerifierKey): Cosignature {
  const note = `${text}\n${lines}`;
  const parsed = parseNote(note);
  // Lines with an empty one among them would move the end of the text.
  if (parsed.text !== text) throw new NoteError('MALFORMED', 'no signature lines');
  const time = openNote(note, [key]).signed[0]!.time;
  if (!time) throw new NoteError('SIGNATURE_INVALID', `${key.name} does not say when it cosigned`);
  const signature = parsed.signatures.find(({ name, id }) => name === key.name && id === key.id)!;
  return { line: formatNote({ text, signatures: [signature] }).slice(text.length + 1), time };
}
