import { expect } from 'chai';
import fc from 'fast-check';
import { CommandFault } from '../../src/cli/fault.js';
import { readLines } from '../../src/cli/lines.js';
import { packReadings, unpackReadings } from '../../src/cli/packed-readings.js';
import { verifyLines } from '../../src/cli/verify-lines.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { formatBody } from '../../src/log/entry.js';
import { type Batch, parseExportLines, ROOM_BYTES } from '../../src/log/lines.js';
import { type Reading, readEntry } from '../../src/log/reading.js';
import { verify } from '../../src/log/verify.js';
import { aBody, bodies, chained, edited, entryOf, linesOf } from './logs.js';

async function* inChunks(bytes: Uint8Array, sizes: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = sizes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function batchOf(text: string): Batch {
  const bytes = toUtf8(text);
  const room = new Uint8Array(ROOM_BYTES);
  room.set(bytes);
  return { room, length: bytes.length };
}

const faultOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => null,
    (error: unknown) => (error instanceof CommandFault ? error.message : error),
  );

/** More than three rooms, so that threads take part. */
const LONG = 3_500;

describe('lines', () => {
  it('are read until one is none', () => {
    const log = chained(bodies(3));
    expect(readLines(batchOf(linesOf(log)))).to.deep.equal({
      readings: log.map((entry) => readEntry(entry)),
      fault: null,
    });
    const { readings, fault } = readLines(batchOf(`${linesOf(log)}{}\n${linesOf(log)}`));
    expect(readings).to.have.length(3);
    expect(fault).to.be.a('string');
  });
});

describe('packed readings', () => {
  const roundTrip = (readings: readonly Reading[]) => [...unpackReadings(structuredClone(packReadings(readings)))];

  it('unpack to what was packed: sound, damaged, refused, about nobody, with records, of any event', () => {
    const record = () => ({ id: aBody({ asOf: 0 }).request, category: 'user.name', version: 1 });
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ event: fc.stringMatching(/^[a-z]{1,9}\.[a-z]{1,9}$/), records: fc.nat(3), odd: fc.nat(4) }),
        ),
        (rows) => {
          const texts = bodies(rows.length).map((text, i) => {
            const { event, records, odd } = rows[i]!;
            const refusal = odd === 2 ? { outcome: 'refused', refusal: { code: 'NO_GRANT' } } : {};
            return formatBody({
              ...JSON.parse(text),
              event,
              records: Array.from({ length: records }, record),
              ...refusal,
            });
          });
          const log = chained(texts).map((entry, i) => {
            if (rows[i]!.odd === 0) return edited(entry);
            if (rows[i]!.odd === 1) return { ...entry, leaf: entry.leaf.slice(1) };
            return rows[i]!.odd === 3 ? { ...entry, index: 7 } : entry;
          });
          const readings = log.map((entry) => readEntry(entry));
          expect(roundTrip(readings)).to.deep.equal(readings);
        },
      ),
      { numRuns: 50 },
    );
  });
});

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
      const report = await verifyLines(chunked(linesOf(entries)), evidence, (count) => counts.push(count));
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
      expect(await faultOf(verifyLines(chunked(lines.join('\n')), {}, () => {}))).to.match(
        new RegExp(`^line ${line}: `),
      );
    }
  });
});
