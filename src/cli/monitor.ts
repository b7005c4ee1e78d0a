/**
 * `access-ledger monitor`: keeps verifying a live log, each time what is new since the last, and ends at the first finding:
 * for whoever wants to be woken. A log that does not answer, or has not grown, is no finding; one that goes back or forks is.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { equal } from '../log/bytes.js';
import { type OpenedCheckpoint, openCheckpoint } from '../log/checkpoint.js';
import { openEvidence } from '../log/evidence.js';
import type { FindingCode } from '../log/finding.js';
import { NoteError } from '../log/note.js';
import type { Report } from '../log/verify.js';
import { readKept, replaceKept } from './checkpoint-file.js';
import { addEvidenceOptions, type EvidenceOptions } from './evidence-options.js';
import { CommandFault } from './fault.js';
import { type LiveLog, openLiveLog, parseLogUrl, tokenOf } from './live-log.js';
import { formatCount, type Progress, showProgress } from './progress.js';
import { formatReport } from './report-text.js';
import { openResumable, type ResumableEvidence } from './resuming.js';
import { verifyLive } from './verify-live.js';

interface Options extends EvidenceOptions {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly every: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

export function addMonitor(program: Command): void {
  const command = program
    .command('monitor')
    .summary('keep verifying a live log')
    .description(
      'Verifies a live log again and again, each time the entries since the last, and ends at the first finding. ' +
        'A log that does not answer or has not grown is none; one that was rolled back or forked is.',
    )
    .argument('<url>', 'of the log', parseUrl);
  addEvidenceOptions(command)
    .option('--token <token>', "a security reviewer's (default: ACCESS_LEDGER_TOKEN); without, only hashes are checked")
    .option('--token-file <file>', 'a file with the token, read anew for each check: tokens expire')
    .option('--state <file>', 'where to keep what was verified last; without, every start verifies the whole log')
    .option('--every <seconds>', 'how long to wait between checks', parseSeconds, 60)
    .option('--once', 'check once: for cron')
    .option('--json', 'print the report that it ends with as JSON')
    .addHelpText(
      'after',
      `
Exit status: 0 checked once and no finding; 1 tampered; 2 the evidence is weaker than asked for, such as too old for --max-age;
3 the first check, or the only one, could not be made. While it runs, a check that cannot be made is told and tried again.

Example:
  access-ledger monitor https://ledger.example.com --key "$(cat log.vkey)" --state monitor.json --once`,
    )
    .action(run);
}

function parseUrl(text: string): URL {
  const url = parseLogUrl(text);
  if (url) return url;
  throw new InvalidArgumentError('It is the http or https URL of a log, such as https://ledger.example.com.');
}

function parseSeconds(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds from 1.');
}

/** What was verified last. */
export interface State {
  readonly v: 1;
  /** The signed note. */
  readonly checkpoint: string;
  /** False where only hashes were read: its entries are still to be. */
  readonly leaves: boolean;
}

/** @param state null before the first @param file where it is kept, for words */
export interface Check {
  readonly live: LiveLog;
  readonly evidence: ResumableEvidence;
  readonly state: State | null;
  readonly file: string;
  readonly hasToken: boolean;
}

export interface Checked {
  /** Null where nothing is new. */
  readonly report: Report | null;
  /** To keep; the old one where what is new is not to be trusted yet. */
  readonly state: State | null;
}

const ALARM = { intact: 0, tampered: 1, inconclusive: 2 } as const;

/** What a finding exits with; 0 for a report without one. */
export function alarmOf(report: Report): 0 | 1 | 2 {
  if (report.verdict !== 'inconclusive') return ALARM[report.verdict];
  return report.why === 'EVIDENCE_TOO_WEAK' ? 2 : 0;
}

/** One check, from where the last ended. @throws CommandFault where it could not be made */
export async function checkOnce(
  { live, evidence, state, file, hasToken }: Check,
  progress: Progress,
): Promise<Checked> {
  const last = state && openedBy(state.checkpoint, evidence);
  if (state && last) {
    const note = await live.checkpoint();
    const shown = openedBy(note, evidence);
    const stands = shown?.size === last.size && equal(shown.root, last.root);
    // New cosignatures may have come, and the newest of them may have become too old.
    if (stands && weakness(evidence, [note, state.checkpoint]).every((code) => code === 'QUORUM_NOT_MET')) {
      const better = weakness(evidence, [note]).length === 0;
      return { report: null, state: better ? { ...state, checkpoint: note } : state };
    }
  }
  // Of what only its hashes were read of, the leaves are read when they can be.
  const whole = state !== null && !state.leaves && hasToken;
  const { checkpoints, files } = evidence;
  const given = whole
    ? { ...evidence, files: [...files, file], checkpoints: withNote(checkpoints, state.checkpoint) }
    : { ...evidence, since: state && { note: state.checkpoint, file } };
  const { report, note, leavesRead } = await verifyLive(live, given, (entries, share) => progress.at(entries, share));
  const { verdict } = report;
  const isGood = verdict === 'intact' || (verdict === 'inconclusive' && report.why === 'LEAVES_NOT_READ');
  // What was verified by its leaves is not given up for what was by its hashes.
  if (!isGood || (state?.leaves && !leavesRead)) return { report, state };
  return { report, state: { v: 1, checkpoint: note, leaves: leavesRead } };
}

function withNote(checkpoints: ResumableEvidence['checkpoints'], note: string): ResumableEvidence['checkpoints'] {
  return { ...checkpoints, notes: [...checkpoints.notes, note] };
}

function openedBy(note: string, { checkpoints }: ResumableEvidence): OpenedCheckpoint | null {
  try {
    return openCheckpoint(note, checkpoints.key, checkpoints.witnesses?.keys);
  } catch (error) {
    if (error instanceof NoteError) return null;
    throw error;
  }
}

function weakness({ checkpoints }: ResumableEvidence, notes: readonly string[]): FindingCode[] {
  return openEvidence({ checkpoints: { ...checkpoints, notes } }).findings.map(({ code }) => code);
}

async function run(url: URL, options: Options): Promise<void> {
  const { state: path, every, once = false, json = false } = options;
  if (options.token !== undefined && options.tokenFile !== undefined) {
    throw new CommandFault('give --token or --token-file, not both');
  }
  const file = path ?? 'what was verified before';
  let state = path === undefined ? null : await readState(path);
  for (let first = true; ; first = false) {
    const progress = showProgress(process.stderr, () => performance.now());
    try {
      const token = options.tokenFile ? await readToken(options.tokenFile) : tokenOf(options.token);
      const evidence = await openResumable(options, new Date(), null);
      const live = openLiveLog(url, token);
      const checked = await checkOnce({ live, evidence, state, file, hasToken: token !== null }, progress).finally(() =>
        progress.end(),
      );
      if (path !== undefined && checked.state !== null && checked.state.checkpoint !== state?.checkpoint) {
        await replaceKept(path, `${JSON.stringify(checked.state, null, 2)}\n`);
      }
      state = checked.state;
      const { report } = checked;
      if (report && isEnd(report, once)) {
        process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, false));
        process.exitCode = alarmOf(report);
        return;
      }
      tell(report ? `no finding: ${formatCount(report.size)} entries` : 'nothing is new', once);
    } catch (error) {
      if (first || once || !(error instanceof CommandFault)) throw error;
      tell(`not checked: ${error.message}`, once);
    }
    if (once) return;
    await wait(every * 1_000);
  }
}

/** A checkpoint that its witnesses have yet to cosign is waited for; how long, says --max-age. */
function isEnd(report: Report, once: boolean): boolean {
  if (once) return true;
  return alarmOf(report) !== 0 && report.findings.some(({ code }) => code !== 'QUORUM_NOT_MET');
}

function tell(line: string, once: boolean): void {
  process.stdout.write(once ? `${line}\n` : `${new Date().toISOString()} ${line}\n`);
}

async function readToken(file: string): Promise<string | null> {
  const text = await readKept(file);
  if (text === null) throw new CommandFault(`${file}: there is no such file or folder`);
  return tokenOf(text.trim());
}

/** Null before the first check. @throws CommandFault */
async function readState(path: string): Promise<State | null> {
  const text = await readKept(path);
  if (text === null) return null;
  const state = stateIn(text);
  if (state) return state;
  throw new CommandFault(`${path}: it is no state of \`access-ledger monitor\`: without it, the whole log is verified`);
}

function stateIn(text: string): State | null {
  try {
    const { v, checkpoint, leaves } = JSON.parse(text) as Partial<State>;
    return v === 1 && typeof checkpoint === 'string' && typeof leaves === 'boolean' ? { v, checkpoint, leaves } : null;
  } catch {
    return null;
  }
}
