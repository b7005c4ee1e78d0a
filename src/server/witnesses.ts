/**
 * The witnesses that a deployment asks to cosign: the file that WITNESSES names, a trust policy (C2SP tlog-policy).
 */
import { readFileSync } from 'node:fs';
import { parseWitnessList, type WitnessList, WitnessListError } from '../ledger/witness-list.js';
import type { VerifierKey } from '../log/note-key.js';
import type { Config } from './config.js';

/** The file cannot be read, or says something that cannot be. */
export class WitnessesError extends Error {
  override readonly name = 'WitnessesError';
}

/** @param log this log's key @throws WitnessesError */
export function openWitnesses({ witnessesFile }: Pick<Config, 'witnessesFile'>, log: VerifierKey): WitnessList {
  if (witnessesFile === null) return { witnesses: [], fewest: 0, isQuorum: () => true };
  try {
    return parseWitnessList(readFileSync(witnessesFile, 'utf8'), log);
  } catch (error) {
    if (error instanceof WitnessListError) throw new WitnessesError(`WITNESSES: ${error.message}.`);
    throw new WitnessesError(`WITNESSES: ${witnessesFile} cannot be read.`);
  }
}
