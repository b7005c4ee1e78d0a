import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { EvidenceError, openEvidence } from '../../src/log/evidence.js';
import { FINDINGS } from '../../src/log/finding.js';
import { parseExportLines } from '../../src/log/lines.js';
import { verify } from '../../src/log/verify.js';
import { INVALID } from './vectors/cases.js';
import { parse, vectors } from './vectors/vector.js';

const folder = new URL('../vectors/', import.meta.url);

describe('vectors', () => {
  const written = vectors();

  it('are on disk as they are generated, and no others', () => {
    const names = ['valid', 'invalid'].flatMap((kind) =>
      readdirSync(new URL(kind, folder)).map((file) => `${kind}/${file}`),
    );
    expect(names.sort()).to.deep.equal(
      [...written.keys()].flatMap((name) => [`${name}.json`, `${name}.ndjson`]).sort(),
    );
    for (const [name, { log, json }] of written) {
      expect(readFileSync(new URL(`${name}.ndjson`, folder), 'utf8'), name).to.equal(log);
      expect(readFileSync(new URL(`${name}.json`, folder), 'utf8'), name).to.equal(json);
    }
  });

  it('have every finding code', () => {
    const codes = new Set(Object.values(INVALID).flatMap(({ findings }) => findings.map(([code]) => code)));
    expect([...codes].sort()).to.deep.equal(Object.keys(FINDINGS).sort());
  });

  for (const name of written.keys()) {
    it(name, async () => {
      const { evidence, expected } = parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
      if (expected.verdict === 'unusable') {
        expect(() => openEvidence(evidence)).to.throw(EvidenceError);
        return;
      }
      const report = await verify(parseExportLines(createReadStream(new URL(`${name}.ndjson`, folder))), evidence);
      const found = report.findings.map(({ code, first, last }) => ({ code, first, last }));
      expect(found).to.have.deep.members(expected.findings);
      expect(report.verdict === 'inconclusive' ? report.why : report.verdict).to.equal(expected.verdict);
      expect(report.vouched?.size ?? 0).to.equal(expected.vouched);
    });
  }
});
