/**
 * `access-ledger prove`: a disclosure proof of one entry, from the log's database or from its export and a checkpoint.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { hexBytes } from '../log/bytes.js';
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.js';
import { ExportError } from '../log/export-line.js';
import { checkInclusion, proveInclusion } from '../log/inclusion.js';
import { type LogIndex, linkOf } from '../log/leaf.js';
import { parseExportLines } from '../log/lines.js';
import { NoteError, parseNote } from '../log/note.js';
import { formatProof, parseProof } from '../log/proof.js';
import { streamedHashes } from '../log/streamed-hashes.js';
import type { Hash } from '../log/tree.js';
import type { Named } from './database.js';
import { CommandFault, fileFault } from './fault.js';
import { formatCount } from './progress.js';
import { writeProofFiles } from './proof-files.js';

interface Options {
  readonly database?: Named;
  readonly checkpoint?: string;
  readonly out?: string;
}

export function addProve(program: Command): void {
  program
    .command('prove')
    .summary('write the proof that an entry is in the log')
    .description(
      'Writes a disclosure proof of one entry (C2SP tlog-proof), INDEX.tlog-proof, and what it proves, INDEX.leaf. ' +
        'Of a database under its newest checkpoint, or the newest that a witness cosigned where that covers the entry; of an exported log under the one given.',
    )
    .argument('<index>', 'of the entry', parseIndex)
    .argument('[file]', 'an exported log, instead of a database')
    .option('--database [url]', 'which database (default: DATABASE_URL, or the one that runs in DATA_DIR)')
    .option('--checkpoint <file>', 'a checkpoint of the exported log')
    .option('--out <name>', 'how to name the two files, without their endings (default: the index)')
    .addHelpText(
      'after',
      `
It reads with the role access_ledger_reviewer, as \`export\` does, and leaves no entry in the log. No file is replaced.

Example:
  access-ledger prove 41 && access-ledger check-proof 41.tlog-proof --key "$(cat log.vkey)"
  access-ledger prove 41 log.jsonl --checkpoint kept.txt`,
    )
    .action(run);
}

function parseIndex(text: string): LogIndex {
  const index = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(index)) return index as LogIndex;
  throw new InvalidArgumentError('It is the index of an entry, from 0.');
}

interface Made {
  /** The `.tlog-proof` file. */
  readonly file: string;
  readonly leaf: Uint8Array;
}

async function run(index: LogIndex, file: string | undefined, { database, checkpoint, out }: Options): Promise<void> {
  if (file !== undefined && database !== undefined) throw new CommandFault('give a file or --database, not both');
  if ((file === undefined) !== (checkpoint === undefined)) {
    throw new CommandFault('an exported log and --checkpoint go together: a database has checkpoints of its own');
  }
  const made =
    file === undefined ? await proveFromDatabase(index, database) : await proveFromFile(index, file, checkpoint!);
  const { origin, size } = checkLeads(made);
  const name = out ?? String(index);
  await writeProofFiles(name, made.file, made.leaf);
  process.stdout.write(
    `${name}.tlog-proof, ${name}.leaf: entry ${index} is among the first ${formatCount(size)} of ${origin}\n`,
  );
}

/** Whoever edited the log could have it make proofs of nothing. @throws CommandFault */
function checkLeads({ file, leaf }: Made): Checkpoint {
  const { index, hashes, checkpoint } = parseProof(file);
  const head = checkpointIn(checkpoint);
  const claim = { index, size: head.size, root: head.root, leaf: hexBytes(linkOf(leaf)) as Hash };
  if (checkInclusion(hashes, claim)) return head;
  throw new CommandFault(`entry ${index} does not lead to what was signed: verify the log`);
}

/** What a note says, whoever signed it: that is for `check-proof`. */
function checkpointIn(note: string): Checkpoint {
  const checkpoint = parseCheckpoint(parseNote(note).text);
  if (!checkpoint) throw new NoteError('MALFORMED', 'a note that is no checkpoint');
  return checkpoint;
}

async function proveFromFile(index: LogIndex, path: string, checkpointPath: string): Promise<Made> {
  const checkpoint = await readFile(checkpointPath, 'utf8').catch((error: unknown) => {
    throw fileFault(checkpointPath, error);
  });
  const { size } = headOf(checkpoint, checkpointPath);
  if (index >= size) throw new CommandFault(`${checkpointPath}: it covers ${formatCount(size)} entries, not ${index}`);
  let leaf: Uint8Array | null = null;
  async function* links(): AsyncGenerator<Hash> {
    let next = 0;
    for await (const entry of parseExportLines(createReadStream(path))) {
      if (entry.index !== next) throw new CommandFault(`${path}: entry ${next} is not where it should be: verify it`);
      if (next === index) leaf = entry.leaf.slice();
      yield hexBytes(linkOf(entry.leaf)) as Hash;
      if (++next === size) return;
    }
    throw new CommandFault(
      `${path}: it ends before the checkpoint, with ${formatCount(next)} entries of ${formatCount(size)}`,
    );
  }
  try {
    const hashes = await proveInclusion(index, size, streamedHashes(links()));
    return { file: formatProof({ index, hashes, checkpoint }), leaf: leaf! };
  } catch (error) {
    if (error instanceof CommandFault) throw error;
    if (error instanceof ExportError) throw new CommandFault(`${path}: ${error.message}`);
    throw fileFault(path, error);
  }
}

function headOf(note: string, path: string): Checkpoint {
  try {
    return checkpointIn(note);
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFault(`${path}: ${error.message}`);
    throw error;
  }
}

async function proveFromDatabase(index: LogIndex, named: Named): Promise<Made> {
  const { withLog } = await import('./database.js');
  const { FIRST_LOG } = await import('../database/name.js');
  const { bestFor, createProver } = await import('../ledger/prover.js');
  const { NotThere, treeReader } = await import('../ledger/tree-reader.js');
  return withLog(named, process.env, async (client) => {
    const tree = treeReader(client, FIRST_LOG);
    const prover = createProver(tree, 1);
    const [leaf] = await tree.leaves(index, 1).catch((error: unknown) => {
      throw error instanceof NotThere ? new CommandFault(`there is no entry ${index}: verify the log`) : error;
    });
    if (!leaf) throw new CommandFault(`the log has no entry ${index} yet`);
    const checkpoint = bestFor(index, await prover.published());
    if (!checkpoint) throw new CommandFault(`no checkpoint covers entry ${index} yet: try again in a second`);
    try {
      const [file] = await prover.proveEntries(checkpoint, [index]);
      return { file: file!, leaf };
    } catch (error) {
      if (error instanceof NotThere) throw new CommandFault(`${error.message}: verify the log`, { cause: error });
      throw error;
    }
  });
}
