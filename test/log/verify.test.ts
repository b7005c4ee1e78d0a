import { expect } from 'chai';
import fc from 'fast-check';
import { parseDeed } from '../../src/log/deed.js';
import type { Entry } from '../../src/log/entry.js';
import type { Evidence } from '../../src/log/evidence.js';
import { MAX_LISTED } from '../../src/log/finding.js';
import { type LogIndex, linkOf, parseLeaf } from '../../src/log/leaf.js';
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
const honest = fc.array(sketch, { minLength: 2, maxLength: 30 }).map(logOf);
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
        const report = await verify(swapped);
        const places = report.findings.flatMap(({ first, last }) => [first, last]);
        expect(report.findings.every(({ code }) => code === 'CHAIN_BROKEN')).to.equal(true);
        expect(new Set(places)).to.deep.equal(new Set([a, b]));
      }),
    );
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
      expect(() => new Verifier(evidence)).to.throw(RangeError);
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
  const projected = log.map((entry) => {
    const { subject, actor, event, purpose, outcome, at, request } = parseDeed(parseLeaf(entry.leaf)!.body);
    return { ...entry, projection: { subject, actor, event, purpose, outcome, at, request } };
  });

  it('that equals the body is no finding', async () => {
    expect(await verify(projected, heldOf(log))).to.include({ verdict: 'intact' });
  });

  for (const column of Object.keys(projected[6]!.projection) as (keyof Projection)[]) {
    it(`is found where ${column} says something else, or nothing`, async () => {
      for (const value of ['something else', null]) {
        const changed = projected.with(6, {
          ...projected[6]!,
          projection: { ...projected[6]!.projection, [column]: value },
        });
        const report = await verify(changed, heldOf(log));
        expect(found(report)).to.deep.equal(['PROJECTION_EDITED 6']);
        expect(report.findings[0]!.found).to.equal(`${column}: ${value ?? 'nothing'}`);
      }
    });
  }

  it('is found where it names somebody of whom the body says nothing', async () => {
    const projection = { ...projected[9]!.projection, subject: uuid(1) };
    expect(found(await verify(projected.with(9, { ...projected[9]!, projection })))).to.deep.equal([
      'PROJECTION_EDITED 9',
    ]);
  });

  it('is not held against a leaf that was edited itself', async () => {
    const report = await verify(edited(projected, 6, 'convenience', 'marketing'));
    expect(found(report)).to.deep.equal(['CONTENT_EDITED 6']);
  });
});
