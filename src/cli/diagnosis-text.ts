/**
 * A diagnosis as a person reads it: the findings as a table, each with what to do; the KEKs; what was not checked; and one
 * line with what came of it.
 */
import { styleText } from 'node:util';
import type { Diagnosis } from '../doctor/doctor.js';
import { type DoctorFinding, isFault } from '../doctor/finding.js';
import { formatCount } from './progress.js';
import { printable } from './report-text.js';

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** @param coloured whether to emphasise, as a terminal can */
export function formatDiagnosis(diagnosis: Diagnosis, coloured: boolean): string {
  const { findings, keks, unchecked, writers } = diagnosis;
  const paint: Paint = (style, text) => (coloured ? styleText(style, text) : text);
  const lines = [
    ...(findings.length > 0 ? [...table(findings, paint), ''] : []),
    ...keks.map(({ kek, wraps, retires }) => {
      return `KEK ${printable(kek)}: wraps ${formatCount(wraps)} keys${retires ? `, until ${retires}` : ''}`;
    }),
    ...(writers.length > 0 ? [`may write, by the ledger's functions: ${printable(writers.join(', '))}`] : []),
    ...unchecked.map((what) => `${paint('yellow', 'not checked:')} ${printable(what)}`),
    verdictOf(diagnosis, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function table(findings: readonly DoctorFinding[], paint: Paint): string[] {
  const width = Math.max('FINDING'.length, ...findings.map(({ code }) => code.length));
  return [
    paint('bold', `${'FINDING'.padEnd(width)}  WHAT, AND WHAT TO DO`),
    ...findings.flatMap((finding) => [
      `${paint(isFault(finding) ? 'red' : 'yellow', finding.code.padEnd(width))}  ${printable(finding.what)}`,
      `${' '.repeat(width)}  ${paint('dim', '→')} ${printable(finding.remedy)}`,
    ]),
  ];
}

function verdictOf({ findings, rows, unchecked }: Diagnosis, paint: Paint): string {
  const looked = `${formatCount(Object.values(rows).reduce((sum, one) => sum + one, 0))} rows looked at`;
  const faults = findings.filter(isFault).length;
  if (faults > 0) {
    const wrong = faults === 1 ? '1 thing is wrong' : `${formatCount(faults)} things are wrong`;
    return `${paint(['bold', 'red'], 'unwell:')} ${wrong}; ${looked}`;
  }
  const far = unchecked.length > 0 ? 'as far as it was checked, ' : '';
  return `${paint(['bold', 'green'], 'healthy:')} ${far}the database is as the migrations make it; ${looked}`;
}
