import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { signNote } from '../../src/log/note.js';
import { formatVerifierKey } from '../../src/log/note-key.js';
import { parseState, type State } from '../../src/witness/state.js';
import { StateError } from '../../src/witness/state-error.js';
import { DISK, type Disk, StateFile } from '../../src/witness/state-file.js';
import { Witness } from '../../src/witness/witness.js';
import { logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { Log } from './logs.js';

const [key, otherKey] = witnessKeys;
const log = new Log(20);
const rewritten = new Log(20, 1, 5);

async function codeOf(made: Promise<StateFile>): Promise<string> {
  const file = await made.catch((error: unknown) => error);
  if (file instanceof StateError) return file.code;
  await (file as StateFile).close();
  return 'none';
}

describe('state file', () => {
  let folder: string;
  let path: string;
  let options: { path: string; witness: NonNullable<typeof key>; logs: (typeof logKey)[] };
  const opened = new Set<StateFile>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'witness-'));
    path = join(folder, 'state.json');
    options = { path, witness: key!, logs: [logKey] };
  });
  afterEach(async () => {
    for (const file of opened) await file.close();
    opened.clear();
    await rm(folder, { recursive: true });
  });

  async function open(how: 'open' | 'create', disk: Disk = DISK): Promise<StateFile> {
    const file = await StateFile[how]({ ...options, disk });
    opened.add(file);
    return file;
  }

  function witnessOf(keeper: StateFile): Witness {
    return new Witness({ key: key!, logs: [logKey], keeper, now: () => new Date(1_790_000_000_000) });
  }

  /** A file of a witness that has cosigned size 10, closed. */
  async function atTen(): Promise<string> {
    const file = await open('create');
    witnessOf(file).addCheckpoint(await log.request(0, 10));
    await file.close();
    return readFile(path, 'utf8');
  }

  const shown = (state: State) => [...state.values()].map(({ origin, size }) => [origin, size]);

  it('is made once, by name, and found as it was left', async () => {
    expect(await codeOf(StateFile.open(options))).to.equal('STATE_MISSING');
    expect(shown((await open('create')).state)).to.deep.equal([]);
    for (const file of opened) await file.close();
    expect(await codeOf(StateFile.create(options))).to.equal('STATE_EXISTS');
    await rm(path);
    await atTen();
    const again = await open('open');
    expect(shown(again.state)).to.deep.equal([[ORIGIN, 10]]);
    expect('refusal' in witnessOf(again).addCheckpoint(await rewritten.request(0, 20))).to.equal(true);
    expect('cosignature' in witnessOf(again).addCheckpoint(await log.request(10, 20))).to.equal(true);
  });

  it('keeps what it has of a log that is no longer witnessed, or has another key', async () => {
    await atTen();
    const file = await StateFile.open({ ...options, logs: [] });
    expect(shown(file.state)).to.deep.equal([[ORIGIN, 10]]);
    await file.close();
  });

  it('is refused with any byte changed, dropped or added, but for which key of the log signed', async () => {
    const text = await atTen();
    const bytes = Buffer.from(text);
    const id = text.indexOf('— ledger.example.com');
    const spared = [
      Buffer.byteLength(text.slice(0, id)),
      Buffer.byteLength(text.slice(0, text.indexOf(' ', id + 2) + 9)),
    ];
    const changed = [...bytes.keys()]
      .filter((at) => at < spared[0]! || at > spared[1]!)
      .map((at) => bytes.with(at, bytes[at]! ^ 1));
    const cut = [0, 1, bytes.length >> 1, bytes.length - 1].map((length) => bytes.subarray(0, length));
    for (const one of [...changed, ...cut, Buffer.from(`${text}\n`)]) {
      const found = Buffer.from(one).toString();
      expect(() => parseState(found, key!, [logKey]), found).to.throw(StateError);
    }
    await writeFile(path, changed[5]!);
    expect(await codeOf(StateFile.open(options))).to.equal('STATE_MALFORMED');
  });

  for (const [what, text] of Object.entries({
    'no JSON': 'state',
    'JSON of another kind': 'null\n',
    'of another version': `${JSON.stringify({ v: 2, witness: formatVerifierKey(key!), checkpoints: [] }, null, 2)}\n`,
    'with a note that it did not cosign': `${JSON.stringify({ v: 1, witness: formatVerifierKey(key!), checkpoints: [signNote(`${ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`, [logKey])] }, null, 2)}\n`,
    'with a note that is no checkpoint': `${JSON.stringify({ v: 1, witness: formatVerifierKey(key!), checkpoints: [signNote('text\n', [key!], 1)] }, null, 2)}\n`,
  })) {
    it(`is malformed ${what}`, async () => {
      await writeFile(path, text);
      expect(await codeOf(StateFile.open(options))).to.equal('STATE_MALFORMED');
    });
  }

  it('is of one witness', async () => {
    await atTen();
    expect(await codeOf(StateFile.open({ ...options, witness: otherKey! }))).to.equal('STATE_OF_ANOTHER');
  });

  it('is one process’s at a time, by whatever path', async () => {
    await open('create');
    expect(await codeOf(StateFile.open(options))).to.equal('STATE_LOCKED');
    const link = join(folder, 'link.json');
    await symlink(path, link);
    expect(await codeOf(StateFile.open({ ...options, path: link }))).to.equal('STATE_LOCKED');
    await symlink(folder, `${folder}-link`);
    expect(await codeOf(StateFile.open({ ...options, path: join(`${folder}-link`, 'state.json') }))).to.equal(
      'STATE_LOCKED',
    );
    await rm(`${folder}-link`);
    for (const file of opened) await file.close();
    expect(await codeOf(StateFile.open(options))).to.equal('none');
  });

  it('is replaced by nobody who lost the lock, or finds what it did not write', async () => {
    const file = await open('create');
    const { state } = file;
    const mine = await readFile(path, 'utf8');
    await writeFile(path, `${mine} `);
    expect(() => file.replace(state))
      .to.throw(StateError)
      .with.property('code', 'STATE_CHANGED');
    await rm(path);
    expect(() => file.replace(state))
      .to.throw(StateError)
      .with.property('code', 'STATE_CHANGED');
    await writeFile(path, mine);
    file.replace(state);
    await rm(`${path}.lock`);
    expect(() => file.replace(state))
      .to.throw(StateError)
      .with.property('code', 'STATE_LOCKED');
  });

  it('says where it cannot be', async () => {
    expect(await codeOf(StateFile.create({ ...options, path: join(folder, 'none', 'state.json') }))).to.equal(
      'FOLDER_MISSING',
    );
    expect(await codeOf(StateFile.create({ ...options, path: join(folder, 'x'.repeat(120)) }))).to.equal(
      'PATH_TOO_LONG',
    );
    expect(await codeOf(StateFile.open({ ...options, path: folder }))).to.equal('STATE_UNUSABLE');
  });

  /** A disk on which one step of the next replacement fails, before or after it was done; then the process is gone. */
  function dying(step: 'write' | 'rename' | 'settle', done: boolean): { disk: Disk; arm(): void } {
    let armed = false;
    const fails =
      (does: (...args: [string, string]) => void) =>
      (...args: [string, string]) => {
        if (!armed || done) does(...args);
        if (armed) throw Object.assign(new Error('I/O error'), { code: 'EIO' });
      };
    const disk = { ...DISK, [step]: fails(DISK[step] as (...args: [string, string]) => void) };
    return {
      disk,
      arm: () => {
        armed = true;
      },
    };
  }

  for (const step of ['write', 'rename', 'settle'] as const) {
    for (const done of [false, true]) {
      it(`holds one history where ${step} failed${done ? ', but was done' : ''}`, async () => {
        const { disk, arm } = dying(step, done);
        const file = await open('create', disk);
        witnessOf(file).addCheckpoint(await log.request(0, 10));
        arm();
        const request = await log.request(10, 20);
        expect(() => witnessOf(file).addCheckpoint(request))
          .to.throw(StateError)
          .with.property('code', 'STATE_UNUSABLE');
        await file.close();

        const again = await open('open');
        const [[, size]] = shown(again.state) as [[string, number]];
        expect(size).to.be.oneOf([10, 20]);
        expect('cosignature' in witnessOf(again).addCheckpoint(await log.request(size, 20))).to.equal(true);
        for (const from of [0, 10, 20]) {
          expect('refusal' in witnessOf(again).addCheckpoint(await rewritten.request(from, 20))).to.equal(true);
        }
        expect(existsSync(`${path}.next`)).to.equal(false);
      });
    }
  }

  it('is written beside, then renamed, then settled, all before a replacement returns', async () => {
    const steps: string[] = [];
    const noted = <A extends string[], R>(name: string, does: (...args: A) => R) => {
      return (...args: A): R => {
        steps.push(`${name} ${args[0]!.slice(folder.length)}`);
        return does(...args);
      };
    };
    const { read, write, rename, settle } = DISK;
    const disk = {
      read: noted('read', read),
      write: noted('write', write),
      rename: noted('rename', rename),
      settle: noted('settle', settle),
    };
    const file = await open('create', disk);
    steps.length = 0;
    file.replace(file.state);
    expect(steps).to.deep.equal(['read /state.json', 'write /state.json.next', 'rename /state.json.next', 'settle ']);
  });

  it('cosigns on where a write failed and the next does not', async () => {
    let full = false;
    const disk: Disk = {
      ...DISK,
      write: (...args) => {
        if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        DISK.write(...args);
      },
    };
    const file = await open('create', disk);
    const request = await log.request(0, 10);
    full = true;
    expect(() => witnessOf(file).addCheckpoint(request)).to.throw(StateError);
    full = false;
    expect('cosignature' in witnessOf(file).addCheckpoint(request)).to.equal(true);
  });

  it('refuses where it does not know what became of its last write', async () => {
    const { disk, arm } = dying('settle', false);
    const file = await open('create', disk);
    arm();
    const [first, second] = [await log.request(0, 10), await rewritten.request(0, 10)];
    expect(() => witnessOf(file).addCheckpoint(first))
      .to.throw(StateError)
      .with.property('code', 'STATE_UNUSABLE');
    expect(() => witnessOf(file).addCheckpoint(second))
      .to.throw(StateError)
      .with.property('code', 'STATE_CHANGED');
  });
});
