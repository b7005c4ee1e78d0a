import { expect } from 'chai';
import fc from 'fast-check';
import { CommandFault } from '../../src/cli/fault.js';
import { type Batch, cutLines, ROOM_BYTES, readLines } from '../../src/cli/lines.js';
import { packReadings, unpackReadings } from '../../src/cli/packed-readings.js';
import { verifyLines } from '../../src/cli/verify-lines.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { formatBody } from '../../src/log/entry.js';
import { parseExportLines } from '../../src/log/export-line.js';
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

async function cut(bytes: Uint8Array, sizes: () => number): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  for await (const { room, length } of cutLines(inChunks(bytes, sizes), () => new Uint8Array(ROOM_BYTES))) {
    batches.push(room.slice(0, length));
  }
  return batches;
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
  it('are cut into batches of whole ones, however the bytes come, and none is lost', async () => {
    const text = toUtf8(`${'{"a":1}\n'.repeat(90_000)}${'x'.repeat(ROOM_BYTES - 1)}\n${'\n'.repeat(3)}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1_000, max: 700_000 }), { minLength: 1 }), async (sizes) => {
        let turn = 0;
        const batches = await cut(text, () => sizes[turn++ % sizes.length]!);
        expect(Buffer.concat(batches).equals(text)).to.equal(true);
        for (const batch of batches) expect(batch.at(-1)).to.equal(0x0a);
      }),
      { numRuns: 20 },
    );
  });

  it('that are too long or cut short are faults', async () => {
    expect(await faultOf(cut(toUtf8('x'.repeat(ROOM_BYTES)), () => 1 << 16))).to.match(/a line of more than/);
    expect(await faultOf(cut(toUtf8('{}\n{"index"'), () => 4))).to.match(/cut short/);
    expect(await faultOf(cut(toUtf8('x'), () => 1))).to.match(/cut short/);
    expect(await cut(new Uint8Array(), () => 1)).to.deep.equal([]);
  });

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

  it('unpack to what was packed: sound, damaged, about nobody, with records, with any purpose', () => {
    const record = () => ({ id: aBody({ asOf: 0 }).request, category: 'user.name', version: 1 });
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ purpose: fc.string({ minLength: 1, unit: 'grapheme' }), records: fc.nat(3), odd: fc.nat(3) }),
        ),
        (rows) => {
          const texts = bodies(rows.length).map((text, i) => {
            const { purpose, records } = rows[i]!;
            const more = { purpose: purpose.replaceAll('\0', '\n'), records: Array.from({ length: records }, record) };
            return formatBody({ ...JSON.parse(text), ...more });
          });
          const log = chained(texts).map((entry, i) => {
            if (rows[i]!.odd === 0) return edited(entry);
            return rows[i]!.odd === 1 ? { ...entry, leaf: entry.leaf.slice(1) } : entry;
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
