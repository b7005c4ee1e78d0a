import { expect } from 'chai';
import { CommandFault } from '../../src/cli/fault.js';
import { openLiveLog, parseLogUrl } from '../../src/cli/live-log.js';
import { verifyLive } from '../../src/cli/verify-live.js';
import { hexBytes, toUtf8 } from '../../src/log/bytes.js';
import { formatCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { cosign } from '../../src/log/cosignature.js';
import { EvidenceError } from '../../src/log/evidence.js';
import { formatBundle } from '../../src/log/tile.js';
import { Frontier, type Hash } from '../../src/log/tree.js';
import type { Report } from '../../src/log/verify.js';
import { logOf } from '../log/arbitraries.js';
import { logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { startLiveLog, type TestLiveLog } from '../support/live-log.js';

/**
 * Every byte of what a log publishes, each changed in its turn, as a verifier over the network meets it. Of notes, cosignatures
 * and proofs by themselves the tests of test/log say the same.
 */
const [witness] = witnessKeys;
const SIZE = 2;

describe('a published log of which any byte is another', function () {
  this.timeout(60_000);
  const entries = logOf([
    { event: 'record.created', records: [1] },
    { event: 'user.listed', subject: null },
  ]);
  const tree = new Frontier();
  for (const { link } of entries) tree.append(hexBytes(link) as Hash);
  const head = { origin: ORIGIN, size: SIZE, root: tree.root() };
  const note = signCheckpoint(head, logKey) + cosign(formatCheckpoint(head), witness!, 1_790_000_000).line;
  const links = Buffer.concat(entries.map(({ link }) => hexBytes(link)));
  const bundle = formatBundle(entries.map(({ leaf }) => leaf));

  let live: TestLiveLog;
  before(async () => {
    live = await startLiveLog();
    live.serve(entries);
    live.note = note;
  });
  after(() => live.close());

  /** @param token without, hashes alone are read */
  async function reported(token: string | null = 'reviewer'): Promise<Report | 'refused'> {
    const checkpoints = { key: logKey, notes: [], witnesses: { keys: [witness!], quorum: 1 } };
    live.token = 'reviewer';
    try {
      const open = openLiveLog(parseLogUrl(live.url)!, token);
      return (await verifyLive(open, { checkpoints, files: [], since: null }, () => {})).report;
    } catch (error) {
      if (error instanceof CommandFault || error instanceof EvidenceError) return 'refused';
      throw error;
    }
  }

  const said = (report: Report | 'refused') => {
    if (report === 'refused') return [report];
    const findings = report.findings.map(({ code, first, last }) => `${code} ${first}-${last}`);
    return [report.verdict === 'inconclusive' ? report.why : report.verdict, ...findings];
  };

  /** What is said with each byte of a path changed. */
  async function* flipped(path: string, bytes: Uint8Array, token?: string | null) {
    for (const at of bytes.keys()) {
      live.instead.set(path, bytes.with(at, bytes[at]! ^ 1));
      yield [at, await reported(token)] as const;
    }
    live.instead.clear();
    expect(said(await reported(token))[0], 'and all as it was').to.equal(token === null ? 'LEAVES_NOT_READ' : 'intact');
  }

  it('is refused, or not intact, for its checkpoint, the log’s signature and the cosignature', async () => {
    const outcomes = new Set<string>();
    for await (const [at, report] of flipped('checkpoint', toUtf8(note))) {
      const [verdict] = said(report);
      expect(verdict, `byte ${at}`).to.be.oneOf(['refused', 'tampered', 'EVIDENCE_TOO_WEAK']);
      outcomes.add(verdict!);
    }
    expect([...outcomes].sort()).to.deep.equal(['EVIDENCE_TOO_WEAK', 'refused', 'tampered']);
  });

  it('is named by the entry, for its hash tile; by the whole, where leaves are not read', async () => {
    const path = `tile/0/000.p/${SIZE}`;
    for await (const [at, report] of flipped(path, links)) {
      const entry = Math.floor(at / 32);
      expect(said(report), `byte ${at}`).to.deep.equal(['tampered', `CONTENT_EDITED ${entry}-${entry}`]);
    }
    for await (const [at, report] of flipped(path, links, null)) {
      expect(said(report), `byte ${at}`).to.deep.equal(['tampered', `ROOT_MISMATCH 0-${SIZE - 1}`]);
    }
  });

  it('is named by the entry, for its bundle of leaves', async () => {
    const places = entries.flatMap(({ leaf }, index) => [null, null, ...Array<number>(leaf.length).fill(index)]);
    expect(places).to.have.length(bundle.length);
    for await (const [at, report] of flipped(`tile/entries/000.p/${SIZE}`, bundle)) {
      const [verdict, ...findings] = said(report);
      expect(verdict, `byte ${at}`).to.equal('tampered');
      const entry = places[at]!;
      // A length that is another moves all that comes after.
      if (entry === null) continue;
      expect(findings, `byte ${at}`).to.include(`CONTENT_EDITED ${entry}-${entry}`);
      expect(
        findings.filter((finding) => !finding.endsWith(` ${entry}-${entry}`)),
        `byte ${at}`,
      ).to.deep.equal([]);
    }
  });
});
