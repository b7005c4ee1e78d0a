/**
 * Resuming is verifying from where a checkpoint ends that is trusted from an earlier verdict. The last entry before its end is
 * read again, so that what is new is held against it, and the hashes before that are believed if they lead to its root.
 */
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.js';
import { type CheckpointEvidence, type Evidence, EvidenceError, openEvidence } from '../log/evidence.js';
import { NoteError } from '../log/note.js';
import { type Tiles, tiledHashes } from '../log/tile.js';
import { Frontier } from '../log/tree.js';
import { type EvidenceOptions, openEvidenceOptions } from './evidence-options.js';
import { CommandFault } from './fault.js';

/** A signed note, and where it is from. */
export interface Kept {
  readonly note: string;
  readonly file: string;
}

export interface ResumableEvidence extends Pick<Evidence, 'held'> {
  /** Without those that the log itself shows. */
  readonly checkpoints: CheckpointEvidence;
  /** The files that the notes are from. */
  readonly files: readonly string[];
  readonly since: Kept | null;
}

/** @throws CommandFault */
export async function openResumable(
  options: EvidenceOptions,
  now: Date,
  since: Kept | null,
): Promise<ResumableEvidence> {
  if (!options.key) throw new CommandFault("--key is missing: the log's verifier key, from elsewhere than the log");
  const { held = [], checkpoints } = await openEvidenceOptions(options, now, true);
  return { held, checkpoints: checkpoints!, files: options.checkpoint ?? [], since };
}

/** Null where nothing is trusted yet. @throws CommandFault for a checkpoint that nobody should trust */
export function trustedHead({ since, checkpoints }: ResumableEvidence): Checkpoint | null {
  if (!since) return null;
  try {
    return openCheckpoint(since.note, checkpoints.key, checkpoints.witnesses?.keys);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new CommandFault(`${since.file}: ${error.message}`, { cause: error });
  }
}

/** The tree of the entries that are not read again, of a log that has `size` now. */
export async function startOf(trusted: Checkpoint | null, size: number, tiles: Tiles): Promise<Frontier> {
  const from = Math.min(size, trusted?.size ?? 0) - 1;
  return from > 0 ? Frontier.of(from, tiledHashes(size, tiles)) : new Frontier();
}

/**
 * All of it, with what the log shows.
 *
 * @throws CommandFault that names what cannot be used
 */
export function evidenceWith(shown: Kept | null, given: ResumableEvidence): Evidence {
  const { held = [], checkpoints, files, since } = given;
  const kept = [shown, since].filter((one) => one !== null);
  const notes = [...kept.map(({ note }) => note), ...checkpoints.notes];
  const evidence = { held, checkpoints: { ...checkpoints, notes } };
  try {
    openEvidence(evidence);
    return evidence;
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    const name = [...kept.map(({ file }) => file), ...files][error.note ?? -1];
    throw new CommandFault(name ? `${name}: ${error.message}` : `the evidence asks for ${error.message}`, {
      cause: error,
    });
  }
}
