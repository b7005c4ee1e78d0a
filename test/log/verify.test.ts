import { expect } from 'chai';
import fc from 'fast-check';
import { parseColumns } from '../../src/log/deed.js';
import type { Entry } from '../../src/log/entry.js';
import { type Evidence, EvidenceError } from '../../src/log/evidence.js';
import { MAX_LISTED } from '../../src/log/finding.js';
import { type LogIndex, linkOf, parseLeaf } from '../../src/log/leaf.js';
import { MAX_ROWS } from '../../src/log/order.js';
import type { Projection } from '../../src/log/projection.js';
import { readEntry, type StoredEntry } from '../../src/log/reading.js';
import { type Report, Verifier, verify } from '../../src/log/verify.js';
import { logOf, type Sketch, uuid } from './arbitraries.js';
import { logKey, witnessKeys } from './keys.js';
import { edited, forge, SKETCHES } from './vectors/forge.js';

/** Logs of some people, each with records of their own, and now and then a fact that changes. */
const sketch: fc.Arbitrary<Sketch> = fc
  .record({ subject: fc.option(fc.nat({ max: 4 })), records: fc.uniqueArray(fc.nat({ max: 2 })), grant: fc.boolean() })
  .map(({ subject, records, grant }) => ({
    subject,
    event: grant ? 'grant.approved' : 'record.read',
    ...(subject !== null && { records: records.map((n) => 100 + 10 * subject + n) }),
  }));
const honest = fc.array(sketch, { minLength: 2, maxLength: 30 }).map((sketches) => logOf(createdFirst(sketches)));

/** The first entry that names a record is of the event that creates it, and names no others. */
function createdFirst(sketches: readonly Sketch[]): Sketch[] {
  const created = new Set<number>();
  return sketches.map((one) => {
    const fresh = (one.records ?? []).filter((record) => !created.has(record));
    if (fresh.length === 0) return one;
    for (const record of fresh) created.add(record);
    return { ...one, event: 'record.created', records: fresh };
  });
}
const somewhere = fc.nat({ max: 1000 });

/** The last entry, as somebody who was shown it holds it. */
function heldOf(entries: readonly StoredEntry[]): { held: Entry[] } {
  const { index, leaf } = entries.at(-1)!;
  return { held: [{ index: index as LogIndex, link: linkOf(leaf) }] };
}

function found({ findings }: Report): string[] {
  return findings.map(({ code, first, last }) => `${code} ${first === last ? first : `${first}–${last}`}`);
}

describe('verify', () => {
  const log = logOf(SKETCHES);

  it('finds honest logs intact up to their evidence, and every one it could not tell from a rewritten one inconclusive', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, async (entries, n) => {
        const size = 1 + (n % entries.length);
        const report = await verify(entries, heldOf(entries.slice(0, size)));
        expect(report).to.deep.include({
          verdict: 'intact',
          entries: entries.length,
          size: entries.length,
          findings: [],
        });
        expect(report.vouched).to.deep.equal({ size, by: [`the held link of entry ${size - 1}`] });
        expect(await verify(entries)).to.include({ verdict: 'inconclusive', why: 'NO_EVIDENCE' });
      }),
    );
  });

  it('finds every changed byte of a leaf at its entry, and nowhere else', async () => {
    for (const at of log[6]!.leaf.keys()) {
      for (const bit of [1, 0x80]) {
        const leaf = Uint8Array.from(log[6]!.leaf);
        leaf[at]! ^= bit;
        const report = await verify(log.with(6, { ...log[6]!, leaf }), heldOf(log));
        expect(report.verdict, `byte ${at}`).to.equal('tampered');
        expect(found(report), `byte ${at}`).to.include('CONTENT_EDITED 6');
        expect(
          report.findings.every(({ first, last }) => first === 6 && last === 6),
          found(report).join(),
        ).to.equal(true);
      }
    }
  });

  it('finds a leaf or link edited in any log at its entry, and nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, fc.boolean(), async (entries, n, inLeaf) => {
        const index = n % entries.length;
        const entry = entries[index]!;
        const changed = inLeaf
          ? edited(entries, index, 'convenience', 'marketing')
          : entries.with(index, { ...entry, link: linkOf(Uint8Array.of(n & 255)) });
        expect(found(await verify(changed, heldOf(entries)))).to.deep.equal([`CONTENT_EDITED ${index}`]);
      }),
    );
  });

  it('finds entries removed from any log as one gap, and nothing after it', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, somewhere, async (entries, n, m) => {
        const first = n % (entries.length - 1);
        const last = first + (m % (entries.length - 1 - first));
        const left = entries.filter(({ index }) => index < first || index > last);
        const range = first === last ? first : `${first}–${last}`;
        expect(found(await verify(left, heldOf(entries)))).to.deep.equal([`ENTRY_MISSING ${range}`]);
      }),
    );
  });

  it('finds a tail that was cut, however much of it', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, async (entries, n) => {
        const size = n % entries.length;
        const last = entries.length - 1;
        const range = size === last ? size : `${size}–${last}`;
        expect(found(await verify(entries.slice(0, size), heldOf(entries)))).to.deep.equal([`TAIL_CUT ${range}`]);
      }),
    );
  });

  it('finds any two leaves that changed places at these places, and nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, somewhere, async (entries, n, m) => {
        const [a, b] = [n % entries.length, m % entries.length];
        if (a === b) return;
        const swapped = entries.with(a, { ...entries[b]!, index: a }).with(b, { ...entries[a]!, index: b });
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const { findings } = await verify(swapped, heldOf(entries));
        const beside = findings.filter(({ code }) => code === 'PROJECTION_EDITED');
        const order = findings.filter(({ code }) => code === 'CHAIN_BROKEN');
        expect(order.length + beside.length).to.equal(findings.length);
        expect(beside.flatMap((one) => [one.first, one.last])).to.include.members([first, last]);
        expect(order.every((one) => one.first! >= first && one.last! <= last)).to.equal(true);
        expect(order).not.to.have.length(0);
      }),
    );
  });

  it('finds rows in any order to be so, and none of them missing, nor anything wrong with what they say', async () => {
    const shuffled = honest.chain((entries) =>
      fc.shuffledSubarray(entries, { minLength: entries.length }).map((rows) => ({ entries, rows })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ entries, rows }) => {
        const { findings } = await verify(rows, heldOf(entries));
        expect(findings.every(({ code }) => code === 'CHAIN_BROKEN')).to.equal(true);
        expect(findings.length === 0).to.equal(rows.every(({ index }, i) => index === i));
      }),
    );
  });

  it('finds a row that was replaced, link and all, by evidence from after it, and knows no better without than that it is one of two', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, somewhere, async (entries, n, m) => {
        const index = n % (entries.length - 1);
        const size = index + 2 + (m % (entries.length - 1 - index));
        const leaf = edited(entries, index, 'convenience', 'marketing')[index]!.leaf;
        const replaced = entries.with(index, { index, leaf, link: linkOf(leaf) });
        expect(found(await verify(replaced))).to.deep.equal([`CHAIN_BROKEN ${index}–${index + 1}`]);
        expect(found(await verify(replaced, heldOf(entries.slice(0, size))))).to.deep.equal([`CHAIN_BROKEN ${index}`]);
      }),
    );
  });

  it('finds a row that was put before or after the one whose index it claims, and still reads that one', async () => {
    await fc.assert(
      fc.asyncProperty(honest, somewhere, fc.boolean(), async (entries, n, after) => {
        const index = n % entries.length;
        const leaf = edited(entries, index, 'convenience', 'marketing')[index]!.leaf;
        const doubled = entries.toSpliced(index + Number(after), 0, { index, leaf, link: linkOf(leaf) });
        expect(found(await verify(doubled, heldOf(entries)))).to.deep.equal([`CHAIN_BROKEN ${index}`]);
      }),
    );
  });

  it('looks at so many rows of one index, and no more', async () => {
    const forged = forge(SKETCHES, { 6: (_, body) => body.replace('convenience', 'marketing') })[6]!;
    const rows = (forgeries: number) => [...log.slice(0, 6), ...Array(forgeries).fill(forged), ...log.slice(6)];
    expect(found(await verify(rows(MAX_ROWS - 1), heldOf(log)))).to.deep.equal(['CHAIN_BROKEN 6']);
    expect(found(await verify(rows(MAX_ROWS), heldOf(log)))).to.deep.equal(['CHAIN_BROKEN 6']);
    expect(found(await verify(rows(MAX_ROWS)))).to.deep.equal(['CHAIN_BROKEN 6–7']);
  });

  it('finds any history that was chained anew, by any link held from after the change', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, somewhere, async (n, m) => {
        const from = n % log.length;
        const size = from + 1 + (m % (log.length - from));
        const other = forge(SKETCHES, { [from]: (_, body) => body.replace('convenience', 'marketing') });
        expect(await verify(other, heldOf(log.slice(0, from + 1).slice(0, from || 1)))).to.have.property(
          'verdict',
          from === 0 ? 'tampered' : 'intact',
        );
        const range = size === 1 ? 0 : `0–${size - 1}`;
        expect(found(await verify(other, heldOf(log.slice(0, size))))).to.deep.equal([`ROOT_MISMATCH ${range}`]);
      }),
    );
  });

  it('goes on about others after an entry that cannot be read', async () => {
    const stale = SKETCHES.map((s, i) => (i === 10 ? { ...s, asOf: 0 } : i === 11 ? { ...s, records: [0x21] } : s));
    const report = await verify(edited(forge(stale, {}), 6, 'convenience', 'marketing'));
    expect(found(report)).to.have.members(['CONTENT_EDITED 6', 'DECIDED_ON_STALE_FACTS 10', 'RECORD_MOVED 11']);
  });

  it('says what it expected and what it found', async () => {
    const report = await verify(forge(SKETCHES.with(8, { ...SKETCHES[8], records: [0x21] }), {}));
    expect(report.findings).to.deep.equal([
      {
        code: 'RECORD_MOVED',
        first: 8,
        last: 8,
        expected: `record ${uuid(0x21)} of subject ${uuid(2)}`,
        found: `record ${uuid(0x21)} of subject ${uuid(1)}`,
      },
    ]);
  });

  it('counts the findings that it does not list', async () => {
    const many = logOf(Array.from({ length: 2 * MAX_LISTED + 6 }, () => ({ subject: null })));
    const report = await verify(many.map((e) => (e.index % 2 ? { ...e, link: 'x' } : e)));
    expect(report.findings).to.have.length(MAX_LISTED);
    expect(report.unlisted).to.equal(3);
  });

  it('takes entries as they come, read elsewhere', async () => {
    const verifier = new Verifier(heldOf(log));
    for (const entry of log) verifier.take(structuredClone(readEntry(entry)));
    expect(verifier.conclude()).to.deep.equal(await verify(log, heldOf(log)));
  });

  for (const [fault, witnesses] of Object.entries({
    'no witness at all': { keys: witnessKeys, quorum: 0 },
    'more witnesses than there are': { keys: witnessKeys, quorum: 4 },
    'one witness under two names': { keys: [witnessKeys[0]!, { ...witnessKeys[0]!, name: 'other' }], quorum: 2 },
  })) {
    it(`takes no quorum of ${fault}`, () => {
      const evidence: Evidence = { checkpoints: { key: logKey, notes: [], witnesses } };
      expect(() => new Verifier(evidence))
        .to.throw(EvidenceError)
        .with.property('code', 'QUORUM_OUT_OF_REACH');
    });
  }

  it('asks for a quorum even where there is no checkpoint', async () => {
    const checkpoints = { key: logKey, notes: [], witnesses: { keys: witnessKeys, quorum: 1 } };
    const report = await verify(log, { ...heldOf(log), checkpoints });
    expect(report).to.include({ verdict: 'inconclusive', why: 'EVIDENCE_TOO_WEAK' });
    expect(found(report)).to.deep.equal(['QUORUM_NOT_MET null']);
  });
});

describe('projection', () => {
  const log = logOf(SKETCHES);
  /** Of the subject, and of nobody: as ledger.append derives them. */
  const changed = [null, null, null, null, null, 5, 5, null, 5, null, null, 5];
  const projected = log.map((entry, i) => {
    const { body, history } = parseLeaf(entry.leaf)!;
    const changes = { changed: changed[i]!, changedAll: 0 };
    return { ...entry, projection: { ...parseColumns(body), nth: history && String(history.nth), changes } };
  });

  function projecting(entries: readonly StoredEntry[], index: number, change: Partial<Projection>): StoredEntry[] {
    return entries.map((e) => (e.index === index ? { ...e, projection: { ...e.projection!, ...change } } : e));
  }

  it('that equals the body is no finding', async () => {
    expect(await verify(projected, heldOf(log))).to.include({ verdict: 'intact' });
  });

  for (const column of Object.keys(projected[6]!.projection).filter((name) => name !== 'changes')) {
    it(`is found where ${column} says something else, or nothing`, async () => {
      for (const value of ['something else', null]) {
        const report = await verify(projecting(projected, 6, { [column]: value }), heldOf(log));
        expect(found(report)).to.deep.equal(['PROJECTION_EDITED 6']);
        expect(report.findings[0]!.found).to.equal(`${column}: ${value ?? 'nothing'}`);
      }
    });
  }

  for (const column of ['changed', 'changedAll'] as const) {
    it(`is found where ${column} says something else, or nothing`, async () => {
      for (const value of [3, 11, null]) {
        const changes = { ...projected[6]!.projection.changes, [column]: value };
        expect(found(await verify(projecting(projected, 6, { changes }), heldOf(log)))).to.deep.equal([
          'PROJECTION_EDITED 6',
        ]);
      }
    });
  }

  it('is one finding for all columns of an entry', async () => {
    const report = await verify(projecting(projected, 6, { event: 'x.y', request: null }), heldOf(log));
    expect(report.findings.map((one) => one.found)).to.deep.equal(['event: x.y; request: nothing']);
  });

  it('is found where it names somebody of whom the body says nothing', async () => {
    expect(found(await verify(projecting(projected, 9, { subject: uuid(1) })))).to.deep.equal(['PROJECTION_EDITED 9']);
  });

  it('is not held against a leaf that was edited itself', async () => {
    const report = await verify(edited(projected, 6, 'convenience', 'marketing'));
    expect(found(report)).to.deep.equal(['CONTENT_EDITED 6']);
  });

  it('may name a change that stood in an entry that was edited, or of an event that is not known', async () => {
    expect(found(await verify(edited(projected, 5, 'convenience', 'marketing')))).to.deep.equal(['CONTENT_EDITED 5']);
    const younger = logOf(SKETCHES.with(5, { ...SKETCHES[5], event: 'moon.landed' }));
    const entries = younger.map((entry, i) => ({ ...projected[i]!, ...entry }));
    const landed = projecting(entries, 5, { event: 'moon.landed' });
    expect(found(await verify(landed, heldOf(younger)))).to.deep.equal([]);
  });
});
