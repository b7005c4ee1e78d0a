/**
 * A log as a witness meets it, honest or not: trees of any leaves, and a key that signs whatever it is told to.
 */
import { formatAddCheckpoint } from '../../src/log/add-checkpoint.js';
import { signCheckpoint } from '../../src/log/checkpoint.js';
import { proveConsistency } from '../../src/log/consistency.js';
import { sha256 } from '../../src/log/hash.js';
import { type Hash, HashTable, rootAt } from '../../src/log/tree.js';
import { logKey } from '../log/keys.js';

export class Log {
  private readonly table = new HashTable();

  /** `branch` is of the leaves from `fork` on: logs of other branches have the leaves before it in common. */
  constructor(
    readonly size: number,
    branch = 0,
    fork = 0,
    private readonly key = logKey,
  ) {
    for (let i = 0; i < size; i++) {
      this.table.append(sha256(Uint8Array.of(i >= fork ? branch : 0, i & 255, i >> 8)) as Hash);
    }
  }

  root(size: number): Promise<Hash> {
    return rootAt(size, this.table);
  }

  /** Signed by the log's key. */
  async checkpoint(size: number): Promise<string> {
    return signCheckpoint({ origin: this.key.name, size, root: await this.root(size) }, this.key);
  }

  proof(from: number, to: number): Promise<Hash[]> {
    return proveConsistency(from, to, this.table);
  }

  /** An add-checkpoint request, the proof as it should be wherever there is one. */
  async request(oldSize: number, size: number): Promise<string> {
    const proof = oldSize <= size ? await this.proof(oldSize, size) : [];
    return formatAddCheckpoint({ oldSize, proof, checkpoint: await this.checkpoint(size) });
  }
}
