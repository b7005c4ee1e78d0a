import { type ChildProcess, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import { openPool } from '../../src/database/pools.js';
import { inSnapshot } from '../../src/ledger/log-rows.js';
import { verifyRows } from '../../src/ledger/verify-rows.js';
import { signCheckpoint } from '../../src/log/checkpoint.js';
import { signingKey } from '../../src/log/note-key.js';
import type { Hash } from '../../src/log/tree.js';
import type { Server } from '../../src/server/server.js';
import { aBody } from '../cli/logs.js';
import { ORIGIN, openLedger } from '../support/ledger.js';
import { ended, said } from '../support/program.js';
import { type Answer, openSite, type Site, serveSite, stopServer } from '../support/server.js';

const JOB = `id reviewer state requestedAt startedAt finishedAt entries ofEntries fault report {
  verdict why vouched { size by } size root findings { code first last expected found } unlisted unchecked }`;
const VERIFY = `mutation ($held: [HeldEntryInput!], $checkpoints: [String!]) {
  verifyLog(held: $held, checkpoints: $checkpoints) { ${JOB} } }`;
const ASK = `query ($id: ID!) { verification(id: $id) { ${JOB} } }`;
const HEAD = '{ logHead { index link size } }';

/** Some pages, so that there is something between the beginning and the end. */
const ENTRIES = 3_300;

const SERVING = fileURLToPath(new URL('../support/serving.ts', import.meta.url));

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A whole server, verifying its log for reviewers who have nothing but a token. */
describe('verifyLog, over HTTP', function () {
  this.timeout(90_000);
  let site: Site;
  let server: Server;
  const stop = async () => {
    if (server) await stopServer(server);
    (server as Server | null) = null;
  };
  let superuser: pg.Client;
  let child: ChildProcess | undefined;
  before(async () => {
    site = await openSite([
      { id: 'rita', roles: ['security-reviewer'] },
      { id: 'nils', roles: ['security-reviewer'] },
      { id: 'sam', roles: ['support-agent'] },
    ]);
    server = await serveSite(site);
    superuser = new pg.Client({ connectionString: site.database.superuserUrl });
    await superuser.connect();
    await append(ENTRIES);
  });
  after(async () => {
    child?.kill('SIGKILL');
    await superuser.end();
    await stop();
    await site.close();
  });

  const ask = (client: string, query: string, variables: object = {}, url = server.url): Promise<Answer> =>
    site.post(url, client, { query, variables });
  const verify = async (variables: object = {}, client = 'rita', url = server.url) => {
    const { data, errors } = await ask(client, VERIFY, variables, url);
    expect(errors).to.equal(undefined);
    return data.verifyLog;
  };
  const jobAt = async (id: string, url = server.url) => (await ask('rita', ASK, { id }, url)).data.verification;
  async function until(id: string, is: (job: { state: string; entries: number }) => boolean, url = server.url) {
    for (const began = performance.now(); ; await sleep(40)) {
      const job = await jobAt(id, url);
      if (is(job)) return job;
      if (performance.now() - began > 40_000) throw new Error(`it stays ${JSON.stringify(job)}`);
    }
  }
  const done = async (id: string, url = server.url) => {
    const job = await until(id, ({ state }) => state === 'DONE' || state === 'FAILED', url);
    expect([job.state, job.fault]).to.deep.equal(['DONE', null]);
    return job;
  };
  const reportOf = async (variables: object = {}) => (await done((await verify(variables)).id)).report;
  const codes = ({ findings }: { findings: { code: string; first: number; last: number }[] }) =>
    findings.map(({ code, first, last }) => `${code} ${first}–${last}`);
  const head = async () => (await ask('rita', HEAD)).data.logHead;
  const size = async (): Promise<number> =>
    (await superuser.query('SELECT count(*)::int AS it FROM ledger.entry')).rows[0].it;

  async function append(count: number): Promise<void> {
    const { ledger, close } = await openLedger(site.database.url);
    for (let left = count; left > 0; left -= 100) {
      const asOf = await size();
      await ledger.append(Array.from({ length: Math.min(left, 100) }, () => aBody({ asOf })));
    }
    await close();
  }

  /** What a superuser does, while something is asked, and all as it was. */
  async function while_<T>(does: string, undoes: string, table: string, asked: () => Promise<T>): Promise<T> {
    const without = (sql: string) =>
      superuser.query(
        `ALTER TABLE ${table} DISABLE TRIGGER USER; ${sql}; ALTER TABLE ${table} ENABLE ALWAYS TRIGGER append_only`,
      );
    await without(does);
    try {
      return await asked();
    } finally {
      await without(undoes);
    }
  }

  /** Each row takes a reviewer's connection so long, and nobody else's. */
  async function slowly<T>(ms: number, asked: (quick: () => Promise<void>) => Promise<T>): Promise<T> {
    await superuser.query(`ALTER TABLE ledger.entry ENABLE ROW LEVEL SECURITY;
      CREATE POLICY others ON ledger.entry FOR SELECT TO access_ledger_reader, access_ledger_writer USING (true);
      CREATE POLICY slowly ON ledger.entry FOR SELECT TO access_ledger_reviewer USING (pg_sleep(${ms / 1_000}) IS NOT NULL)`);
    const quick = async () => {
      await superuser.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'access_ledger_reviewer' AND datname = current_database()`);
      await superuser.query(`DROP POLICY IF EXISTS others ON ledger.entry; DROP POLICY IF EXISTS slowly ON ledger.entry;
        ALTER TABLE ledger.entry DISABLE ROW LEVEL SECURITY`);
    };
    try {
      return await asked(quick);
    } finally {
      await quick();
    }
  }

  /** Until somebody's verification has begun with the entries. */
  async function reading(): Promise<void> {
    for (let rowCount: number | null = 0; !rowCount; await sleep(20)) {
      ({ rowCount } = await superuser.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'
        AND application_name = 'access_ledger_reviewer' AND datname = current_database()`));
    }
  }

  it('returns at once, goes on in the background, and says how far it is', async () => {
    await slowly(1, async () => {
      const job = await verify();
      expect(job).to.include({ entries: 0, fault: null, report: null, finishedAt: null });
      expect(job.state).to.be.oneOf(['WAITING', 'RUNNING']);
      const begun = await until(job.id, ({ entries }) => entries > 0);
      expect(begun).to.include({ state: 'RUNNING', report: null, finishedAt: null });
      expect(begun.entries % 1_000).to.equal(0);
      expect(begun.ofEntries).to.be.within(ENTRIES, ENTRIES + 200);
      expect(Date.parse(begun.startedAt)).to.be.within(Date.parse(begun.requestedAt), Date.now() + 5_000);
      const { entries, ofEntries, finishedAt, report } = await done(job.id);
      expect([entries, ofEntries]).to.deep.equal([report.size, report.size]);
      expect(Date.parse(finishedAt)).to.be.greaterThan(Date.parse(begun.startedAt));
    });
  });

  it('is inconclusive without evidence from outside, whatever the server has signed', async () => {
    const report = await reportOf();
    const { rows } = await superuser.query('SELECT max(size) AS size FROM ledger.checkpoint WHERE note IS NOT NULL');
    expect(Number(rows[0].size), 'nothing was signed').to.be.greaterThan(0);
    expect(report).to.deep.include({
      verdict: 'INCONCLUSIVE',
      why: 'NO_EVIDENCE',
      vouched: null,
      findings: [],
      unlisted: 0,
    });
    expect(report.unchecked).to.deep.equal([]);
    expect(report.root).to.match(/^[0-9a-f]{64}$/);
  });

  it('is intact with an entry that was shown, or a checkpoint that was kept', async () => {
    const { index, link } = await head();
    const byLink = await reportOf({ held: [{ index, link }] });
    expect(byLink).to.deep.include({ verdict: 'INTACT', why: null, findings: [] });
    expect(byLink.vouched).to.deep.equal({ size: index + 1, by: [`the held link of entry ${index}`] });
    const note = await (await fetch(`${server.url}/checkpoint`)).text();
    const byNote = await reportOf({ checkpoints: [note] });
    expect(byNote).to.deep.include({ verdict: 'INTACT', findings: [] });
    expect(byNote.vouched).to.deep.equal({ size: Number(note.split('\n')[1]), by: [`the checkpoint of ${ORIGIN}`] });
  });

  it('is tampered where evidence contradicts it', async () => {
    const { index } = await head();
    const wrong = await reportOf({ held: [{ index: index - 3, link: 'ab'.repeat(32) }] });
    expect([wrong.verdict, wrong.findings.length]).to.deep.equal(['TAMPERED', 1]);
    // From where its own checkpoint says the same as the log.
    expect(wrong.findings[0]).to.include({ code: 'ROOT_MISMATCH', last: index - 3 });
    const longer = await reportOf({ held: [{ index: index + 100_000, link: 'ab'.repeat(32) }] });
    expect(longer.verdict).to.equal('TAMPERED');
    expect(longer.findings[0]).to.include({ code: 'TAIL_CUT', last: index + 100_000 });
    const key = signingKey(ORIGIN, new Uint8Array(32).fill(7));
    const other = signCheckpoint({ origin: ORIGIN, size: 7, root: new Uint8Array(32) as Hash }, key);
    expect(codes(await reportOf({ checkpoints: [other] }))).to.include('ROOT_MISMATCH 0–6');
  });

  it('finds what a superuser edits, by its code and index', async () => {
    const column = await while_(
      `UPDATE ledger.entry SET event = 'user.found' WHERE index = 400`,
      `UPDATE ledger.entry SET event = 'record.read' WHERE index = 400`,
      'ledger.entry',
      reportOf,
    );
    expect(column).to.deep.include({ verdict: 'TAMPERED', why: null });
    expect(column.findings).to.deep.equal([
      { code: 'PROJECTION_EDITED', first: 400, last: 400, expected: 'event: record.read', found: 'event: user.found' },
    ]);
    const swap = (from: string, to: string) =>
      `UPDATE ledger.entry SET leaf = replace(leaf, '"role":"${from}"', '"role":"${to}"') WHERE index = 500`;
    const leaf = await while_(
      swap('support-agent', 'privacy-officer'),
      swap('privacy-officer', 'support-agent'),
      'ledger.entry',
      reportOf,
    );
    expect(codes(leaf)).to.deep.equal(['CONTENT_EDITED 500–500']);
  });

  it('finds a checkpoint of the server’s own that is of another log, without any evidence', async () => {
    const { rows } = await superuser.query(`SELECT n AS size FROM generate_series(1, 900) AS n
      WHERE NOT EXISTS (SELECT FROM ledger.checkpoint c WHERE c.size = n) ORDER BY n DESC LIMIT 1`);
    const [{ size: place }] = rows;
    const key = signingKey(ORIGIN, new Uint8Array(32).fill(7));
    const note = signCheckpoint({ origin: ORIGIN, size: place, root: new Uint8Array(32) as Hash }, key);
    const report = await while_(
      `INSERT INTO ledger.checkpoint VALUES (${place}, 1, decode(repeat('00', 32), 'hex'), now(), ${pg.escapeLiteral(note)})`,
      `DELETE FROM ledger.checkpoint WHERE size = ${place}; ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER sign_once`,
      'ledger.checkpoint',
      reportOf,
    );
    expect(report.verdict).to.equal('TAMPERED');
    expect(codes(report).map((code) => code.replace(/\d+–/, ''))).to.include(`ROOT_MISMATCH ${place - 1}`);
    expect((await reportOf()).verdict).to.equal('INCONCLUSIVE');
  });

  it('is for reviewers, and a refusal is an entry', async () => {
    for (const query of [
      VERIFY,
      ASK.replace('$id: ID!', '$id: ID = "x"'),
      `{ verifications { edges { node { id } } } }`,
    ]) {
      const { errors } = await ask('sam', query);
      const { code, clause, entry } = errors![0]!.extensions as never as Record<string, unknown>;
      expect([code, clause]).to.deep.equal(['ROLE_NOT_PERMITTED', '5.2']);
      expect(entry).to.have.property('link');
    }
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: VERIFY }),
    });
    expect(response.status).to.equal(401);
  });

  it('is one entry each, and looking what came of it is one an hour', async () => {
    await ask('nils', HEAD);
    const before = await size();
    const { id } = await verify({}, 'nils');
    for (let times = 0; times < 10; times++) await ask('nils', ASK, { id });
    await ask('nils', `{ verifications(first: 3) { edges { node { id } } } }`);
    const { rows } = await superuser.query('SELECT event, outcome, leaf FROM ledger.entry WHERE index >= $1', [before]);
    expect(rows.map(({ event, outcome }) => [event, outcome])).to.deep.equal([['log.verified', 'permitted']]);
    expect(rows[0].leaf).to.include(`"details":{"verification":"${id}"}`);
    await done(id);
    expect(await size()).to.equal(before + 1);
  });

  it('says clearly which evidence can be held against no log, and enters nothing for it', async () => {
    const note = await (await fetch(`${server.url}/checkpoint`)).text();
    const before = await size();
    const link = 'ab'.repeat(32);
    const bad: Record<string, object> = {
      'a link is 64': { held: [{ index: 1, link: 'AB'.repeat(32) }] },
      'number 2: a link': {
        held: [
          { index: 1, link },
          { index: 1, link: '' },
        ],
      },
      'number 1, is no checkpoint': { checkpoints: ['nothing'] },
      'not signed by the key': { checkpoints: [note.replaceAll(ORIGIN, 'localhost/other')] },
      'number 2, has a signature': { checkpoints: [note, note.replace(/\n\d+\n/, '\n1\n')] },
      'at most 16': { held: Array.from({ length: 17 }, () => ({ index: 1, link })) },
      'does not fit': { held: [{ index: -1, link }] },
    };
    for (const [says, variables] of Object.entries(bad)) {
      const { data, errors } = await ask('rita', VERIFY, variables);
      expect([data ?? null, errors?.[0]?.extensions.code], says).to.deep.equal([null, 'BAD_INPUT']);
      expect((errors![0] as never as { message: string }).message).to.include(says);
    }
    expect(await size()).to.equal(before);
    expect((await ask('rita', ASK, { id: 'nothing' })).data.verification).to.equal(null);
    expect((await ask('rita', ASK, { id: '00000000-0000-4000-8000-000000000000' })).data.verification).to.equal(null);
  });

  it('keeps of a checkpoint only what the log’s key signed', async () => {
    const note = await (await fetch(`${server.url}/checkpoint`)).text();
    const { id } = await verify({ checkpoints: [`${note}— Ana.Ruiz AAAAAAAA\n`] });
    const { rows } = await superuser.query('SELECT notes FROM ledger.verification WHERE id = $1', [id]);
    expect(rows[0].notes).to.have.length(1);
    expect(rows[0].notes[0]).to.match(/^[^\n]+\n\d+\n[^\n]+\n\n— localhost\/test [^\n]+\n$/);
    await done(id);
  });

  it('lists them newest first, in pages, the same from every server', async () => {
    const second = await serveSite(site);
    const LIST = `query ($after: String) { verifications(first: 2, after: $after) {
      edges { node { ${JOB} } } pageInfo { hasNextPage endCursor } } }`;
    try {
      const { id } = await done((await verify()).id);
      const [here, there] = [await ask('rita', LIST), await ask('nils', LIST, {}, second.url)];
      expect(here.data).to.deep.equal(there.data);
      const { edges, pageInfo } = here.data.verifications;
      expect(edges[0].node.id).to.equal(id);
      expect(pageInfo.hasNextPage).to.equal(true);
      const next = (await ask('rita', LIST, { after: pageInfo.endCursor })).data.verifications.edges;
      const times = [...edges, ...next].map(({ node }) => Date.parse(node.requestedAt));
      expect(times).to.deep.equal([...times].sort((a, b) => b - a));
      expect(new Set([...edges, ...next].map(({ node }) => node.id)).size).to.equal(4);
      const job = await verify({}, 'rita', second.url);
      expect(await done(job.id)).to.deep.equal(await jobAt(job.id, second.url));
    } finally {
      await stopServer(second);
    }
  });

  it('has a queue that one reviewer cannot fill', async () => {
    await slowly(1, async (quick) => {
      const own = [await verify(), await verify()];
      const { errors } = await ask('rita', VERIFY);
      expect(errors![0]!.extensions.code).to.equal('TOO_MANY_VERIFICATIONS');
      const other = await verify({}, 'nils');
      expect((await jobAt(other.id)).state).to.equal('WAITING');
      // What runs breaks, which is no verdict; what waits is done.
      await reading();
      await quick();
      const broken = await until(own[0].id, ({ state }) => state === 'FAILED');
      expect([broken.fault, broken.report]).to.deep.equal(['UNAVAILABLE', null]);
      await done(own[1].id);
      await done(other.id);
    });
  });

  it('leaves the event loop to others', async () => {
    await append(20_000);
    // Publishing is the event loop's.
    const covers = `SELECT FROM ledger.checkpoint WHERE note IS NOT NULL AND size >= (SELECT max(index) FROM ledger.entry)`;
    while (!(await superuser.query(covers)).rowCount) await sleep(50);
    await reportOf();
    const pool = openPool(site.database.url, 'access_ledger_reviewer', 1);
    const client = await pool.connect();
    const onLoop = performance.eventLoopUtilization();
    await inSnapshot(client, () => verifyRows(client, 1, {}, { onEntries: () => {} }));
    const here = performance.eventLoopUtilization(onLoop).active;
    client.release(true);
    await pool.end();

    const meanwhile = performance.eventLoopUtilization();
    const { id } = await verify();
    let state = '';
    while (state !== 'done') {
      await sleep(50);
      ({ state } = (await superuser.query('SELECT state FROM ledger.verification WHERE id = $1', [id])).rows[0]);
    }
    // On the loop it would be all of that, and what the server does besides.
    expect(performance.eventLoopUtilization(meanwhile).active).to.be.below(here);
  });

  it('hangs no shutdown, and is begun anew by the next server', async () => {
    await slowly(1, async (quick) => {
      const { id } = await verify();
      await until(id, ({ state }) => state === 'RUNNING');
      const began = performance.now();
      await stop();
      const took = performance.now() - began;
      const { rows } = await superuser.query('SELECT state, attempts FROM ledger.verification WHERE id = $1', [id]);
      await quick();
      server = await serveSite(site);
      expect(rows).to.deep.equal([{ state: 'waiting', attempts: 0 }]);
      expect(took).to.be.below(10_000);
      expect((await done(id)).report.why).to.equal('NO_EVIDENCE');
    });
  });

  it('is taken over within seconds where its process is killed', async () => {
    await stop();
    child = spawn(process.execPath, ['--import', '@oxc-node/core/register', SERVING, JSON.stringify(site.settings)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await said(child);
    await slowly(2, async (quick) => {
      const { id } = await verify({}, 'rita', url);
      await reading();
      const begun = await jobAt(id, url);
      server = await serveSite(site);
      expect(await jobAt(id)).to.include({ state: 'RUNNING', startedAt: begun.startedAt });
      child?.kill('SIGKILL');
      await ended(child!);
      const killed = performance.now();
      await quick();
      expect((await done(id)).report.why).to.equal('NO_EVIDENCE');
      expect(performance.now() - killed).to.be.below(15_000);
      const { rows } = await superuser.query('SELECT attempts FROM ledger.verification WHERE id = $1', [id]);
      expect(rows).to.deep.equal([{ attempts: 2 }]);
    });
  });
});
