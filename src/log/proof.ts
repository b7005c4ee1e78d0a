/**
 * A disclosure proof is the portable file which shows that one entry is in the log (C2SP tlog-proof):
 *
 *     c2sp.org/tlog-proof@v1
 *     index 42
 *     gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
 *
 *     ledger.example.com/main
 *     43
 *     …
 *
 * The entry's index, the inclusion proof, and the checkpoint it leads to. With it belongs the leaf, whose text says
 * what was disclosed; the file alone says nothing of it.
 */
import { fromBase64, hexBytes, toBase64 } from './bytes.js';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.js';
import { checkInclusion } from './inclusion.js';
import { type Leaf, type LogIndex, linkOf, parseLeaf } from './leaf.js';
import type { VerifierKey } from './note-key.js';
import { HASH_BYTES, type Hash } from './tree.js';

export interface DisclosureProof {
  /** Opaque and not authenticated: whatever the maker of the file put beside it. */
  readonly extra?: Uint8Array;
  readonly index: LogIndex;
  /** From the leaf's sibling upward. */
  readonly hashes: readonly Hash[];
  /** The signed note, as the log issued it. */
  readonly checkpoint: string;
}

export type ProofFault = 'MALFORMED' | 'LEAF_MALFORMED' | 'INDEX_DIFFERS' | 'NOT_INCLUDED';

export class ProofError extends Error {
  override readonly name = 'ProofError';
  constructor(
    readonly code: ProofFault,
    message: string,
  ) {
    super(message);
  }
}

const HEADER = 'c2sp.org/tlog-proof@v1';

export function formatProof({ extra, index, hashes, checkpoint }: DisclosureProof): string {
  const lines = [HEADER, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...hashes.map(toBase64)];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

const FILE = /^c2sp\.org\/tlog-proof@v1\n(?:extra ([^\n]*)\n)?index (0|[1-9][0-9]{0,15})\n((?:[^\n]+\n)*)\n(.+)$/s;

/** @throws ProofError `MALFORMED` for anything that `formatProof` does not write */
export function parseProof(file: string): DisclosureProof {
  const [, extra64, digits, lines, checkpoint] = FILE.exec(file) ?? [];
  const extra = extra64 === undefined ? undefined : fromBase64(extra64);
  const hashes = lines?.split('\n').slice(0, -1).map(fromBase64);
  const index = Number(digits);
  if (extra === null || !hashes?.every(isHash) || !checkpoint || !Number.isSafeInteger(index)) {
    throw new ProofError('MALFORMED', `no file of ${HEADER}`);
  }
  return { ...(extra && { extra }), index: index as LogIndex, hashes, checkpoint };
}

function isHash(bytes: Uint8Array | null): bytes is Hash {
  return bytes?.length === HASH_BYTES;
}

/**
 * Verifies that a leaf is in the log whose key is given.
 *
 * @returns the leaf, and the checkpoint it was found under, with the witnesses that signed it
 * @throws ProofError, and NoteError for the checkpoint
 */
export function checkProof(
  leaf: Uint8Array,
  { index, hashes, checkpoint }: DisclosureProof,
  key: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): { leaf: Leaf; checkpoint: OpenedCheckpoint } {
  const opened = openCheckpoint(checkpoint, key, witnesses);
  const parsed = parseLeaf(leaf);
  if (!parsed) throw new ProofError('LEAF_MALFORMED', 'bytes that are no leaf');
  if (parsed.index !== index) throw new ProofError('INDEX_DIFFERS', 'the leaf is of another entry');
  const claim = { index, size: opened.size, root: opened.root, leaf: hexBytes(linkOf(leaf)) as Hash };
  if (!checkInclusion(hashes, claim)) throw new ProofError('NOT_INCLUDED', 'the proof does not lead to the root');
  return { leaf: parsed, checkpoint: opened };
}
