import { expect } from 'chai';
import fc from 'fast-check';
import { toUtf8 } from '../../src/log/bytes.js';
import {
  type Closing,
  ExportError,
  formatClosingLine,
  formatExportLine,
  parseClosingLine,
} from '../../src/log/export-line.js';
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

async function collect(chunks: Iterable<Uint8Array>, onClosing?: (closing: Closing) => void): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of parseExportLines(chunks, onClosing)) entries.push(plain(entry));
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

describe('a closing line', () => {
  const closing = (changes: Partial<Closing> = {}) => formatClosingLine({ entries: 3, last: 2, ...changes });

  it('is parsed as it is written, and no other way', () => {
    expect(closing()).to.equal('{"complete":{"entries":3,"last":2}}\n');
    for (const one of [
      { entries: 3, last: 2 },
      { entries: 0, last: null },
      { entries: 2 ** 53 - 1, last: 2 ** 53 - 1 },
    ]) {
      expect(parseClosingLine(toUtf8(closing(one).trimEnd()))).to.deep.equal(one);
    }
    const line = closing().trimEnd();
    for (const other of [
      '',
      ' ',
      line.replace(':', ': '),
      line.replace('3', '03'),
      line.replace('3', '-3'),
      `${line} `,
      line.replace('3', '9007199254740993'),
      line.replace('"entries":3,', ''),
      line.replace('2}', '2,"more":1}'),
      '{"complete":{}}',
    ]) {
      expect(parseClosingLine(toUtf8(other)), other).to.equal(null);
    }
  });

  it('is in no batch, however the bytes come, also where a batch ends with it', async () => {
    const line = '{"a":1}\n';
    for (const text of [closing(), line + closing(), line.repeat(70_000) + closing(), fullWith(line)]) {
      for (const size of [1_000, 1 << 16, ROOM_BYTES, 3 * ROOM_BYTES]) {
        let told: Closing | null = null;
        const batches: Uint8Array[] = [];
        const rooms = cutLines(
          inChunks(toUtf8(text), () => size),
          () => new Uint8Array(ROOM_BYTES),
          (one) => {
            told = one;
          },
        );
        for await (const { room, length } of rooms) batches.push(room.slice(0, length));
        expect(Buffer.concat(batches).toString() === text.slice(0, -closing().length), `chunks of ${size}`).to.equal(
          true,
        );
        expect(told).to.deep.equal({ entries: 3, last: 2 });
      }
    }
  });

  /** Of exactly as many bytes as fit. */
  function fullWith(line: string): string {
    const rest = (ROOM_BYTES - closing().length) % line.length;
    return `${'x'.repeat(rest + line.length - 1)}\n${line.repeat((ROOM_BYTES - closing().length - rest) / line.length - 1)}${closing()}`;
  }
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

  it('shows by the closing line whether entries were cut off, and takes nothing after it', async () => {
    const close = (count: number) =>
      Buffer.from(formatClosingLine({ entries: count, last: count === 0 ? null : count - 1 }));
    const lines = file
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => Buffer.from(`${line}\n`));
    const told: Closing[] = [];
    expect(await collect([file, close(3)], (one) => told.push(one))).to.deep.equal(entries.map(plain));
    expect(told).to.deep.equal([{ entries: 3, last: 2 }]);
    expect(await collect([file], (one) => told.push(one))).to.have.length(3);
    expect(told, 'of a file without one').to.have.length(1);
    expect(await collect([close(0)])).to.deep.equal([]);
    for (const [cut, line] of [
      [[...lines.slice(0, 2), close(3)], 3],
      [[...lines.slice(1), close(3)], 3],
      [[...lines, close(2)], 4],
      [[close(3)], 1],
    ] as const) {
      expect(await collect(cut).catch((reason) => reason)).to.include({ code: 'CUT_SHORT', line });
    }
    expect(await collect([...lines, close(3), ...lines]).catch((reason) => reason)).to.include({
      code: 'MALFORMED',
      line: 4,
    });
    expect(await collect([...lines, close(3), close(3)]).catch((reason) => reason)).to.include({
      code: 'MALFORMED',
      line: 4,
    });
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
