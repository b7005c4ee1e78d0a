import { expect } from 'chai';
import { showProgress } from '../../src/cli/progress.js';
import { formatReport } from '../../src/cli/report-text.js';
import { FINDINGS, type FindingCode, findingAt } from '../../src/log/finding.js';
import type { Report } from '../../src/log/verify.js';

describe('progress', () => {
  function shown(
    isTTY: boolean,
    steps: readonly (readonly [ms: number, entries: number, share: number | null])[],
  ): string {
    let now = 1_000;
    let text = '';
    const line = { isTTY, write: (more: string) => (text += more) };
    const progress = showProgress(line, () => now);
    for (const [ms, entries, share] of steps) {
      now += ms;
      progress.at(entries, share);
    }
    progress.end();
    return text;
  }

  it('is one line of a terminal: entries, rate, share and time left', () => {
    expect(shown(true, [[2_000, 50_000, 0.25]])).to.equal('\r\x1b[K50,000 entries  25,000/s  25 %  6 s left\r\x1b[K');
    expect(shown(true, [[60_000, 60_000, 0.1]])).to.include('1,000/s  10 %  9 min left');
    expect(shown(true, [[1_000, 7, null]])).to.equal('\r\x1b[K7 entries  7/s\r\x1b[K');
  });

  it('is rare, and nothing at all where there is no terminal or nothing to tell', () => {
    expect(
      shown(
        true,
        Array.from({ length: 10 }, () => [50, 1, 0.5] as const),
      ).match(/entries/g),
    ).to.have.length(2);
    expect(shown(true, [[100, 1, 0.5]])).to.equal('');
    expect(shown(false, [[5_000, 1, 0.5]])).to.equal('');
  });
});

describe('a report', () => {
  const report = (findings: Report['findings']): Report => ({
    ...{
      verdict: 'tampered',
      vouched: null,
      entries: 100,
      size: 100,
      root: null,
      findings,
      unlisted: 0,
      from: 0,
      unchecked: [],
    },
  });

  it('has words for every finding', () => {
    for (const code of Object.keys(FINDINGS) as FindingCode[]) {
      expect(formatReport(report([findingAt(code, 1, 'this', 'that')]), false)).to.match(
        new RegExp(`\\n${code} +1 +[a-z][^\\n]{10,}\\n +expected  this\\n +found     that\\n`),
      );
    }
  });

  it('lets nothing of the log steer a terminal', () => {
    const text = formatReport(
      report([findingAt('PROJECTION_EDITED', 1, 'event: a', 'event: \x1b[2J\u202ea\nintact: all')]),
      true,
    );
    expect(text).not.to.include('\x1b[2J');
    expect(text).not.to.include('\u202e');
    expect(text.split('\n')).to.have.length(7);
  });

  it('ends after as many findings as a person reads, and counts the rest', () => {
    const many = Array.from({ length: 60 }, (_, i) => findingAt('CONTENT_EDITED', 2 * i, 'this', 'that'));
    const text = formatReport({ ...report(many), unlisted: 1_000 }, false);
    expect(text).to.include('\nand 1,010 more findings\n');
    expect(text).to.match(/tampered: 1,060 findings, 100 entries read\n$/);
  });
});
