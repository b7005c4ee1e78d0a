/**
 * A proven history as a person reads it: its lines, in words that are made here from the proven entries and not by the
 * server; the verdict; and what it shows, and what not.
 */
import { runOf } from '../domain/history/history.rules.js';
import { type Titles, wordsOf } from '../domain/history/history.words.js';
import { sayingOf } from '../domain/history/history-entry.js';
import type { OpenedCheckpoint } from '../log/checkpoint.js';
import type { Pseudonym } from '../log/entry.js';
import type { HistoryError, ProvenLine } from '../log/proven-history.js';
import type { Trust } from './key-options.js';
import { formatCount } from './progress.js';
import { printable } from './report-text.js';

export interface ShownHistory {
  /** Newest first; never empty. */
  readonly lines: readonly ProvenLine[];
  readonly person: string;
  readonly checkpoint: OpenedCheckpoint;
  /** Whether as many witnesses cosigned as were asked for. */
  readonly isCosigned: boolean;
  /** How many entries the fetching made. */
  readonly more: number;
}

/** Titles are the server's to say, and nothing proves them; keys are in the entries. */
const NO_TITLES: Titles = { categories: new Map(), purposes: new Map(), bases: new Map(), processors: new Map() };

/** One line as a sentence. "Ours" in it are those whose log it is. */
export function lineText({ index, link, nth, body }: ProvenLine, person: string): string {
  const run = runOf({ index, link, says: sayingOf(nth, body) });
  return printable(wordsOf(run, person as Pseudonym, NO_TITLES).text);
}

export function formatHistory(shown: ShownHistory, trust: Trust): string {
  const { lines, person, checkpoint, isCosigned, more } = shown;
  const [newest] = lines as [ProvenLine];
  const { origin, size, signed } = checkpoint;
  const widest = String(newest.nth).length;
  const place = (line: ProvenLine) =>
    `${String(line.nth).padStart(widest)}  entry ${String(line.index).padEnd(String(newest.index).length)}  `;
  const names = signed.slice(1).map(({ key }) => key.name);
  const attested = ['the log’s key', ...names].join(', ').replace(/, (?=[^,]*$)/, ' and ');
  const proven = `${formatCount(newest.nth)} ${newest.nth === 1 ? 'entry names' : 'entries name'} you (${person}), up to entry ${newest.index}, which carries the challenge of this very asking; all are among the first ${formatCount(size)} of ${origin}, attested by ${attested}`;
  const verdict = isCosigned
    ? `proven: ${proven}`
    : `inconclusive: QUORUM_NOT_MET: ${proven}; ${trust.quorum} of ${trust.witnesses.length} witnesses were to attest it`;
  return [
    `What ${origin} says of you, newest first; “ours” are those whose log it is:`,
    '',
    ...lines.map((line) => place(line) + lineText(line, person)),
    '',
    verdict,
    '',
    'This shows that each of these entries stands in that log; and that no other entry up to the newest of them names you,',
    'where the log up to there verifies: whoever reviews or monitors it, under this checkpoint or a later one, sees to that.',
    'It does not show:',
    `- what came later${more > 0 ? `: fetching this made ${formatCount(more)} more` : ''};`,
    `- that you are ${person}, and nobody else, in this log: keep this, and give it as --person next time;`,
    ...(names.length > 0 ? [] : ['- that others are shown the same log: witnesses are for that (--witness);']),
    '- that what an entry says is true, or that every access is in the log: those that went through its server are.',
    '',
  ].join('\n');
}

export function formatFailure({ code, nth, message }: HistoryError): string {
  const place = nth === null || nth === 0 ? '' : ` where the ${formatCount(nth)}. entry about you should be`;
  return `failed: ${code}${place}: ${printable(message)}\nThis is not a history that the log proves. Keep what you were given, and show it to somebody who can verify the log.\n`;
}
