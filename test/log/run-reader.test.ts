import { expect } from 'chai';
import fc from 'fast-check';
import { BodyError } from '../../src/log/body.js';
import { toUtf8 } from '../../src/log/bytes.js';
import { canonical } from '../../src/log/canonical.js';
import { Chain } from '../../src/log/chain.js';
import { parseDeed } from '../../src/log/deed.js';
import { ExportError, formatExportLine, parseExportLine } from '../../src/log/export-line.js';
import { linkOf } from '../../src/log/leaf.js';
import { type Batch, ROOM_BYTES } from '../../src/log/lines.js';
import { type Reading, readEntry, type StoredEntry } from '../../src/log/reading.js';
import { isRun, type Part, type Run, readingAt } from '../../src/log/run.js';
import { RunReader } from '../../src/log/run-reader.js';
import { Verifier } from '../../src/log/verify.js';
import { bodyOf, uuid } from './arbitraries.js';

function batchOf(text: string): Batch {
  const bytes = toUtf8(text);
  const room = new Uint8Array(ROOM_BYTES);
  room.set(bytes);
  return { room, length: bytes.length };
}

function endOf({ first, deeds }: Run): number {
  return first + deeds.length;
}

function readingsOf(parts: readonly Part[]): Reading[] {
  return parts.flatMap((part) =>
    isRun(part) ? Array.from({ length: part.deeds.length }, (_, at) => readingAt(part, at)) : [part],
  );
}

/** By the definition, one line by itself. */
function byDefinition(line: string): Reading | string {
  try {
    return readEntry(parseExportLine(toUtf8(line)));
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    return error.message;
  }
}

const REFUSED = { outcome: 'refused', refusal: { code: 'NO_GRANT', missing: ['a need-to-know grant'] } };

/** Lines of every kind that a writer writes: with and without a subject, records, details, a refusal. */
function linesOf(count: number, salt = 0): string[] {
  const chain = new Chain();
  const known = new Set<number>();
  return Array.from({ length: count }, (_, i) => {
    const n = i + salt;
    const subject = n % 7 === 0 ? null : n % 5;
    const creates = subject !== null && !known.has(subject);
    if (creates) known.add(subject);
    const own = [500 + (subject ?? 0), 600 + (subject ?? 0)];
    const body = bodyOf(i, {
      subject,
      event: creates ? 'record.created' : 'record.read',
      records: creates ? own : subject === null || n % 3 === 0 ? undefined : own.slice(n % 2),
      asOf: i % 11 > i ? i : i % 11,
      more: {
        ...(n % 4 === 0 && !creates ? REFUSED : {}),
        ...(n % 6 === 0 ? { details: { at: '2026-11-22T09:00:00.000Z', count: n, [uuid(n % 2)]: uuid(n) } } : {}),
        request: uuid(1_000 + n),
      },
    } as never);
    return formatExportLine(chain.append(body, subject === null ? null : uuid(subject))).trimEnd();
  });
}

describe('run reader', () => {
  const log = linesOf(60);

  it('reads what the definition reads, with shapes that it knows and those that it does not, in one run', () => {
    const reader = new RunReader();
    for (const lines of [log, log, linesOf(60, 1)]) {
      const { parts, fault } = reader.readLines(batchOf(`${lines.join('\n')}\n`));
      expect(fault).to.equal(null);
      expect(parts).to.have.length(1);
      expect(endOf(parts[0] as never)).to.equal(60);
      expect(readingsOf(parts)).to.deep.equal(lines.map(byDefinition));
    }
  });

  it('ends a run where an entry does not follow, or has a fault', () => {
    const reader = new RunReader();
    reader.readLines(batchOf(`${log.join('\n')}\n`));
    const edited = log[30]!.replace('\\"user\\"', '\\"uses\\"');
    const all = [...log.slice(0, 20), ...log.slice(22, 30), edited, ...log.slice(31), ...linesOf(3, 2)];
    const { parts } = reader.readLines(batchOf(`${all.join('\n')}\n`));
    expect(parts.map((part) => (isRun(part) ? [part.first, endOf(part)] : part.index))).to.deep.equal([
      [0, 20],
      [22, 30],
      30,
      [31, 60],
      [0, 3],
    ]);
    expect(readingsOf(parts)).to.deep.equal(all.map(byDefinition));
  });

  it('reads what the definition reads, whatever is written over what it knows', () => {
    const reader = new RunReader();
    reader.readLines(batchOf(`${log.join('\n')}\n`));
    const char = fc.oneof(
      fc.constantFrom(...'09afgAFZ-:."\\,{}[] n7'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    const edits = fc.array(fc.record({ at: fc.nat(1_500), char, kind: fc.nat(3) }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.nat(59), edits, (nth, changes) => {
        let line = log[nth]!;
        for (const { at, char, kind } of changes) {
          const place = at % line.length;
          // Over another, in between, or instead.
          line = line.slice(0, place) + (kind === 0 ? '' : char) + line.slice(place + (kind === 1 ? 0 : 1));
        }
        if (line.includes('\n')) return;
        const { parts, fault } = reader.readLines(batchOf(`${line}\n`));
        expect(fault ?? readingsOf(parts)[0]).to.deep.equal(byDefinition(line));
      }),
      { numRuns: 1_500 },
    );
  });

  /** Most edits break the link; here it is made anew, so that the shape alone decides. */
  it('takes for a body what the definition takes for one, whatever its ids, times and counts are', () => {
    const reader = new RunReader();
    reader.readLines(batchOf(`${log.join('\n')}\n`));
    const bodies = log.map((line) => {
      const leaf = JSON.parse(line).leaf as string;
      return leaf.slice(leaf.indexOf('\n') + 1);
    });
    const char = fc.constantFrom(...'0123456789abcdefgAFZ-:. ');
    const edits = fc.array(fc.tuple(fc.nat(1_200), char), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(fc.nat(59), edits, (nth, changes) => {
        let body = bodies[nth]!;
        for (const [at, char] of changes) {
          const place = at % body.length;
          if ('"{}[]:,'.includes(body[place]!)) continue;
          body = body.slice(0, place) + char + body.slice(place + 1);
        }
        const line = formatExportLine(new Chain().append(body, null)).trimEnd();
        expect(readingsOf(reader.readLines(batchOf(`${line}\n`)).parts)).to.deep.equal([byDefinition(line)]);
      }),
      { numRuns: 1_500 },
    );
  });

  it('takes for a leaf what the definition takes for one, where only its spelling is wrong', () => {
    const reader = new RunReader();
    reader.readLines(batchOf(`${log.join('\n')}\n`));
    const at10 = log.find((line) => line.includes('\\"asOf\\":10,'))!;
    const leaf = JSON.parse(at10).leaf as string;
    const [header = '', body = ''] = leaf.split('\n');
    const [index = '', prev = '', nth = '', earlier = ''] = header.split(' ');
    const headers = [
      `${index} ${prev.toUpperCase()} ${nth} ${earlier}`,
      `${index} ${prev.replace(/^../, 'zz')} ${nth} ${earlier}`,
      `0${index} ${prev} ${nth} ${earlier}`,
      `${index} ${prev} 0${nth} ${earlier}`,
      `${index} ${prev} 0 -`,
      `${index} ${prev} 1 0`,
      `${index} ${prev} 2 -`,
      `${index} ${prev} - ${earlier}`,
      `${index} ${prev} ${nth} ${earlier} `,
    ].map((text) => `${text}\n${body}`);
    const bodies = [':00,', ':01,', ':1e,', ':-1,'].map((text) => leaf.replace('"asOf":10,', `"asOf"${text}`));
    for (const text of [leaf, ...headers, ...bodies]) {
      const bytes = toUtf8(text);
      const line = formatExportLine({ index: Number(index), leaf: bytes, link: linkOf(bytes) }).trimEnd();
      const read = reader.readLines(batchOf(`${line}\n`)).parts;
      expect(readingsOf(read), text).to.deep.equal([byDefinition(line)]);
      expect(read.some(isRun), text).to.equal(text === leaf);
    }
  });

  it('takes no shape from a count of sixteen digits', () => {
    const reader = new RunReader();
    for (const asOf of [1e15, Number.MAX_SAFE_INTEGER, 1e15 - 1, 1e15 + 7]) {
      const line = formatExportLine(new Chain().append(bodyOf(0, { asOf }), null)).trimEnd();
      for (const _ of [1, 2]) {
        expect(readingsOf(reader.readLines(batchOf(`${line}\n`)).parts)).to.deep.equal([byDefinition(line)]);
      }
    }
  });

  const anyUuid = fc.uuid();
  it('keeps ids apart that are names, whose order counts', () => {
    const reader = new RunReader();
    const [one, two] = [uuid(1), uuid(2)];
    const body = (first: string, second: string) =>
      bodyOf(0, { more: { details: JSON.parse(`{"${first}":1,"${second}":2}`) } }).replace(
        canonical({ [first]: 1, [second]: 2 }),
        `{"${first}":1,"${second}":2}`,
      );
    const lineOf = (text: string) => formatExportLine(new Chain().append(text, null)).trimEnd();
    reader.readLines(batchOf(`${lineOf(body(one, two))}\n`));
    expect(() => parseDeed(body(two, one))).to.throw(BodyError);
    const [part] = reader.readLines(batchOf(`${lineOf(body(two, one))}\n`)).parts;
    expect((part as Reading).findings.map(({ code }) => code)).to.deep.equal(['BODY_NOT_CANONICAL']);
    fc.assert(
      fc.property(anyUuid, anyUuid, (a, b) => {
        const line = lineOf(body(a, b));
        expect(readingsOf(reader.readLines(batchOf(`${line}\n`)).parts)).to.deep.equal([byDefinition(line)]);
      }),
    );
  });
});

describe('verification by runs', () => {
  const entries = linesOf(40).map((line) => parseExportLine(toUtf8(line)));
  const other = linesOf(40, 100).map((line) => parseExportLine(toUtf8(line)));

  /** What somebody may do to a log, one of them after the other. */
  const damage = fc.array(
    fc.record({
      kind: fc.constantFrom('edit', 'link', 'remove', 'swap', 'double', 'replace'),
      at: fc.nat(39),
      to: fc.nat(39),
    }),
    { maxLength: 4 },
  );

  function damaged(changes: readonly { kind: string; at: number; to: number }[]): StoredEntry[] {
    const log = [...entries];
    for (const { kind, at, to } of changes) {
      const entry = log[at];
      if (!entry) continue;
      if (kind === 'edit') {
        const leaf = entry.leaf.slice();
        leaf[leaf.length - 10 - to]! ^= 1;
        log[at] = { ...entry, leaf };
      } else if (kind === 'link') log[at] = { ...entry, link: other[to]!.link };
      else if (kind === 'remove') log.splice(at, 1);
      else if (kind === 'swap' && log[to]) [log[at], log[to]] = [log[to], entry];
      else if (kind === 'double') log.splice(to, 0, entry);
      else if (kind === 'replace') log.splice(at, to, ...other.slice(at, at + to));
    }
    return log;
  }

  it('says what verification entry by entry says, whatever was done to the log and whatever is held against it', () => {
    const held = fc.array(fc.record({ at: fc.nat(39), isOther: fc.boolean() }), { maxLength: 3 });
    const seen = new Set<string>();
    fc.assert(
      fc.property(damage, held, fc.integer({ min: 1, max: 60 }), (changes, kept, size) => {
        const log = damaged(changes);
        const evidence = {
          held: kept.map(({ at, isOther }) => ({
            index: at as never,
            link: (isOther ? other : entries)[at]!.link as never,
          })),
        };
        const single = new Verifier(evidence);
        for (const entry of log) single.take(readEntry(entry));
        const byRuns = new Verifier(evidence);
        const reader = new RunReader();
        for (let from = 0; from < log.length; from += size) {
          const lines = log.slice(from, from + size).map((entry) => formatExportLine(entry));
          for (const part of reader.readLines(batchOf(lines.join(''))).parts) byRuns.takePart(part);
        }
        const report = single.conclude();
        expect(byRuns.conclude()).to.deep.equal(report);
        for (const { code } of report.findings) seen.add(code);
        seen.add(report.verdict);
      }),
      {
        numRuns: 600,
        examples: [
          [
            [
              { kind: 'double', at: 0, to: 0 },
              { kind: 'replace', at: 6, to: 25 },
            ],
            [{ at: 29, isOther: false }],
            4,
          ],
        ],
      },
    );
    expect([...seen]).to.include.members([
      'CHAIN_BROKEN',
      'CONTENT_EDITED',
      'ENTRY_MISSING',
      'ROOT_MISMATCH',
      'intact',
      'tampered',
    ]);
  });
});
