import { expect } from 'chai';
import { CommandFault } from '../../src/cli/fault.js';
import { verifyLines } from '../../src/cli/verify-lines.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { parseExportLines } from '../../src/log/lines.js';
import { Verifier, verify } from '../../src/log/verify.js';
import { bodies, chained, edited, entryOf, linesOf } from './logs.js';

async function* inChunks(bytes: Uint8Array, sizes: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = sizes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const faultOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => null,
    (error: unknown) => (error instanceof CommandFault ? error.message : error),
  );

/** More than three rooms, so that threads take part. */
const LONG = 3_500;

describe('verifying lines on several threads', () => {
  const log = chained(bodies(LONG));
  const evidence = { held: [entryOf(log.at(-1)!)] };
  const chunked = (text: string) => inChunks(toUtf8(text), () => 100_000);

  it('says what verifying in one thread says, of a sound log and of damaged ones', async () => {
    const [one, two] = [log[1_200]!, log[2_900]!];
    const damaged = {
      sound: log,
      edited: log.map((entry) => (entry === one || entry === two ? edited(entry) : entry)),
      cut: log.filter((entry) => entry !== one && entry !== two),
      swapped: log.map((entry) => (entry === one ? two : entry === two ? one : entry)),
      short: log.slice(0, -1),
    };
    for (const [name, entries] of Object.entries(damaged)) {
      const counts: number[] = [];
      const report = await verifyLines(chunked(linesOf(entries)), new Verifier(evidence), (count) =>
        counts.push(count),
      );
      expect(report, name).to.deep.equal(await verify(parseExportLines(chunked(linesOf(entries))), evidence));
      expect(report.verdict, name).to.equal(name === 'sound' ? 'intact' : 'tampered');
      expect(counts.length).to.be.greaterThan(3);
      expect(counts.at(-1)).to.equal(entries.length);
    }
  });

  it('names the line that is none, in whichever thread it was read', async () => {
    for (const line of [1, 2, 1_500, LONG]) {
      const lines = linesOf(log).split('\n');
      lines[line - 1] = '{}';
      expect(await faultOf(verifyLines(chunked(lines.join('\n')), new Verifier({}), () => {}))).to.match(
        new RegExp(`^line ${line}: `),
      );
    }
  });
});
