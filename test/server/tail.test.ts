import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import pg from 'pg';
import type { Core } from '../../src/server/core.js';
import type { Server } from '../../src/server/server.js';
import { eventsIn } from '../support/events.js';
import { type TestGate, testGate } from '../support/gate.js';
import { someBody } from '../support/ledger.js';
import { openStream, type Served, serve } from '../support/served.js';
import { openSite, type Site, serveSite, stopServer } from '../support/server.js';

const APPENDER = fileURLToPath(new URL('../support/appender.ts', import.meta.url));
const SERVING = fileURLToPath(new URL('../support/serving.ts', import.meta.url));
const TAIL = 'subscription ($from: LogIndex) { auditTail(from: $from) { index link leaf } }';

interface Shown {
  readonly index: number;
  readonly link: string;
  readonly leaf: string;
}

/** In a process of its own, so many entries. */
async function appendFrom(url: string, count: number, asOf: number): Promise<void> {
  const args = ['--import', '@oxc-node/core/register', APPENDER, url, ...[count, asOf, 15].map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  expect(status).to.equal(0);
}

async function storedFrom(client: pg.Pool | pg.Client, index: number): Promise<Shown[]> {
  const { rows } = await client.query<Shown>(
    `SELECT index::int, encode(link, 'hex') AS link, leaf FROM ledger.entry WHERE index >= $1 ORDER BY index`,
    [index],
  );
  return rows;
}

/** The tail as a reviewer has it: from several servers, of a log that several processes write at once. */
describe('the tail, over HTTP', () => {
  let gate: TestGate;
  let servers: Served[];
  before(async () => {
    gate = await testGate();
    const rita = await gate.signIn('security-reviewer');
    servers = [await serve(gate.core, { rita }), await serve(await gate.another(), { rita })];
  });
  after(async () => {
    for (const server of servers) await server.close();
    await gate.close();
  });

  const append = async ({ database, size }: TestGate, count: number) => appendFrom(database.url, count, await size());

  /** Reads some entries from an index on, and breaks off in the middle of things. */
  async function some(from: number, most: number): Promise<Shown[]> {
    const server = servers[Math.floor(Math.random() * servers.length)]!;
    const breaking = new AbortController();
    const shown: Shown[] = [];
    const response = await server.stream('rita', TAIL, { from }, breaking.signal);
    for await (const { data } of eventsIn(response)) {
      shown.push(JSON.parse(data).data.auditTail);
      if (shown.length >= most) break;
    }
    breaking.abort();
    return shown;
  }

  it('has no gap and shows nothing twice while two processes append, however often the reader comes back', async () => {
    const EACH = 600;
    const began = await gate.size();
    const appending = Promise.all([append(gate, EACH), append(gate, EACH)]);
    const shown: Shown[] = [];
    let comings = 0;
    // The reader's session is an entry too.
    while (shown.length < 2 * EACH + 1) {
      const left = 2 * EACH + 1 - shown.length;
      shown.push(...(await some(began + shown.length, Math.min(left, 1 + Math.floor(Math.random() * 60)))));
      comings++;
    }
    await appending;
    const rows = await storedFrom(gate.core.parts.pool, began);
    expect(shown).to.deep.equal(rows);
    expect(rows.filter(({ leaf }) => leaf.includes('"operation":"auditTail"'))).to.have.length(1);
    expect(comings).to.be.greaterThan(15);
  });

  it('tells a client of the entry that it caused, and goes on to the other when one server stops', async () => {
    const nils = await gate.signIn('security-reviewer');
    const own = await serve(gate.core, { nils });
    const size = await gate.size();
    const events = eventsIn(await own.stream('nils', TAIL, { from: size - 1 }));
    const first = JSON.parse((await events.next()).value!.data);
    expect(first.data.auditTail.index).to.equal(size - 1);
    expect(first.extensions.ledger.entries).to.deep.include({
      index: size,
      link: first.extensions.ledger.entries.at(-1).link,
    });
    await events.next();
    const stopping = own.close();
    const last = JSON.parse((await events.next()).value!.data);
    expect(last.errors[0].extensions.code).to.equal('UNAVAILABLE');
    expect((await events.next()).done).to.equal(true);
    await stopping;
    const [next] = await Promise.all([some(size + 1, 1), append(gate, 1)]);
    expect(next.map(({ index }) => index)).to.deep.equal([size + 1]);
  });

  it('shows what was done with personal values, and none of them', async () => {
    const began = await gate.size();
    const person = await gate.person();
    const sam = await gate.signIn('support-agent');
    const found =
      '{ findUser(category: "user.contact.email", value: "ana@example.com", purpose: "convenience") { id } }';
    expect((await gate.execute(sam, found)).context.entries).to.have.length(1);
    const all =
      'subscription ($from: LogIndex) { auditTail(from: $from) { index leaf event subject asked records { category id version } details } }';
    const breaking = new AbortController();
    const events = eventsIn(await servers[0]!.stream('rita', all, { from: began }, breaking.signal));
    const end = await gate.size();
    let text = '';
    for (let index = began; index < end; index++) text += (await events.next()).value!.data;
    breaking.abort();
    expect(text).to.include(person).and.include('user.contact.email');
    for (const value of ['ana', 'ruiz', 'example.com']) expect(text.toLowerCase()).to.not.include(value);
  });

  it('holds no connection of the database for readers who stall, and goes on where they were', async () => {
    const READERS = 12;
    const rita = await gate.signIn('security-reviewer');
    const core = await gate.another();
    let read = 0;
    const counting: Core = {
      ...core,
      contextFor(operation) {
        const context = core.contextFor(operation);
        const query = async (text: string, values: unknown[]) => {
          const found: unknown[] = await context.rows.query(text, values);
          if (text.includes('leaf')) read += found.length;
          return found;
        };
        return { ...context, rows: Object.assign(Object.create(context.rows), { query }) };
      },
    };
    const own = await serve(counting, { rita }, { streams: { ofCaller: READERS, total: READERS } });
    for (let count = 0; count < 1_000; count += 500) {
      await gate.core.parts.ledger.append(Array.from({ length: 500 }, () => someBody({ asOf: 0 })));
    }
    const size = await gate.size();
    // Far more than the buffers of both ends take.
    const leaves = Array.from({ length: 28 }, (_, nth) => `leaf${nth}: leaf`).join(' ');
    const whole = `subscription ($from: LogIndex) { auditTail(from: $from) { index ${leaves} } }`;
    const open = () => own.stream('rita', whole, { from: 0 });
    const stalled = await Promise.all(Array.from({ length: READERS }, open));
    for (let before = -1; before !== read; await sleep(400)) before = read;
    expect(read, 'entries read for them').to.be.below((READERS * size) / 2);
    const { rows } = await gate.core.parts.pool.query(
      `SELECT count(*)::int AS busy FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    expect(rows[0].busy, 'connections in use').to.equal(0);
    const [one, ...others] = stalled;
    for (const other of others) void other.body!.cancel();
    let next = 0;
    for await (const { data } of eventsIn(one!)) {
      expect(JSON.parse(data).data.auditTail.index).to.equal(next++);
      if (next === size) break;
    }
    await own.close();
  });

  it('is followed as the page for reviewers shows', async () => {
    const guide = await readFile(new URL('../../docs/reviewing.md', import.meta.url), 'utf8');
    const [, body] = /graphql\/stream [^`]*-d '(\{[^']+\})'/.exec(guide)!;
    const breaking = new AbortController();
    const events = eventsIn(await servers[0]!.stream('rita', JSON.parse(body!).query, {}, breaking.signal));
    const { data, errors } = JSON.parse((await events.next()).value!.data);
    expect([data?.auditTail.index, errors]).to.deep.equal([0, undefined]);
    breaking.abort();
  });

  it('answers a refusal with its entry', async () => {
    const sam = await gate.signIn('support-agent');
    const own = await serve(gate.core, { sam });
    const text = await (await own.stream('sam', TAIL, { from: 0 })).text();
    const { errors } = JSON.parse(/^data: (\{.*)$/m.exec(text)![1]!);
    expect(errors[0].extensions).to.include({ code: 'ROLE_NOT_PERMITTED', clause: '5.2' });
    expect(errors[0].extensions.entry.index).to.be.a('number');
    expect(text).to.match(/event: complete\ndata: \n\n$/);
    await own.close();
  });
});

describe('the tail, of server processes', () => {
  let site: Site;
  let superuser: pg.Client;
  let server: Server | null = null;
  let child: ChildProcess | null = null;
  before(async () => {
    site = await openSite([{ id: 'rita', roles: ['security-reviewer'] }]);
    superuser = new pg.Client({ connectionString: site.database.superuserUrl });
    await superuser.connect();
  });
  after(async () => {
    child?.kill('SIGKILL');
    if (server) await stopServer(server);
    await superuser.end();
    await site.close();
  });

  async function startServing(): Promise<{ readonly kill: () => void; readonly url: string }> {
    const args = ['--import', '@oxc-node/core/register', SERVING, JSON.stringify(site.settings)];
    const serving = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = serving;
    const [url] = await once(serving.stdout, 'data');
    return { kill: () => serving.kill('SIGKILL'), url: String(url).trim() };
  }

  it('goes on at another where one was killed, with nothing left out and nothing twice', async () => {
    const EACH = 400;
    const [doomed, own] = await Promise.all([startServing(), serveSite(site)]);
    server = own;
    const name = await site.provider.token('rita');
    const shown: Shown[] = [];
    const read = async (url: string, until: number) => {
      const response = await openStream(url, { name, query: TAIL, variables: { from: shown.length } });
      for await (const { data } of eventsIn(response)) {
        shown.push(JSON.parse(data).data.auditTail);
        if (shown.length === until) break;
      }
    };
    // That rita is somebody, and reads, are entries.
    await read(doomed.url, (await storedFrom(superuser, 0)).length + 2);
    const began = shown.length;
    const appending = Promise.all([EACH, EACH].map((count) => appendFrom(site.database.url, count, began)));
    const broken = read(doomed.url, Number.POSITIVE_INFINITY).catch((error: unknown) => error);
    while (shown.length < began + EACH / 4) await sleep(5);
    doomed.kill();
    expect(await broken, 'the end of the connection').to.be.instanceOf(TypeError);
    expect(shown.length).to.be.below(began + 2 * EACH);
    await read(own.url, began + 2 * EACH);
    await appending;
    expect(shown).to.deep.equal(await storedFrom(superuser, 0));
  });
});
