/**
 * Key options say whose signatures are believed: the log's, and those of as many of its witnesses as were asked for. The
 * keys come from elsewhere than what they sign.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type { OpenedCheckpoint } from '../log/checkpoint.js';
import { EvidenceError, quorumOf, witnessesOf } from '../log/evidence.js';
import { type NoteKeyType, parseVerifierKey, type VerifierKey } from '../log/note-key.js';
import { CommandFault } from './fault.js';

export interface KeyOptions {
  readonly key?: VerifierKey;
  readonly witness?: readonly VerifierKey[];
  readonly quorum?: number;
}

export function addKeyOptions(command: Command): Command {
  return command
    .option('--key <vkey>', "the log's verifier key, from elsewhere than the log", parseKey('ed25519', 'a log'))
    .option(
      '--witness <vkey>',
      "a witness's verifier key; may be repeated",
      collect(parseKey('cosignature', 'a witness')),
    )
    .option('--quorum <n>', 'how many of the witnesses must have cosigned (default: all)', parseWhole);
}

/** Whom to believe of a checkpoint. */
export interface Trust {
  readonly key: VerifierKey;
  readonly witnesses: readonly VerifierKey[];
  /** 0 where no witness was named. */
  readonly quorum: number;
}

/** @throws CommandFault for options that mean nothing without others, or that nothing could meet */
export function trustOf({ key, witness = [], quorum = witness.length }: KeyOptions): Trust {
  if (!key) throw new CommandFault("--key is missing: the log's verifier key, from elsewhere than the log");
  if (witness.length === 0) {
    if (quorum > 0) throw new CommandFault('--quorum needs --witness');
    return { key, witnesses: [], quorum: 0 };
  }
  try {
    return { key, witnesses: witness, quorum: quorumOf({ keys: witness, quorum }) };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    throw new CommandFault(`--quorum asks for ${error.message}`, { cause: error });
  }
}

/** Whether as many witnesses cosigned as were asked for. One key under two names is one witness. */
export function meetsQuorum(checkpoint: OpenedCheckpoint, { quorum }: Trust): boolean {
  return witnessesOf(checkpoint).length >= quorum;
}

/** For an option that may be repeated. */
export function collect<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}

export function parseKey(type: NoteKeyType, whose: string): (text: string) => VerifierKey {
  return (text) => {
    const key = parseVerifierKey(text);
    if (key?.type === type) return key;
    throw new InvalidArgumentError(
      `It is no verifier key of ${whose}, such as \`access-ledger keys public\` prints: name+id+base64.`,
    );
  };
}

function parseWhole(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 1.');
}
