/**
 * The cosigner brings the newest checkpoint to the witnesses, and keeps what they cosigned. It goes in rounds: all are asked
 * about the same checkpoint, and the next round begins when enough have cosigned it, or all have answered. If each witness
 * followed at its own pace, a fast and a slow one could for ever cosign different sizes, and none would have a quorum.
 *
 * Whoever is slower than a round is left to it, is not asked again meanwhile, and delays nobody.
 */

import { proveConsistency } from '../log/consistency.js';
import { openCosignature } from '../log/cosignature.js';
import { NoteError, parseNote } from '../log/note.js';
import { tiledHashes } from '../log/tile.js';
import { cosign, type Outcome, type WitnessAt } from './cosigning.js';
import type { Publications } from './publications.js';
import type { SignedCheckpoint, TreeReader } from './tree-reader.js';
import type { WitnessList } from './witness-list.js';

export interface Cosigner {
  /**
   * One round, over those that have not cosigned the newest checkpoint yet. Not to be called again before it returns.
   *
   * @throws LedgerFault where there is no knowing what the newest is
   */
  followNewest(): Promise<void>;
  /** Ends all that is under way. */
  stop(): Promise<void>;
}

export interface CosignerParts {
  readonly list: WitnessList;
  readonly reader: TreeReader;
  readonly publications: Pick<Publications, 'cosign'>;
  /** Milliseconds for one witness. */
  readonly timeout: number;
  /** Of each that was asked, as soon as it is known and kept. Also after the round. */
  readonly onOutcome: (outcome: Outcome) => void;
}

export function createCosigner({ list, reader, publications, timeout, onOutcome }: CosignerParts): Cosigner {
  const sizes = new Map<WitnessAt, number>();
  const busy = new Map<WitnessAt, Promise<void>>();
  const stopping = new AbortController();

  /** @returns whether it cosigned, and that is kept */
  async function ask(witness: WitnessAt, { size, note }: SignedCheckpoint): Promise<boolean> {
    const [asked] = await cosign(note, {
      witnesses: [witness],
      consistencyProof: (from, to) => proveConsistency(from, to, tiledHashes(size, reader)),
      oldSizes: sizes,
      timeout,
      signal: stopping.signal,
    });
    const outcome = await keep(size, asked!);
    // What it said may have been wrong, so that after a failure it is asked anew.
    if (outcome.failed) sizes.delete(witness);
    else sizes.set(witness, size);
    onOutcome(outcome);
    return !outcome.failed;
  }

  async function keep(size: number, outcome: Outcome): Promise<Outcome> {
    if (outcome.failed) return outcome;
    const { key } = outcome.witness;
    try {
      await publications.cosign(size, `${key.name}+${key.id}`, outcome.cosignature.line.trimEnd());
      return outcome;
    } catch (cause) {
      return { ...outcome, cosignature: null, failed: { fault: 'NOT_KEPT', status: 200, cause } };
    }
  }

  return {
    async followNewest() {
      const newest = await reader.newestSigned();
      if (!newest) return;
      const cosigned = list.witnesses.filter((witness) => isAmong(witness, newest));
      const asked = list.witnesses.filter((witness) => !cosigned.includes(witness) && !busy.has(witness));
      let open = asked.length;
      await new Promise<void>((resolve) => {
        const check = () => {
          if (open === 0 || list.isQuorum(cosigned.map(({ key }) => key))) resolve();
        };
        const end = (witness: WitnessAt, well: boolean) => {
          open--;
          busy.delete(witness);
          if (well) cosigned.push(witness);
          check();
        };
        for (const witness of asked) {
          busy.set(
            witness,
            ask(witness, newest).then((well) => end(witness, well)),
          );
        }
        check();
      });
    },
    async stop() {
      stopping.abort();
      await Promise.all(busy.values());
    },
  };
}

function isAmong({ key }: WitnessAt, { note, cosignatures }: SignedCheckpoint): boolean {
  const { text } = parseNote(note);
  return cosignatures.some((line) => {
    try {
      return openCosignature(text, `${line}\n`, key) !== null;
    } catch (error) {
      if (error instanceof NoteError) return false;
      throw error;
    }
  });
}
