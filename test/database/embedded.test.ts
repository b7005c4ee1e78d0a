import { spawn } from 'node:child_process';
import { chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { accountFor } from '../../src/database/embedded/account.js';
import { as, isAlive } from '../../src/database/embedded/program.js';
import {
  type Embedded,
  type EmbeddedPostgresCode,
  EmbeddedPostgresError,
  findEmbedded,
  startEmbedded,
} from '../../src/database/embedded.js';
import { ask, closeFolder, codeOf, openFolder } from '../support/postgres.js';
import { ended, endPrograms, program, STARTS, said } from '../support/program.js';

describe('the embedded PostgreSQL', () => {
  let dataDir: string;
  const running = new Set<Embedded>();

  const start = async (durable = false, folder = dataDir): Promise<Embedded> => {
    const embedded = await startEmbedded({ dataDir: folder, durable });
    running.add(embedded);
    return embedded;
  };

  /** A program of its own that starts the same cluster, says its URL or the fault's code, and stays. */
  const another = () => program(STARTS, { dataDir, durable: false });

  beforeEach(async () => {
    dataDir = await openFolder();
  });

  afterEach(async () => {
    await endPrograms();
    for (const embedded of running) await embedded.stop();
    running.clear();
    await closeFolder(dataDir);
  });

  describe('when it is new', () => {
    let home: string;
    let fresh: Embedded;
    before(async () => {
      home = await openFolder();
      fresh = await startEmbedded({ dataDir: home });
    });
    after(async () => {
      await fresh.stop();
      await closeFolder(home);
    });

    it('was started, not taken over, and is found', async () => {
      expect(fresh.adopted).to.equal(false);
      expect(await findEmbedded(dataDir)).to.equal(null);
      const found = await findEmbedded(home);
      expect(found?.running?.url('x')).to.equal(fresh.url('x'));
      expect(found?.running?.pid).to.equal(fresh.pid);
    });

    for (const [setting, value] of Object.entries({
      ...{ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', data_checksums: 'on' },
      ...{ server_encoding: 'UTF8', listen_addresses: '127.0.0.1', unix_socket_directories: '', TimeZone: 'UTC' },
    })) {
      it(`has ${setting} '${value}'`, async () => {
        expect(await ask(fresh.url(), `SELECT current_setting('${setting}') AS it`)).to.equal(value);
      });
    }

    it('orders by code point, and knows the case of every letter', async () => {
      const sorted = `SELECT string_agg(c, '' ORDER BY c) AS it FROM unnest(ARRAY['a','B','ä','Z','b','A']) c`;
      expect(await ask(fresh.url(), sorted)).to.equal('ABZabä');
      expect(await ask(fresh.url(), `SELECT lower('Ä') AS it`)).to.equal('ä');
    });

    it('lets nobody in without the password, nor from elsewhere', async () => {
      const url = new URL(fresh.url());
      url.password = 'guessed';
      expect(await codeOf(ask(url.href, 'SELECT 1 AS it'))).to.equal('28P01');
      const elsewhere = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
      for (const { address } of elsewhere.filter(({ family, internal }) => family === 'IPv4' && !internal)) {
        url.hostname = address;
        expect(await codeOf(ask(url.href, 'SELECT 1 AS it')), address).to.equal('ECONNREFUSED');
      }
    });

    it('keeps its files and its password to its own account', async () => {
      const cluster = await stat(join(home, 'postgres'));
      const connection = await stat(join(home, 'postgres', 'connection.json'));
      expect(cluster.mode & 0o777).to.equal(0o700);
      expect(connection.mode & 0o777).to.equal(0o600);
      expect((await stat(join(home, 'postgres.log'))).mode & 0o777).to.equal(0o600);
      expect(connection.uid).to.equal(cluster.uid);
      expect(cluster.uid).not.to.equal(0);
    });

    it('logs no statement and no detail, which could hold values', async () => {
      await ask(fresh.url(), 'CREATE TABLE t (it text UNIQUE)');
      await ask(fresh.url(), `INSERT INTO t VALUES ('hidden')`);
      expect(await codeOf(ask(fresh.url(), `INSERT INTO t VALUES ('hidden')`))).to.equal('23505');
      const log = await readFile(join(home, 'postgres.log'), 'utf8');
      expect(log).to.contain('duplicate key');
      expect(log).not.to.contain('hidden');
    });

    it('makes a folder that is missing, on a way that its account can go', async () => {
      const before = process.umask(0o077);
      try {
        expect((await start(false, join(dataDir, 'a', 'b c'))).adopted).to.equal(false);
      } finally {
        process.umask(before);
      }
    });
  });

  describe('when it is started again', () => {
    it('is taken over while it runs, and ended for all by a stop, which can be repeated', async () => {
      const first = await start();
      const second = await start();
      expect([second.adopted, second.pid, second.url()]).to.deep.equal([true, first.pid, first.url()]);
      await second.stop();
      await second.stop();
      expect(await findEmbedded(dataDir)).to.deep.equal({ running: null });
      expect(isAlive(first.pid)).to.equal(false);
    });

    it('has its data and its port still', async () => {
      const first = await start();
      await ask(first.url(), 'CREATE TABLE t AS SELECT 7 AS it');
      await first.stop();
      const second = await start();
      expect([second.adopted, second.port]).to.deep.equal([false, first.port]);
      expect(await ask(second.url(), 'SELECT it FROM t')).to.equal(7);
    });

    it('takes another port if its own is taken, and remembers it', async () => {
      const first = await start();
      await first.stop();
      const taker = await listening(first.port);
      const second = await start();
      taker.close();
      expect(second.port).not.to.equal(first.port);
      await second.stop();
      expect((await start()).port).to.equal(second.port);
    });

    it('has a log of this start and one of the start before', async () => {
      for (let n = 0; n < 3; n++) await (await start()).stop();
      expect((await readdir(dataDir)).sort()).to.deep.equal(['postgres', 'postgres.log', 'postgres.log.1']);
      expect((await readFile(join(dataDir, 'postgres.log'), 'utf8')).match(/starting PostgreSQL/g)).to.have.length(1);
    });

    it('is one, however many start it at once, from nothing and from rest', async () => {
      for (const from of ['nothing', 'rest']) {
        const others = [another(), another()];
        const here = await Promise.all([start(), start()]);
        const urls = await Promise.all(others.map(said));
        expect(new Set([...urls, ...here.map(({ url }) => url())]), from).to.have.length(1);
        await here[0].stop();
      }
      expect((await readdir(dataDir)).filter((name) => name.includes('.new-'))).to.deep.equal([]);
    });
  });

  describe('when something was killed', () => {
    it('outlives its program, and the next takes it over', async () => {
      const killed = another();
      const url = await said(killed);
      await ask(url, 'CREATE TABLE t AS SELECT 7 AS it');
      killed.kill('SIGKILL');
      await ended(killed);
      const next = await start();
      expect([next.adopted, next.url()]).to.deep.equal([true, url]);
      expect(await ask(next.url(), 'SELECT it FROM t')).to.equal(7);
    });

    it('is not reached by Ctrl-C in the program’s terminal', async () => {
      const interrupted = another();
      const url = await said(interrupted);
      process.kill(-interrupted.pid!, 'SIGINT');
      await ended(interrupted);
      await sleep(100);
      expect(await ask(url, 'SELECT 7 AS it')).to.equal(7);
    });

    it('recovers with all that was committed, though sessions of the killed one still end', async () => {
      const first = await start(true);
      await ask(first.url(), 'CREATE TABLE t AS SELECT 7 AS it');
      const busy = ask(first.url(), 'SELECT count(*) AS it FROM generate_series(1, 4000000)').catch(() => null);
      await ask(first.url(), 'INSERT INTO t VALUES (8)');
      process.kill(first.pid, 'SIGKILL');
      const second = await start(true);
      expect(second.adopted).to.equal(false);
      expect(await ask(second.url(), 'SELECT sum(it)::int AS it FROM t')).to.equal(15);
      await busy;
    });

    it('starts though the pid in its lock file is now another process’s', async () => {
      const first = await start();
      await ask(first.url(), 'CREATE TABLE t AS SELECT 7 AS it');
      const lock = join(dataDir, 'postgres', 'postmaster.pid');
      const text = await readFile(lock, 'utf8');
      await first.stop();
      const account = await accountFor(join(dataDir, 'postgres'));
      const other = spawn('sleep', ['60'], { stdio: 'ignore', ...as(account) });
      try {
        await writeFile(lock, text.replace(/^\d+/, String(other.pid)), { mode: 0o600 });
        if (account) await chown(lock, account.uid, account.gid);
        expect((await findEmbedded(dataDir))?.running).to.equal(null);
        expect((await start()).adopted).to.equal(false);
        expect(other.exitCode ?? other.signalCode).to.equal(null);
      } finally {
        other.kill();
      }
    });

    it('begins again where the making of its files was cut off', async () => {
      const killed = another();
      while (!(await readdir(dataDir)).some((name) => name.startsWith('postgres.new-'))) await sleep(5);
      await sleep(100);
      killed.kill('SIGKILL');
      await ended(killed);
      expect(await readdir(dataDir)).not.to.contain('postgres');
      expect((await start()).adopted).to.equal(false);
      expect((await readdir(dataDir)).filter((name) => name.includes('.new-'))).to.deep.equal([]);
    });
  });

  describe('when it cannot start', () => {
    it('names a cluster that has lost its password', async () => {
      await (await start()).stop();
      await rm(join(dataDir, 'postgres', 'connection.json'));
      await refused('INIT_FAILED');
      expect(await codeOf(findEmbedded(dataDir))).to.equal('INIT_FAILED');
    });

    it('names a PostgreSQL that refuses the password', async () => {
      const embedded = await start();
      await ask(embedded.url(), `ALTER ROLE postgres PASSWORD 'another'`);
      await refused('DATA_DIR_IN_USE');
    });

    it('says in PostgreSQL’s words what is wrong with the files', async () => {
      await (await start()).stop();
      await rm(join(dataDir, 'postgres', 'global', 'pg_control'));
      const { message } = await refused('START_FAILED');
      expect(message).to.contain('pg_control');
    });

    it('names a DATA_DIR that is a file', async () => {
      await writeFile(join(dataDir, 'file'), '');
      const { message } = await refused('FOLDER_UNREACHABLE', join(dataDir, 'file'));
      expect(message).to.contain('DATA_DIR');
    });
  });

  async function refused(expected: EmbeddedPostgresCode, folder = dataDir): Promise<EmbeddedPostgresError> {
    const error: unknown = await startEmbedded({ dataDir: folder, durable: false }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof EmbeddedPostgresError)) throw new Error(`${expected} was expected`, { cause: error });
    expect(error.code).to.equal(expected);
    return error;
  }
});

function listening(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
