import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSecretFile, writeSecretFile } from '../../src/vault/secret-file.js';
import { caught, expectSilence, failure } from './fixtures.js';

describe('secret file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'secret-file-'));
    path = join(folder, 'keys.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads what was written, closed to others whatever the umask, and leaves no draft', () => {
    const before = process.umask(0);
    try {
      writeSecretFile(path, 'secret', { replace: false });
    } finally {
      process.umask(before);
    }
    expect(readSecretFile(path)).to.equal('secret');
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('replaces a file only where told to', async () => {
    writeSecretFile(path, 'first', { replace: false });
    expect(await failure(() => writeSecretFile(path, 'second', { replace: false }))).to.equal('FILE_EXISTS');
    expect(readSecretFile(path)).to.equal('first');
    writeSecretFile(path, 'second', { replace: true });
    expect(readSecretFile(path)).to.equal('second');
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('closes a file that was open to others when it replaces it', () => {
    writeFileSync(path, 'first', { mode: 0o644 });
    writeSecretFile(path, 'second', { replace: true });
    expect(statSync(path).mode & 0o777).to.equal(0o600);
  });

  it('refuses to read a file that others can reach', async () => {
    writeFileSync(path, 'secret');
    const byRoot = statSync(path).uid === 0;
    for (const mode of [0o644, 0o604, 0o602, 0o601, 0o660, 0o620, 0o610, 0o640]) {
      chmodSync(path, mode);
      const allowed = mode === 0o640 && byRoot;
      const read = () => readSecretFile(path);
      if (allowed) expect(read()).to.equal('secret');
      else expect(await failure(read), mode.toString(8)).to.equal('FILE_EXPOSED');
    }
    chmodSync(path, 0o644);
    expectSilence(await caught(() => readSecretFile(path)), ['secret\n', 'secret"']);
  });

  it('looks at the file, not at a link to it', async () => {
    writeFileSync(path, 'secret', { mode: 0o600 });
    const link = join(folder, 'link');
    symlinkSync(path, link);
    expect(readSecretFile(link)).to.equal('secret');
    chmodSync(path, 0o644);
    expect(await failure(() => readSecretFile(link))).to.equal('FILE_EXPOSED');
  });

  it('says what is missing or no file', async () => {
    mkdirSync(path, { mode: 0o700 });
    expect(await failure(() => readSecretFile(join(folder, 'none')))).to.equal('FILE_MISSING');
    expect(await failure(() => readSecretFile(path))).to.equal('FILE_UNREADABLE');
    expect(await failure(() => writeSecretFile(join(folder, 'none', 'keys'), 'x', { replace: true }))).to.equal(
      'FILE_MISSING',
    );
    expect(await failure(() => writeSecretFile(path, 'x', { replace: true }))).to.equal('FILE_UNREADABLE');
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('keeps what stood there when it cannot be written', async () => {
    writeSecretFile(path, 'first', { replace: false });
    expect(await failure(() => writeSecretFile(join(path, 'below'), 'x', { replace: true }))).to.equal(
      'FILE_UNREADABLE',
    );
    expect(readFileSync(path, 'utf8')).to.equal('first');
  });
});
