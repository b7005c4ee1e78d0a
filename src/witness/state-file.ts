/**
 * A state file keeps a witness's state on the disk. The commit point is the return of `replace`: by then the new state is
 * on the disk, whole, under the file's name, and only then may a cosignature that it speaks of leave.
 *
 * Where a step fails, or the process is killed at it, the file holds the old state or the new one. Nobody has been told
 * of the new one, so either is right, and the next start goes on from what it finds.
 */
import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { VerifierKey } from '../log/note-key.js';
import { type Lock, takeLock } from './lock.js';
import { formatState, parseState, type State } from './state.js';
import { StateError } from './state-error.js';

/** The steps to the disk, each durable or not done when it returns or throws; tests fail each in turn. */
export interface Disk {
  /** @returns null where there is no such file */
  read(path: string): string | null;
  /** Replaces what is there. */
  write(path: string, text: string): void;
  rename(from: string, to: string): void;
  /** Makes the names in a folder durable. */
  settle(folder: string): void;
}

export const DISK: Disk = {
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  },
  write: (path, text) =>
    withFile(path, 'w', (file) => {
      writeFileSync(file, text);
      fsyncSync(file);
    }),
  rename: renameSync,
  settle: (folder) => withFile(folder, 'r', fsyncSync),
};

export interface StateFileOptions {
  readonly path: string;
  readonly witness: VerifierKey;
  /** The logs' keys that are known now. */
  readonly logs: readonly VerifierKey[];
  readonly disk?: Disk;
}

export class StateFile {
  private constructor(
    private readonly path: string,
    private readonly witness: VerifierKey,
    private readonly disk: Disk,
    private readonly lock: Lock,
    private text: string,
    private held: State,
  ) {}

  /**
   * Reads the state of a witness that has one, and keeps it locked.
   *
   * @throws StateError
   */
  static open({ witness, logs, disk = DISK, ...options }: StateFileOptions): Promise<StateFile> {
    return StateFile.locked(options.path, (path, lock) => {
      const text = disk.read(path);
      if (text === null) throw new StateError('STATE_MISSING');
      return new StateFile(path, witness, disk, lock, text, parseState(text, witness, logs));
    });
  }

  /**
   * Makes the state of a witness that has never cosigned anything.
   *
   * @throws StateError
   */
  static create({ witness, disk = DISK, ...options }: StateFileOptions): Promise<StateFile> {
    return StateFile.locked(options.path, (path, lock) => {
      if (disk.read(path) !== null) throw new StateError('STATE_EXISTS');
      const text = formatState(new Map(), witness);
      commit(disk, path, text);
      return new StateFile(path, witness, disk, lock, text, new Map());
    });
  }

  private static async locked(given: string, use: (path: string, lock: Lock) => StateFile): Promise<StateFile> {
    const path = truePath(given);
    const lock = await takeLock(`${path}.lock`);
    try {
      return use(path, lock);
    } catch (error) {
      await lock.release();
      throw error instanceof StateError ? error : new StateError('STATE_UNUSABLE', { cause: error });
    }
  }

  get state(): State {
    return this.held;
  }

  /**
   * Once it returns, the state is on the disk. Nothing else runs in this process until then.
   *
   * @throws StateError `STATE_LOCKED`, `STATE_CHANGED` where this process no longer has the file to itself, or does not
   * know what became of its last write; `STATE_UNUSABLE` where a step failed
   */
  replace(state: State): void {
    if (!this.lock.isHeld()) throw new StateError('STATE_LOCKED');
    const text = formatState(state, this.witness);
    try {
      if (this.disk.read(this.path) !== this.text) throw new StateError('STATE_CHANGED');
      commit(this.disk, this.path, text);
    } catch (error) {
      throw error instanceof StateError ? error : new StateError('STATE_UNUSABLE', { cause: error });
    }
    this.text = text;
    this.held = state;
  }

  close(): Promise<void> {
    return this.lock.release();
  }
}

function commit(disk: Disk, path: string, text: string): void {
  const draft = `${path}.next`;
  disk.write(draft, text);
  disk.rename(draft, path);
  disk.settle(dirname(path));
}

/** One file has one lock, by whatever links it is named. */
function truePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // There is no such file, and the folder it would be in has a path of its own.
  }
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    throw new StateError('FOLDER_MISSING', { cause: error });
  }
}

function withFile(path: string, flags: string, use: (file: number) => void): void {
  const file = openSync(path, flags);
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}
