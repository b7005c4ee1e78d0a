/**
 * A report as a person reads it: the findings as a table, then one line with the verdict, which names the size that it
 * vouches for and who attests it.
 */
import { styleText } from 'node:util';
import { FINDINGS, type Finding, type FindingCode } from '../log/finding.js';
import type { Inconclusive, Report, Unchecked } from '../log/verify.js';
import { formatCount } from './progress.js';

/** What happened, in a reviewer's words. */
const SAYS: Readonly<Record<FindingCode, string>> = {
  LEAF_MALFORMED: 'these bytes are none that the ledger writes',
  BODY_NOT_CANONICAL: 'the content is spelt as the ledger never spells it',
  CONTENT_EDITED: 'the content, or the link beside it, was changed after it was written',
  CHAIN_BROKEN: 'it does not fit those beside it: replaced, inserted, doubled or out of order',
  ENTRY_MISSING: 'entries were removed',
  SUBJECT_COUNT_BROKEN: 'the history of its person skips or repeats',
  RECORD_MOVED: 'a record of one person stands under another',
  RECORD_ORIGIN_BROKEN: 'a record is named that was never created, or is created again',
  DECIDED_ON_STALE_FACTS: 'permitted on facts that had changed before',
  PROJECTION_EDITED: 'a column beside the entry says something else than the log',
  ROOT_MISMATCH: 'the log is not the one that was vouched for: something up to here was rewritten',
  TAIL_CUT: 'the newest entries were removed',
  FORK: 'the log signed two histories',
  SIGNATURE_INVALID: 'a signature that is not of this checkpoint: it was changed since, or forged',
  QUORUM_NOT_MET: 'too few witnesses cosigned',
  CHECKPOINT_STALE: 'no checkpoint is recent enough',
};

const WHY: Readonly<Record<Inconclusive, string>> = {
  NO_ENTRIES: 'there are no entries to verify',
  NO_EVIDENCE:
    'consistent in itself, but nobody outside vouches for it, and whoever can write all of it could have made it so; give --held or --checkpoint',
  EVIDENCE_TOO_WEAK: 'consistent in itself, but the evidence is weaker than was asked for',
  LEAVES_NOT_READ: 'the published hashes are those of the checkpoint, but of what, nobody has looked',
};

const NOT_CHECKED: Readonly<Record<Unchecked, (report: Report) => string>> = {
  ENTRIES_BEFORE: ({ from }) =>
    `the ${entriesUpTo(from)} before, whose hashes alone were read. So what later entries say of them is not held against them: ` +
    'how often and where a person stands there, whose a record of theirs is, and which facts changed there',
  HISTORIES: () =>
    'what entries say of each other: how they count for each person, whose each record is, and whether each was decided on the facts of its time',
  LEAVES: () => 'any leaf: what entries say, whether they hash to these links, and whether each follows the one before',
};

/** As many findings as a person reads; `--json` lists more. */
const SHOWN = 50;

/** @param coloured whether to emphasise, as a terminal can */
export function formatReport(report: Report, coloured: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) => (coloured ? styleText(style, text) : text);
  const shown = report.findings.slice(0, SHOWN);
  const rest = report.findings.length - shown.length + report.unlisted;
  const styles = { intact: 'green', tampered: 'red', inconclusive: 'yellow' } as const;
  const lines = [
    ...(shown.length > 0 ? table(shown, paint) : []),
    ...(rest > 0 ? [`and ${formatCount(rest)} more findings`, ''] : []),
    paint(['bold', styles[report.verdict]], `${report.verdict}:`).concat(' ', verdictOf(report)),
    ...report.unchecked.map((code) => `not checked: ${NOT_CHECKED[code](report)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function table(
  findings: readonly Finding[],
  paint: (style: 'bold' | 'red' | 'yellow' | 'dim', text: string) => string,
): string[] {
  const codes = Math.max('finding'.length, ...findings.map(({ code }) => code.length));
  const places = findings.map(placeOf);
  const widest = Math.max('entries'.length, ...places.map((place) => place.length));
  const indent = ' '.repeat(codes + widest + 4);
  const head = `${'FINDING'.padEnd(codes)}  ${'ENTRIES'.padEnd(widest)}  WHAT HAPPENED`;
  const rows = findings.flatMap(({ code, expected, found }, i) => [
    `${paint(FINDINGS[code] === 'tampered' ? 'red' : 'yellow', code.padEnd(codes))}  ${places[i]!.padEnd(widest)}  ${SAYS[code]}`,
    `${indent}${paint('dim', 'expected')}  ${printable(expected)}`,
    `${indent}${paint('dim', 'found   ')}  ${printable(found)}`,
  ]);
  return [paint('bold', head), ...rows, ''];
}

function placeOf({ first, last }: Finding): string {
  if (first === null || last === null) return '-';
  return first === last ? String(first) : `${first}–${last}`;
}

/** What a log says may have been written by whoever edited it: nothing of it may steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

function verdictOf(report: Report): string {
  const { vouched, size } = report;
  const attested = vouched && `${entriesUpTo(vouched.size)} attested by ${vouched.by.map(printable).join(' and ')}`;
  if (report.verdict === 'intact') {
    const later = size - vouched!.size;
    return later === 0
      ? `all ${attested}`
      : `${attested}; the ${formatCount(later)} after them are consistent, but nobody outside vouches for them yet`;
  }
  const read = `${formatCount(report.entries)} ${report.entries === 1 ? 'entry' : 'entries'} read`;
  if (report.verdict === 'tampered') {
    const count = report.findings.length + report.unlisted;
    return `${formatCount(count)} ${count === 1 ? 'finding' : 'findings'}, ${read}`;
  }
  return `${WHY[report.why]} (${read}${attested ? `; ${attested}` : ''})`;
}

function entriesUpTo(size: number): string {
  return size === 1 ? '1 entry' : `${formatCount(size)} entries`;
}
