/**
 * An add-checkpoint request asks a witness for its cosignature (C2SP tlog-witness):
 *
 *     old 20852014
 *     PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     …
 *
 * The size that the witness cosigned last, the proof that the checkpoint's tree begins with the tree of that size, and
 * the checkpoint as the log signed it.
 */
import { fromBase64, toBase64 } from './bytes.js';
import { HASH_BYTES, type Hash } from './tree.js';

export interface AddCheckpoint {
  /** 0 where the witness has cosigned nothing of this log. */
  readonly oldSize: number;
  /** At most `MAX_PROOF_HASHES`. */
  readonly proof: readonly Hash[];
  /** The signed note, not opened. */
  readonly checkpoint: string;
}

/** The media type of the body of a 409: the size that the witness cosigned last. */
export const SIZE_MEDIA = 'text/x.tlog.size';

/** As many as a proof between trees below 2^63 leaves can have. */
export const MAX_PROOF_HASHES = 63;

/** @throws RangeError for a proof of more hashes than a request may have */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  if (proof.length > MAX_PROOF_HASHES) throw new RangeError(`a proof of more than ${MAX_PROOF_HASHES} hashes`);
  return `${[`old ${oldSize}`, ...proof.map(toBase64)].join('\n')}\n\n${checkpoint}`;
}

/** @returns null for anything that `formatAddCheckpoint` does not write. What is in the checkpoint is not looked at */
export function parseAddCheckpoint(body: string): AddCheckpoint | null {
  const end = body.indexOf('\n\n');
  if (end < 0) return null;
  const [old = '', ...lines] = body.slice(0, end).split('\n', 2 + MAX_PROOF_HASHES);
  const oldSize = parseSize(old.startsWith('old ') ? old.slice('old '.length) : '');
  const checkpoint = body.slice(end + 2);
  if (oldSize === null || lines.length > MAX_PROOF_HASHES || !checkpoint) return null;
  const proof = lines.map(fromBase64);
  return proof.every(isHash) ? { oldSize, proof, checkpoint } : null;
}

/** The body of a 409. */
export function formatSizeAnswer(size: number): string {
  return `${size}\n`;
}

/** @returns null for anything that `formatSizeAnswer` does not write */
export function parseSizeAnswer(body: string): number | null {
  return body.endsWith('\n') ? parseSize(body.slice(0, -1)) : null;
}

function parseSize(digits: string): number | null {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(size) ? size : null;
}

function isHash(bytes: Uint8Array | null): bytes is Hash {
  return bytes?.length === HASH_BYTES;
}
