/**
 * A checkpoint is a log's signed statement of its size and root (C2SP tlog-checkpoint): a note whose text is
 *
 *     ledger.example.com/main
 *     43
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 * It vouches for every entry below its size, as the root commits to all of them.
 */
import { fromBase64, toBase64 } from './bytes.js';
import { NoteError, openNote, type Signed, signNote } from './note.js';
import type { SigningKey, VerifierKey } from './note-key.js';
import { HASH_BYTES, type Hash } from './tree.js';

export interface Checkpoint {
  /** The log's identity, which is also the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** The text of the note. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

const TEXT = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n((?:[^\n]+\n)*)$/;

/**
 * Extension lines, which other logs may add, are passed over: they say nothing about the tree.
 *
 * @returns null for any other text
 */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [, origin, digits, base64] = TEXT.exec(text) ?? [];
  const root = base64 ? fromBase64(base64) : null;
  const size = Number(digits);
  if (!origin || root?.length !== HASH_BYTES || !Number.isSafeInteger(size)) return null;
  return { origin, size, root: root as Hash };
}

/**
 * @param key of the log: its name is the checkpoint's origin
 * @throws NoteError `MALFORMED` where the origin is not the key's name
 */
export function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): string {
  if (checkpoint.origin !== key.name)
    throw new NoteError('MALFORMED', 'a log signs checkpoints of its own origin only');
  return signNote(formatCheckpoint(checkpoint), [key]);
}

export interface OpenedCheckpoint extends Checkpoint {
  /** The log's signature first, then those of known witnesses. */
  readonly signed: readonly Signed[];
}

/**
 * Verifies a checkpoint by the log's key, and by those witnesses' keys that signed it.
 *
 * @throws NoteError `MALFORMED`; `NO_KNOWN_KEY` where the log's signature is not there, witnesses or not;
 * `OTHER_ORIGIN` where the origin is not the name of the log's key; `SIGNATURE_INVALID` where a known key's signature fails
 */
export function openCheckpoint(
  note: string,
  key: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): OpenedCheckpoint {
  const { text, signed } = openNote(note, [key, ...witnesses]);
  const byLog = signed.find((signature) => signature.key === key);
  if (!byLog) throw new NoteError('NO_KNOWN_KEY', `${key.name} did not sign this checkpoint`);
  const checkpoint = parseCheckpoint(text);
  if (!checkpoint) throw new NoteError('MALFORMED', 'a note that is no checkpoint');
  if (checkpoint.origin !== key.name) throw new NoteError('OTHER_ORIGIN', `a checkpoint of ${checkpoint.origin}`);
  return { ...checkpoint, signed: [byLog, ...signed.filter((signature) => signature !== byLog)] };
}
