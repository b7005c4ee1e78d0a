/**
 * `access-ledger check-proof`: whether an entry is in a log, from its proof, its leaf and the log's key alone.
 */
import type { Command } from 'commander';
import { fromUtf8 } from '../log/bytes.js';
import type { OpenedCheckpoint } from '../log/checkpoint.js';
import { type Leaf, linkOf } from '../log/leaf.js';
import { NoteError, type NoteFault } from '../log/note.js';
import { checkProof, ProofError, type ProofFault, parseProof } from '../log/proof.js';
import { CommandFault } from './fault.js';
import { addKeyOptions, type KeyOptions, meetsQuorum, type Trust, trustOf } from './key-options.js';
import { formatCount } from './progress.js';
import { readProofFiles } from './proof-files.js';

interface Options extends KeyOptions {
  readonly leaf?: string;
  readonly json?: boolean;
}

export function addCheckProof(program: Command): void {
  const command = program
    .command('check-proof')
    .summary('tell whether an entry is in a log, by its proof')
    .description(
      'Checks a disclosure proof (C2SP tlog-proof): that the leaf stands in the log whose key is given, under the checkpoint in the file. ' +
        'It needs nothing but the two files and the key.',
    )
    .argument('<file>', 'the proof, such as 41.tlog-proof')
    .option('--leaf <file>', 'what it proves (default: the file of the same name with .leaf)');
  addKeyOptions(command)
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 proven, 1 not so, 2 inconclusive (too few witnesses), 3 unusable: no proof of a log with this key.

Example:
  access-ledger check-proof 41.tlog-proof --key "$(cat log.vkey)"`,
    )
    .action(run);
}

type Verdict =
  | { readonly verdict: 'proven' | 'inconclusive'; readonly leaf: Leaf; readonly checkpoint: OpenedCheckpoint }
  | { readonly verdict: 'failed'; readonly code: NoteFault | ProofFault; readonly message: string };

const STATUS = { proven: 0, failed: 1, inconclusive: 2 } as const;

/** It says nothing of this log, good or bad. */
const UNUSABLE: ReadonlySet<NoteFault | ProofFault> = new Set(['MALFORMED', 'NO_KNOWN_KEY', 'OTHER_ORIGIN']);

async function run(path: string, { leaf: leafPath, json, ...keys }: Options): Promise<void> {
  const trust = trustOf(keys);
  const { file, leaf } = await readProofFiles(path, leafPath ?? null);
  const verdict = judge(file, leaf, trust);
  if (verdict.verdict === 'failed' && UNUSABLE.has(verdict.code)) throw new CommandFault(`${path}: ${verdict.message}`);
  process.stdout.write(`${json ? JSON.stringify(shown(verdict, leaf), null, 2) : said(verdict, trust)}\n`);
  process.exitCode = STATUS[verdict.verdict];
}

/** What the files show to whoever trusts those keys. */
export function judge(file: Uint8Array, leaf: Uint8Array, trust: Trust): Verdict {
  try {
    const proven = checkProof(leaf, parseProof(fromUtf8(file) ?? ''), trust.key, trust.witnesses);
    return { verdict: meetsQuorum(proven.checkpoint, trust) ? 'proven' : 'inconclusive', ...proven };
  } catch (error) {
    if (!(error instanceof NoteError || error instanceof ProofError)) throw error;
    return { verdict: 'failed', code: error.code, message: error.message };
  }
}

function shown(verdict: Verdict, leaf: Uint8Array): object {
  if (verdict.verdict === 'failed') return verdict;
  const { origin, size, signed } = verdict.checkpoint;
  const cosigned = signed.slice(1).map(({ key, time }) => ({ witness: key.name, time }));
  const code = verdict.verdict === 'inconclusive' ? { code: 'QUORUM_NOT_MET' } : {};
  return { verdict: verdict.verdict, ...code, index: verdict.leaf.index, link: linkOf(leaf), origin, size, cosigned };
}

function said(verdict: Verdict, { quorum, witnesses }: Trust): string {
  if (verdict.verdict === 'failed') return `failed: ${verdict.code}: ${verdict.message}`;
  const { origin, size, signed } = verdict.checkpoint;
  const names = signed.slice(1).map(({ key }) => key.name);
  const stands = `entry ${verdict.leaf.index} is among the first ${formatCount(size)} of ${origin}`;
  if (verdict.verdict === 'proven') {
    return `proven: ${stands}, attested by ${[`the log’s key`, ...names].join(', ').replace(/, (?=[^,]*$)/, ' and ')}`;
  }
  const found = names.length === 0 ? 'none' : names.join(' and ');
  return `inconclusive: QUORUM_NOT_MET: ${stands}, but of ${witnesses.length} witnesses ${quorum} should have cosigned it, and ${found} did`;
}
