import { expect } from 'chai';
import fc from 'fast-check';
import { toHex, toUtf8 } from '../../src/log/bytes.js';
import { ExportError, formatExportLine, MAX_LINE_BYTES, parseExportLine } from '../../src/log/export-line.js';
import { MAX_LEAF_BYTES } from '../../src/log/leaf.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { logOf, text } from './arbitraries.js';

const link = 'ab'.repeat(32);
const leaf = fc.oneof(text.map(toUtf8), fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 80 }).map(toUtf8));
const stored = fc.record({
  index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  link: fc.oneof(fc.constant(link), fc.uint8Array({ maxLength: 40 }).map(toHex)),
  leaf,
});

function plain({ index, link: of, leaf: bytes }: StoredEntry): unknown {
  return { index, link: of, leaf: [...bytes] };
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ExportError) return error.code;
    throw error;
  }
  return 'none';
}

describe('export line', () => {
  const entries = logOf([{ subject: 1, records: [5] }, { subject: null }, { more: { operation: 'größe"\\\u0007' } }]);

  it('is one line of canonical JSON with the exact leaf', () => {
    const line = formatExportLine({ index: 42, link, leaf: toUtf8('42 x\n{"a":"\\u0001"}') });
    expect(line).to.equal(`{"index":42,"leaf":"42 x\\n{\\"a\\":\\"\\\\u0001\\"}","link":"${link}"}\n`);
  });

  it('parses what it formats, whatever the bytes of the leaf', () => {
    fc.assert(
      fc.property(stored, (entry) => {
        const line = toUtf8(formatExportLine(entry)).slice(0, -1);
        expect(plain(parseExportLine(line))).to.deep.equal(plain(entry));
      }),
    );
  });

  it('parses nothing that it would format otherwise', () => {
    const line = formatExportLine(entries[0]!).slice(0, -1);
    const inserts = fc.constantFrom(
      '',
      ' ',
      '"',
      '\\',
      '\\n',
      '\\/',
      '\\u0041',
      '0',
      ',',
      '"leaf":"x",',
      'ü',
      '\n',
      '\u0001',
      '}',
    );
    fc.assert(
      fc.property(fc.nat({ max: line.length }), fc.nat({ max: 2 }), inserts, (at, removed, insert) => {
        const changed = line.slice(0, at) + insert + line.slice(at + removed);
        let entry: StoredEntry;
        try {
          entry = parseExportLine(toUtf8(changed));
        } catch (error) {
          expect(error).to.be.instanceOf(ExportError);
          return;
        }
        expect(formatExportLine(entry)).to.equal(`${changed}\n`);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes for a link what spells bytes, however many, and nothing else', () => {
    const line = (of: string) => toUtf8(`{"index":1,"leaf":"x","link":"${of}"}`);
    expect(parseExportLine(line('')).link).to.equal('');
    expect(parseExportLine(line('abcd')).link).to.equal('abcd');
    for (const of of ['xyz', 'abc', link.toUpperCase()]) {
      expect(
        code(() => parseExportLine(line(of))),
        of,
      ).to.equal('MALFORMED');
    }
  });

  it('takes noncharacters for the text they are', () => {
    const entry = { index: 1, link, leaf: toUtf8('\uffff\ufffe\ufdd0') };
    expect(formatExportLine(entry)).to.contain('"leaf":"\uffff\ufffe\ufdd0"');
  });

  it('keeps every digit of an index', () => {
    for (let index = Number.MAX_SAFE_INTEGER; index > Number.MAX_SAFE_INTEGER - 20; index--) {
      const line = toUtf8(`{"index":${index},"leaf":"x","link":"${link}"}`);
      expect(parseExportLine(line).index).to.equal(index);
    }
  });

  it('holds every leaf, and no more than a line', () => {
    const largest = { index: Number.MAX_SAFE_INTEGER, link, leaf: new Uint8Array(MAX_LEAF_BYTES).fill(1) };
    expect(plain(parseExportLine(toUtf8(formatExportLine(largest).trimEnd())))).to.deep.equal(plain(largest));
    expect(code(() => formatExportLine({ ...largest, leaf: new Uint8Array(MAX_LINE_BYTES).fill(65) }))).to.equal(
      'TOO_LONG',
    );
  });
});
