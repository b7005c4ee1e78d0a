import { expect } from 'chai';
import { type Share, shareEmbedded } from '../../../src/database/embedded/share.js';
import { findEmbedded } from '../../../src/database/embedded.js';
import { ask, closeFolder, openFolder } from '../../support/postgres.js';
import { endPrograms, program, said } from '../../support/program.js';

/** Takes a share in a process of its own, says the URL, and stays. */
const SHARES = `
  import { shareEmbedded } from '${new URL('../../../src/database/embedded/share.ts', import.meta.url)}';
  const run = (options) => shareEmbedded(options).then((it) => it.embedded.url());`;

describe('a share of the embedded PostgreSQL', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await openFolder();
  });
  afterEach(async () => {
    await endPrograms();
    await closeFolder(dataDir);
  });
  const share = (): Promise<Share> => shareEmbedded({ dataDir, durable: false });
  const isRunning = async () => Boolean((await findEmbedded(dataDir))?.running);

  it('keeps it running until the last is let go of', async () => {
    const [first, second] = [await share(), await share()];
    expect(second.embedded.pid).to.equal(first.embedded.pid);
    await first.release();
    expect(await isRunning()).to.equal(true);
    await second.release();
    expect(await isRunning()).to.equal(false);
  });

  it('is let go of by all at once, and it ends', async () => {
    const all = await Promise.all([share(), share(), share()]);
    await Promise.all(all.map((one) => one.release()));
    expect(await isRunning()).to.equal(false);
  });

  it('ends with its process, and is not in the way then', async () => {
    const other = program(SHARES, { dataDir, durable: false });
    await said(other);
    const ours = await share();
    other.kill('SIGKILL');
    while ((await ask(ours.embedded.url(), SHARES_HELD)) !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await ours.release();
    expect(await isRunning()).to.equal(false);
  });

  it('is had by whoever comes while the last is being let go of', async () => {
    for (let round = 0; round < 4; round++) {
      const last = await share();
      const released = last.release();
      const next = await share();
      await released;
      expect(await ask(next.embedded.url(), 'SELECT 7 AS it')).to.equal(7);
      await next.release();
    }
  });

  it('is let go of although PostgreSQL was killed, and again by another that started it anew', async () => {
    const first = await share();
    process.kill(first.embedded.pid, 'SIGKILL');
    const second = await share();
    await first.release();
    expect(await isRunning()).to.equal(true);
    await second.release();
    expect(await isRunning()).to.equal(false);
  });

  it('lets one work alone at a time', async () => {
    const [first, second] = [await share(), await share()];
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${name} ends`);
    };
    await Promise.all([first.alone(work('a')), second.alone(work('b'))]);
    expect(order.map((line) => line.split(' ')[0]).join('')).to.be.oneOf(['aabb', 'bbaa']);
    await Promise.all([first.release(), second.release()]);
  });
});

const SHARES_HELD = `SELECT count(*)::int AS it FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'`;
