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
import { changeSecretFile, makeSecretFile, readOrMakeSecretFile, readSecretFile } from '../../src/vault/secret-file.js';
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
      makeSecretFile(path, 'secret');
    } finally {
      process.umask(before);
    }
    expect(readSecretFile(path)).to.equal('secret');
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('is made, and changed out of what it was', async () => {
    makeSecretFile(path, 'first');
    expect(await failure(() => makeSecretFile(path, 'second'))).to.equal('FILE_EXISTS');
    expect(readSecretFile(path)).to.equal('first');
    changeSecretFile(path, (text) => `${text}, second`);
    expect(readSecretFile(path)).to.equal('first, second');
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('is changed by one at a time: whoever comes meanwhile changes nothing, and can try again', async () => {
    makeSecretFile(path, 'first');
    let meanwhile = '';
    const add = (word: string) => () => changeSecretFile(path, (text) => `${text}, ${word}`);
    await new Promise<void>((resolve, reject) => {
      changeSecretFile(path, (text) => {
        failure(add('third')).then((code) => {
          meanwhile = code;
          resolve();
        }, reject);
        return `${text}, second`;
      });
    });
    expect(meanwhile).to.equal('FILE_BUSY');
    expect(readSecretFile(path)).to.equal('first, second');
    add('third')();
    expect(readSecretFile(path)).to.equal('first, second, third');
  });

  it('stays as it was where its change fails, and nothing is in the way of the next', async () => {
    makeSecretFile(path, 'first');
    const failing = () =>
      changeSecretFile(path, () => {
        throw new RangeError('no');
      });
    expect(await caught(failing)).to.be.instanceOf(RangeError);
    chmodSync(path, 0o644);
    expect(await failure(() => changeSecretFile(path, () => 'second'))).to.equal('FILE_EXPOSED');
    chmodSync(path, 0o600);
    expect(readSecretFile(path)).to.equal('first');
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('is made where there is none, and otherwise read', () => {
    expect(readOrMakeSecretFile(path, () => 'first')).to.equal('first');
    const never = () => {
      throw new Error('it stands');
    };
    expect(readOrMakeSecretFile(path, never)).to.equal('first');
    rmSync(path);
    const late = () => {
      makeSecretFile(path, 'of another, that was quicker');
      return 'ours';
    };
    expect(readOrMakeSecretFile(path, late)).to.equal('of another, that was quicker');
  });

  it('is named in faults by the path that was asked for, and no other', async () => {
    makeSecretFile(path, 'first');
    const below = join(folder, 'none', 'keys');
    writeFileSync(`${path}.next`, '');
    for (const [attempt, asked] of [
      [() => makeSecretFile(path, 'x'), path],
      [() => makeSecretFile(below, 'x'), below],
      [() => changeSecretFile(below, () => 'x'), below],
      [() => changeSecretFile(path, () => 'x'), path],
      [() => readSecretFile(below), below],
    ] as const) {
      const { message } = (await caught(attempt)) as Error;
      expect(message.slice(0, message.indexOf(':'))).to.equal(asked);
    }
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
    expect(await failure(() => makeSecretFile(join(folder, 'none', 'keys'), 'x'))).to.equal('FILE_MISSING');
    expect(await failure(() => changeSecretFile(join(folder, 'none'), () => 'x'))).to.equal('FILE_MISSING');
    expect(await failure(() => changeSecretFile(path, () => 'x'))).to.equal('FILE_UNREADABLE');
    expect(readdirSync(folder)).to.deep.equal(['keys.json']);
  });

  it('keeps what stood there when it cannot be written', async () => {
    makeSecretFile(path, 'first');
    expect(await failure(() => makeSecretFile(join(path, 'below'), 'x'))).to.equal('FILE_UNREADABLE');
    expect(readFileSync(path, 'utf8')).to.equal('first');
  });
});
