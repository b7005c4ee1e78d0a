/**
 * A cosigner keeps one witness up to date: it has the newest checkpoint cosigned, unless it is already, and keeps the line.
 */
import { proveConsistency } from '../log/consistency.js';
import { tiledHashes } from '../log/tile.js';
import { type CosigningFault, cosign, type WitnessAt } from './cosigning.js';
import type { Publications } from './publications.js';
import type { TreeReader } from './tree-reader.js';

export interface CosignerParts {
  readonly tree: TreeReader;
  readonly publications: Publications;
  readonly witness: WitnessAt;
}

/** The witness did not cosign, and why. */
export class NotCosigned extends Error {
  override readonly name = 'NotCosigned';
  constructor(
    readonly code: CosigningFault,
    cause: unknown,
  ) {
    super(`a witness did not cosign: ${code}`, { cause });
  }
}

/** For the witness to answer, all its answers together. */
const PATIENCE_MS = 5_000;

/** @throws by what it gives: NotCosigned, LedgerFault. It may be called again after either. */
export function createCosigner({ tree, publications, witness }: CosignerParts): () => Promise<void> {
  const name = `${witness.key.name}+${witness.key.id}`;
  /** Which size the witness has cosigned last, as far as it told. */
  let known = new Map<WitnessAt, number>();
  let done = 0;

  return async () => {
    const newest = await tree.newestSigned();
    if (!newest || newest.size === done) return;
    const [outcome] = await cosign(newest.note, {
      witnesses: [witness],
      consistencyProof: (from, to) => proveConsistency(from, to, tiledHashes(newest.size, tree)),
      oldSizes: known,
      timeout: PATIENCE_MS,
    });
    const { cosignature, failed, size } = outcome!;
    known = size === null ? new Map() : new Map([[witness, size]]);
    if (!cosignature) throw new NotCosigned(failed!.fault, failed!.cause);
    await publications.cosign(newest.size, name, cosignature.line.trimEnd());
    done = newest.size;
  };
}
