/**
 * A note is text with the signatures of one or more keys below it (C2SP signed-note):
 *
 *     ledger.example.com/main
 *     43
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — ledger.example.com/main Az3grlgtzPICa5OS8npVmf1Myq/5IZni…
 *
 * Nothing in it may be believed before `openNote` has found the signature of a key that one knew beforehand.
 */
import { concat, fromBase64, hexBytes, toBase64, toHex, toUtf8 } from './bytes.js';
import { isKeyName, type SigningKey, type VerifierKey } from './note-key.js';
import { SIGNATURE_BYTES, signEd25519, verifyEd25519 } from './signature.js';

export type NoteFault = 'MALFORMED' | 'SIGNATURE_INVALID' | 'NO_KNOWN_KEY' | 'OTHER_ORIGIN';

export class NoteError extends Error {
  override readonly name = 'NoteError';
  constructor(
    readonly code: NoteFault,
    message: string,
  ) {
    super(message);
  }
}

export interface NoteSignature {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly id: string;
  /** What the key's type says it is: 64 bytes for an Ed25519 signature, eight of time before them in a cosignature. */
  readonly bytes: Uint8Array;
}

/** A note as it is written, none of it verified. */
export interface Note {
  /** Ends with a line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key's signature that was found valid. */
export interface Signed {
  readonly key: VerifierKey;
  /** Unix seconds, stated by a cosignature; null for plain signatures. */
  readonly time: number | null;
}

export interface OpenedNote {
  readonly text: string;
  /** One for each known key that signed. Never empty. */
  readonly signed: readonly Signed[];
}

/** Limits against notes made to keep a verifier busy. */
const MAX_NOTE_CHARS = 1_000_000;
const MAX_SIGNATURES = 100;

const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSPEAKABLE = /[\u0000-\u0009\u000b-\u001f]|\p{Cs}/u;

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, id, bytes }) => `— ${name} ${toBase64(concat(hexBytes(id), bytes))}\n`);
  return `${text}\n${lines.join('')}`;
}

/** @throws NoteError `MALFORMED` for anything that `formatNote` does not write */
export function parseNote(note: string): Note {
  const end = note.lastIndexOf('\n\n');
  if (note.length > MAX_NOTE_CHARS || end < 0 || !note.endsWith('\n') || UNSPEAKABLE.test(note)) throw malformed();
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed();
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name, base64] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = base64 ? fromBase64(base64) : null;
  if (!name || !isKeyName(name) || !bytes || bytes.length < 5) throw malformed();
  return { name, id: toHex(bytes.subarray(0, 4)), bytes: bytes.slice(4) };
}

function malformed(): NoteError {
  return new NoteError('MALFORMED', 'no signed note: text, an empty line, and signature lines');
}

/**
 * @param text ends with a line feed, has no other control character
 * @param time Unix seconds, for the cosignatures among the keys
 * @throws NoteError `MALFORMED` for a text that no note can hold
 */
export function signNote(text: string, keys: readonly SigningKey[], time = 0): string {
  const signatures = keys.map((key) => ({ name: key.name, id: key.id, bytes: signatureOf(text, key, time) }));
  const note = formatNote({ text, signatures });
  parseNote(note);
  return note;
}

function signatureOf(text: string, { type, seed }: SigningKey, time: number): Uint8Array {
  if (type === 'ed25519') return signEd25519(seed, toUtf8(text));
  return concat(timeBytes(time), signEd25519(seed, cosignedText(text, time)));
}

/**
 * Verifies a note by known keys. Signatures of other keys are ignored, even if they share a name or an id with a known
 * one; a known key's signature that fails rejects the note, whatever else signed it.
 *
 * @throws NoteError
 */
export function openNote(note: string, known: readonly VerifierKey[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const signed = new Map<VerifierKey, Signed>();
  for (const signature of signatures) {
    const key = known.find(({ name, id }) => name === signature.name && id === signature.id);
    if (!key) continue;
    if (!verifies(text, signature.bytes, key)) {
      throw new NoteError('SIGNATURE_INVALID', `the signature of ${key.name} is not of this text`);
    }
    if (!signed.has(key)) signed.set(key, { key, time: key.type === 'cosignature' ? timeOf(signature.bytes) : null });
  }
  if (signed.size === 0) throw new NoteError('NO_KNOWN_KEY', 'no known key signed this note');
  return { text, signed: [...signed.values()] };
}

function verifies(text: string, bytes: Uint8Array, key: VerifierKey): boolean {
  if (key.type === 'ed25519') return verifyEd25519(key.publicKey, toUtf8(text), bytes);
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return false;
  return verifyEd25519(key.publicKey, cosignedText(text, timeOf(bytes)), bytes.subarray(TIME_BYTES));
}

/** What a cosignature signs (C2SP tlog-cosignature, "Ed25519 signed message"). */
function cosignedText(text: string, time: number): Uint8Array {
  return toUtf8(`cosignature/v1\ntime ${time}\n${text}`);
}

const TIME_BYTES = 8;

/** Times past 2^53 lose digits here, and then their signature fails. */
function timeOf(cosignature: Uint8Array): number {
  return Number(new DataView(cosignature.buffer, cosignature.byteOffset).getBigUint64(0));
}

function timeBytes(time: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time));
  return bytes;
}
