import { expect } from 'chai';
import fc from 'fast-check';
import { toUtf8 } from '../../src/log/bytes.js';
import { ExportError, formatExportLine } from '../../src/log/export-line.js';
import { cutLines, parseExportLines, ROOM_BYTES } from '../../src/log/lines.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { logOf } from './arbitraries.js';

function plain({ index, link, leaf }: StoredEntry): unknown {
  return { index, link, leaf: [...leaf] };
}

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

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => null,
    (error: unknown) => (error instanceof ExportError ? error.code : error),
  );

async function collect(chunks: Iterable<Uint8Array>): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of parseExportLines(chunks)) entries.push(plain(entry));
  return entries;
}

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
    expect(await codeOf(cut(toUtf8('x'.repeat(ROOM_BYTES)), () => 1 << 16))).to.equal('TOO_LONG');
    expect(await codeOf(cut(toUtf8('{}\n{"index"'), () => 4))).to.equal('CUT_SHORT');
    expect(await codeOf(cut(toUtf8('x'), () => 1))).to.equal('CUT_SHORT');
    expect(await cut(new Uint8Array(), () => 1)).to.deep.equal([]);
  });
});

describe('export lines', () => {
  const entries = logOf([{ subject: 1, records: [5] }, { subject: null }, { more: { operation: 'größe"\\\u0007' } }]);
  const file = Buffer.from(entries.map(formatExportLine).join(''));

  it('gives the same entries however the bytes are cut into chunks', async () => {
    const whole = await collect([file]);
    expect(whole).to.deep.equal(entries.map(plain));
    for (const size of [1, 2, 7, 100, 1000]) {
      const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.subarray(i * size, (i + 1) * size),
      );
      expect(await collect(chunks), `chunks of ${size}`).to.deep.equal(whole);
    }
  });

  it('gives no entry for no bytes', async () => expect(await collect([])).to.deep.equal([]));

  it('names the line that is none, after the entries before it', async () => {
    const lines = file.toString().split('\n');
    for (const bad of ['', '{}', 'x', lines[1]!.replace(':', ': ')]) {
      const seen: unknown[] = [];
      try {
        for await (const entry of parseExportLines([Buffer.from(`${lines[0]}\n${bad}\n`)])) seen.push(entry);
        expect.fail('a line that is none was taken');
      } catch (error) {
        expect(error).to.include({ code: 'MALFORMED', line: 2 });
      }
      expect(seen).to.have.length(1);
    }
  });

  it('says where an export was cut short', async () => {
    const error = await collect([file.subarray(0, -1)]).catch((reason) => reason);
    expect(error).to.include({ code: 'CUT_SHORT', line: 3 });
  });

  it('hold no more than a line', async () => {
    const endless = Array.from({ length: 600 }, () => Buffer.alloc(1024, 'x'));
    expect(await collect(endless).catch((reason) => reason)).to.include({ code: 'TOO_LONG', line: 1 });
  });
});
