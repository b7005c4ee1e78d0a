import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createPublisher } from '../../src/ledger/publisher.js';
import { hexBytes, toUtf8 } from '../../src/log/bytes.js';
import { formatClosingLine, formatExportLine } from '../../src/log/export-line.js';
import { linkOf } from '../../src/log/leaf.js';
import { formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { parseBundle, rootOfHashes } from '../../src/log/tile.js';
import { type TestGate, testGate } from '../support/gate.js';
import { ORIGIN, someBody } from '../support/ledger.js';
import { ask } from '../support/postgres.js';
import { type Served, serve } from '../support/served.js';
import { folder, type Ran, run } from './command.js';

const ENTRIES = 700;
const KEY = signingKey(ORIGIN, randomBytes(32));

describe('access-ledger export --url', () => {
  const { path } = folder();
  let gate: TestGate;
  let server: Served;
  let size: number;
  let lines: string[];
  const publish = () => {
    const { publications, tree } = gate.core;
    return createPublisher({ reader: tree, publications, key: KEY, leaseSeconds: 60 }).publish();
  };
  const vkey = () => formatVerifierKey(KEY);

  before(async () => {
    gate = await testGate();
    const asOf = await gate.size();
    for (let left = ENTRIES; left > 0; left -= 100) {
      await gate.core.parts.ledger.append(Array.from({ length: 100 }, () => someBody({ asOf })));
    }
    server = await serve(gate.core, {
      rita: await gate.signIn('security-reviewer'),
      sam: await gate.signIn('support-agent'),
    });
    await publish();
    size = await gate.size();
    const { rows } = await gate.core.parts.pool.query(
      `SELECT index::int, encode(link, 'hex') AS link, leaf FROM ledger.entry ORDER BY index`,
    );
    lines = rows.map((row) => formatExportLine({ ...row, leaf: toUtf8(row.leaf) }));
  });
  after(async () => {
    await server.close();
    await gate.close();
  });

  const exported = (file: string, ...args: string[]): Promise<Ran> =>
    run(['export', file, '--url', server.url, ...args], { env: { ACCESS_LEDGER_TOKEN: 'rita' } });

  it('writes what an export from the database writes, up to the checkpoint, and leaves one entry', async () => {
    const file = path('log.ndjson');
    const { status, out, err } = await exported(file, '--key', vkey());
    expect([status, out, err]).to.deep.equal([
      0,
      '',
      `${file}: ${size} entries, complete up to entry ${size - 1}; checked each link, up to a checkpoint that the log signed, of ${size} entries\n`,
    ]);
    expect(await readFile(file, 'utf8')).to.equal(
      lines.join('') + formatClosingLine({ entries: size, last: size - 1 }),
    );
    expect((await exported('-', '--format', 'csv')).out.split('\r\n')).to.have.length(size + 3);
    const [session, ...others] = await gate.entries(size);
    expect(session!.body).to.include({ event: 'log.read', operation: 'tile', outcome: 'permitted' });
    expect(others).to.deep.equal([]);
  });

  it('writes a part, continues what was interrupted, and adds what is new', async () => {
    const part = await exported('-', '--from', '300', '--to', '310');
    expect(part.out).to.equal(lines.slice(300, 311).join('') + formatClosingLine({ entries: 11, last: 310 }));
    expect(part.err).to.include('whose signature nobody checked: there was no --key');
    const file = path('continued.ndjson');
    await writeFile(`${file}.partial`, lines.slice(0, 400).join('').slice(0, -7));
    expect((await exported(file)).err).to.include('entries added after entry 398');
    expect(await readFile(file, 'utf8')).to.equal(
      lines.join('') + formatClosingLine({ entries: size, last: size - 1 }),
    );
    expect((await exported(file)).err).to.equal(`${file}: nothing is new after entry ${size - 1}\n`);
  });

  it('says in one line what it cannot use, and that with status 3', async () => {
    const other = formatVerifierKey(signingKey(ORIGIN, randomBytes(32)));
    const tokenless = run(['export', '-', '--url', server.url]);
    const wrong: readonly (readonly [RegExp, Promise<Ran>])[] = [
      [/not signed by --key/, exported('-', '--key', other)],
      [/the leaves need --token/, tokenless],
      [/not a security reviewer's/, exported('-', '--token', 'sam')],
      [/not both/, exported('-', '--database')],
      [/--token is for --url/, run(['export', '-', '--token', 'x'])],
      [/http or https URL/, run(['export', '-', '--url', 'ftp://x'])],
      [/--format/, exported('-', '--format', 'xml')],
    ];
    for (const [says, ran] of wrong) {
      const { status, out, err } = await ran;
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(says);
    }
  });

  it('does not replace a file of another format', async () => {
    const file = path('events.json');
    expect((await exported(file, '--format', 'ocsf')).status).to.equal(0);
    const before = await readFile(file, 'utf8');
    const again = await exported(file, '--format', 'ocsf');
    expect([again.status, again.err]).to.deep.equal([
      3,
      `access-ledger: ${file}: it stands already: choose another name\n`,
    ]);
    expect(await readFile(file, 'utf8')).to.equal(before);
  });

  type Passed = { readonly status: number; readonly bytes: Buffer };
  const proxies: Server[] = [];
  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.close();
  });
  /** Serves what our server serves, or what it makes of that. @returns its URL */
  async function between(pass: (path: string, passed: Passed) => Passed): Promise<string> {
    const proxy = createServer(async (request, response) => {
      const headers = { authorization: request.headers.authorization ?? '' };
      const answer = await fetch(`${server.url}${request.url}`, { headers });
      const passed = { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
      const { status, bytes } = pass(request.url!, passed);
      response.writeHead(status).end(bytes);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    proxies.push(proxy);
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  it('says so when its token expires on the way, and goes on with another', async () => {
    let isGood = false;
    const url = await between((path, passed) =>
      path.startsWith('/tile/entries/001') && !isGood ? { status: 401, bytes: Buffer.alloc(0) } : passed,
    );
    const file = path('expiring.ndjson');
    const exporting = () => run(['export', file, '--url', url], { env: { ACCESS_LEDGER_TOKEN: 'rita' } });
    const { status, err } = await exporting();
    expect([status, err]).to.deep.equal([
      3,
      `access-ledger: ${url}/: the server does not take this token: it may have expired; ${file}.partial has what came before: the same command continues it\n`,
    ]);
    expect(await readFile(`${file}.partial`, 'utf8')).to.equal(lines.slice(0, 256).join(''));
    isGood = true;
    expect((await exporting()).err).to.include('entries added after entry 255');
    expect(await readFile(file, 'utf8')).to.equal(
      lines.join('') + formatClosingLine({ entries: size, last: size - 1 }),
    );
  });

  describe('checks every link on the way', () => {
    const lying = (where: string, lie: (bytes: Buffer) => Buffer) =>
      between((path, { status, bytes }) => ({ status, bytes: path.startsWith(where) ? lie(bytes) : bytes }));
    const edit = (from: string, to: string) => (bytes: Buffer) =>
      Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');

    const LIES: Record<string, readonly [where: string, lie: (bytes: Buffer) => Buffer, says: RegExp]> = {
      'an edited entry': [
        '/tile/entries/001',
        edit('"support-agent"', '"support-agenT"'),
        /entry 2[5-9]\d does not follow/,
      ],
      'an edited last entry': [
        '/tile/entries/002',
        (bytes) => lastEdited(bytes),
        /the entries are not those of its checkpoint/,
      ],
      'a bundle that is cut': [
        '/tile/entries/001',
        (bytes) => bytes.subarray(0, bytes.length / 2),
        /entry \d+ is not served/,
      ],
      'the bundle of another place': [
        '/tile/entries/001',
        (bytes) => bytes.subarray(2 + bytes.readUInt16BE(0)),
        /entry 256 does not follow/,
      ],
    };
    function lastEdited(bytes: Buffer): Buffer {
      const text = bytes.toString('latin1');
      const at = text.lastIndexOf('"permitted"');
      return Buffer.from(`${text.slice(0, at)}"permitteD"${text.slice(at + 11)}`, 'latin1');
    }
    for (const [name, [where, lie, says]] of Object.entries(LIES)) {
      it(`and ends at ${name}, without a closing line and without the file's name`, async () => {
        const url = await lying(where, lie);
        const file = path(name.replaceAll(' ', '-'));
        const { status, err } = await run(['export', file, '--url', url], { env: { ACCESS_LEDGER_TOKEN: 'rita' } });
        expect([status, says.test(err)], err).to.deep.equal([3, true]);
        expect(await stat(file).catch(({ code }) => code)).to.equal('ENOENT');
        expect(await readFile(`${file}.partial`, 'utf8')).to.not.include('{"complete":');
      });
    }

    it('also of a part: hash tiles that are not of the checkpoint vouch for nothing', async () => {
      let forged: Buffer | null = null;
      const url = await between((path, passed) => {
        if (path.startsWith('/tile/entries/001')) {
          const bytes = lastEdited(passed.bytes);
          const links = parseBundle(bytes)!.map((leaf) => hexBytes(linkOf(leaf)));
          forged = Buffer.concat(links);
          return { ...passed, bytes };
        }
        if (path === '/tile/0/001' && forged) return { ...passed, bytes: forged };
        if (!path.startsWith('/tile/1/000') || !forged) return passed;
        return { ...passed, bytes: Buffer.concat([passed.bytes.subarray(0, 32), rootOfHashes(forged)]) };
      });
      const exporting = (...args: string[]) =>
        run(['export', path('part.ndjson'), '--url', url, ...args], { env: { ACCESS_LEDGER_TOKEN: 'rita' } });
      const { status, err } = await exporting('--to', '511');
      expect([status, /the entries are not those of its checkpoint/.test(err)], err).to.deep.equal([3, true]);
      // All of it stands there now, and still nothing says that it is complete.
      const again = await exporting('--to', '511');
      expect([again.status, /the link of entry 511 is not of its checkpoint/.test(again.err)]).to.deep.equal([3, true]);
    });
  });

  describe('where somebody has edited the log', () => {
    it('writes from the database what somebody has edited, and says so where a format cannot show it', async () => {
      const url = gate.database.superuserUrl;
      await ask(url, 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
      await ask(url, `UPDATE ledger.entry SET leaf = 'gone' WHERE index = 5`);
      for (const format of ['csv', 'ocsf', 'fhir']) {
        const { status, err } = await run([
          'export',
          '-',
          '--database',
          gate.database.url,
          '--to',
          '9',
          '--format',
          format,
        ]);
        expect([status, err], format).to.deep.equal([
          0,
          '10 entries, complete up to entry 9\nedited so that they cannot be read: 1; verify the log\n',
        ]);
      }
    });
  });
});
