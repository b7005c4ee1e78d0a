import { once } from 'node:events';
import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Lock, takeLock } from '../../src/witness/lock.js';
import { StateError } from '../../src/witness/state-error.js';
import { ended, endPrograms, program, said } from '../support/program.js';

const TAKES = `
  import { takeLock } from '${new URL('../../src/witness/lock.ts', import.meta.url)}';
  const run = (path) => takeLock(path).then(() => 'taken');`;

async function codeOf(taken: Promise<Lock>): Promise<string> {
  const lock = await taken.catch((error: unknown) => error);
  if (lock instanceof StateError) return lock.code;
  await (lock as Lock).release();
  return 'none';
}

describe('lock', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'witness-'));
    path = join(folder, 'lock');
  });
  afterEach(async () => {
    await endPrograms();
    await rm(folder, { recursive: true });
  });

  /** What a process leaves that was killed. */
  async function leaveDead(): Promise<void> {
    const server = createServer().listen(join(folder, 'dead'));
    await once(server, 'listening');
    await link(join(folder, 'dead'), path);
    await new Promise((resolve) => server.close(resolve));
  }

  it('is taken by one, and by the next after it', async () => {
    const lock = await takeLock(path);
    expect(lock.isHeld()).to.equal(true);
    expect(await codeOf(takeLock(path))).to.equal('STATE_LOCKED');
    await lock.release();
    expect(await codeOf(takeLock(path))).to.equal('none');
  });

  it('is free once the process that held it was killed, and not before', async () => {
    const holder = program(TAKES, path);
    expect(await said(holder)).to.equal('taken');
    expect(await codeOf(takeLock(path))).to.equal('STATE_LOCKED');
    holder.kill('SIGSTOP');
    expect(await codeOf(takeLock(path)), 'held by a process that is stopped').to.equal('STATE_LOCKED');
    holder.kill('SIGKILL');
    await ended(holder);
    expect(await codeOf(takeLock(path))).to.equal('none');
  });

  it('is taken by one of many that find a dead holder’s', async () => {
    for (let round = 0; round < 5; round++) {
      await leaveDead();
      const all = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(path)));
      const taken = all.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
      expect(taken).to.have.length(1);
      expect(taken[0]!.isHeld()).to.equal(true);
      await taken[0]!.release();
    }
  });

  it('is no longer held where somebody took it away, and then is not theirs to remove', async () => {
    const first = await takeLock(path);
    await rm(path);
    const second = await takeLock(path);
    expect([first.isHeld(), second.isHeld()]).to.deep.equal([false, true]);
    await first.release();
    expect(second.isHeld()).to.equal(true);
    await second.release();
  });

  it('removes nothing that is no lock', async () => {
    await writeFile(path, 'a letter');
    expect(await codeOf(takeLock(path))).to.equal('STATE_UNUSABLE');
    await writeFile(path, 'a letter', { flag: 'r+' });
  });
});
