import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openLiveLog, parseLogUrl } from '../../src/cli/live-log.js';
import { verifyLive } from '../../src/cli/verify-live.js';
import { parseAddCheckpoint } from '../../src/log/add-checkpoint.js';
import { toHex } from '../../src/log/bytes.js';
import { openCheckpoint } from '../../src/log/checkpoint.js';
import { checkConsistency } from '../../src/log/consistency.js';
import type { Evidence } from '../../src/log/evidence.js';
import type { Closing } from '../../src/log/export-line.js';
import { linkOf } from '../../src/log/leaf.js';
import { parseExportLines } from '../../src/log/lines.js';
import { parseVerifierKey } from '../../src/log/note-key.js';
import { checkProof, parseProof } from '../../src/log/proof.js';
import type { StoredEntry } from '../../src/log/reading.js';
import { parseBundle, parseTilePath } from '../../src/log/tile.js';
import { verify } from '../../src/log/verify.js';
import { golden } from './vectors/golden.js';

/**
 * What a version of the past wrote, and everybody holds: the numbers here are never to be changed with the code. All but the
 * last test stay as they are when a later version writes another log.
 */
const folder = new URL('../vectors/golden/', import.meta.url);
const ROOT = '3471d4ba9e547f22fb919e35a6739bab4bcbb2ac1fc639af556b537b5f51acbe';
const text = (path: string) => readFileSync(new URL(path, folder), 'utf8');
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, folder)));

describe('the golden log', () => {
  const key = parseVerifierKey(text('log.vkey').trim())!;
  const witness = parseVerifierKey(text('witness.vkey').trim())!;
  const evidence: Evidence = {
    checkpoints: { key, notes: [text('checkpoint'), text('kept')], witnesses: { keys: [witness], quorum: 1 } },
  };
  let entries: StoredEntry[];
  let closing: Closing | null = null;
  before(async () => {
    entries = [];
    const close = (told: Closing) => {
      closing = told;
    };
    for await (const entry of parseExportLines(createReadStream(new URL('log.ndjson', folder)), close)) {
      entries.push({ ...entry, leaf: entry.leaf.slice() });
    }
  });

  it('is signed by keys that are known from elsewhere', () => {
    expect([text('log.vkey'), text('witness.vkey')]).to.deep.equal([
      'ledger.example.com/main+678e6b98+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n',
      'witness.example.com/w3+f0cdfbc9+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR\n',
    ]);
  });

  it('is intact, with the root that it has always had', async () => {
    const report = await verify(entries, evidence);
    expect(report.findings).to.deep.equal([]);
    expect(report).to.include({ verdict: 'intact', size: 300, entries: 300, root: ROOT });
    expect(report.vouched).to.deep.equal({
      size: 300,
      by: ['the checkpoint of ledger.example.com/main with witness.example.com/w3'],
    });
  });

  it('is complete, by its closing line', () => {
    expect(closing).to.deep.equal({ entries: 300, last: 299 });
  });

  it('has the proof of an entry', () => {
    const { leaf, checkpoint } = checkProof(bytes('137.leaf'), parseProof(text('137.tlog-proof')), key, [witness]);
    expect([leaf.index, checkpoint.size, toHex(checkpoint.root)]).to.deep.equal([137, 300, ROOT]);
    expect(checkpoint.signed.map(({ key: { name }, time }) => [name, time])).to.deep.equal([
      ['ledger.example.com/main', null],
      ['witness.example.com/w3', 1_790_000_044],
    ]);
    expect(toHex(bytes('137.leaf'))).to.equal(toHex(entries[137]!.leaf));
  });

  it('has the proof that it continues what was kept', () => {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(text('256-300.add-checkpoint'))!;
    const kept = openCheckpoint(text('kept'), key, [witness]);
    expect([oldSize, kept.size, kept.signed.length]).to.deep.equal([256, 256, 2]);
    expect(checkConsistency(proof, kept, openCheckpoint(checkpoint, key))).to.equal(true);
    expect(checkConsistency(proof, { ...kept, root: kept.root.with(0, 0) as typeof kept.root }, kept)).to.equal(false);
  });

  it('has tiles of its links, and bundles of its leaves', () => {
    const hashes = [...bytes('tile/0/000'), ...bytes('tile/0/001.p/44')];
    expect(toHex(Uint8Array.from(hashes))).to.equal(entries.map(({ link }) => link).join(''));
    const leaves = ['tile/entries/000', 'tile/entries/001.p/44'].flatMap((path) => parseBundle(bytes(path))!);
    expect(leaves.map(linkOf)).to.deep.equal(entries.map(({ link }) => link));
    expect(bytes('tile/1/000.p/1')).to.deep.equal(openCheckpoint(text('kept'), key).root);
  });

  describe('served as the files that it is', () => {
    let server: Server;
    let url: URL;
    before(async () => {
      server = createServer((request, response) => {
        const file = new URL(`.${request.url}`, folder);
        const served = statSync(file, { throwIfNoEntry: false })?.isFile();
        response.writeHead(served ? 200 : 404).end(served ? readFileSync(file) : '');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = parseLogUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)!;
    });
    after(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    for (const [how, note] of [
      ['whole', null],
      ['since what was kept', text('kept')],
    ] as const) {
      it(`is intact, ${how}`, async () => {
        const since = note === null ? null : { note, file: 'kept' };
        const given = { checkpoints: { key, notes: [], witnesses: { keys: [witness], quorum: 1 } }, files: [], since };
        const { report } = await verifyLive(openLiveLog(url, null), given, () => {});
        expect(report.findings).to.deep.equal([]);
        expect(report).to.include({ verdict: 'intact', size: 300, root: ROOT, from: note === null ? 0 : 255 });
      });
    }
  });

  it('is on disk, all of it and nothing else, as this version writes it', async () => {
    const written = await golden();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(new URL(path, folder)).isFile())
      .sort();
    expect(files).to.deep.equal([...written.keys()].sort());
    expect(files.filter((path) => path.startsWith('tile/')).every(parseTilePath), fileURLToPath(folder)).to.equal(true);
    for (const [path, content] of written) {
      expect(Buffer.from(bytes(path)).equals(Buffer.from(content as Uint8Array)), path).to.equal(true);
    }
  });
});
