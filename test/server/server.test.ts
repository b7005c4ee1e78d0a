import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import pg from 'pg';
import { SetupError } from '../../src/database/migrating.js';
import { type OpenedCheckpoint, openCheckpoint, signCheckpoint } from '../../src/log/checkpoint.js';
import { linkOf } from '../../src/log/leaf.js';
import { formatSigningKey, formatVerifierKey, signingKey } from '../../src/log/note-key.js';
import { formatBundlePath, formatTilePath, parseBundle, type Tile, tileAt, tiledHashes } from '../../src/log/tile.js';
import { EMPTY_ROOT, rootAt } from '../../src/log/tree.js';
import { readConfig } from '../../src/server/config.js';
import { createLog } from '../../src/server/log.js';
import { type Server, startServer } from '../../src/server/server.js';
import { formatKeys, generateKeys } from '../../src/vault/key-file.js';
import { makeSecretFile } from '../../src/vault/secret-file.js';
import { serveWitness, type WitnessServer } from '../../src/witness/server.js';
import type { State } from '../../src/witness/state.js';
import { Witness } from '../../src/witness/witness.js';
import { run } from '../cli/command.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { closeFolder, freshDatabase, openFolder, type TestDatabase } from '../support/postgres.js';
import { GIVE_ALL_FOUR } from '../support/server.js';

const ORIGIN = 'ledger.example.com/test';

/** The whole server as an organisation runs it: its own PostgreSQL, its own OpenID provider, its own keys. */
describe('the server', function () {
  this.timeout(60_000);
  let provider: OpenIdProvider;
  let database: TestDatabase;
  let folder: string;
  let server: Server;
  let env: Record<string, string>;
  let logged = '';
  const logKey = signingKey(ORIGIN, randomBytes(32));
  const witnessKey = signingKey('witness.example.com/near', randomBytes(32), 'cosignature');
  const goneKey = signingKey('witness.example.com/gone', randomBytes(32), 'cosignature');
  let witness: WitnessServer;

  before(async () => {
    provider = await startProvider({
      clients: [
        { id: 'sam', roles: ['support-agent'] },
        { id: 'olga', roles: ['privacy-officer'] },
        { id: 'rita', roles: ['security-reviewer'] },
        { id: 'uma', roles: ['user'] },
        { id: 'prometheus', roles: ['operator'] },
      ],
    });
    database = await freshDatabase();
    folder = await openFolder();
    const owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
    await owner.query(
      `DO $$ BEGIN CREATE ROLE ledger_server_login LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    );
    await owner.end();
    const login = new URL(database.url);
    login.username = 'ledger_server_login';
    login.password = 'x';
    makeSecretFile(join(folder, 'kek.json'), formatKeys(generateKeys(new Date(), randomBytes)));
    makeSecretFile(join(folder, 'log.key'), formatSigningKey(logKey));
    env = {
      NODE_ENV: 'production',
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: login.href,
      DATABASE_OWNER_URL: database.url,
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: provider.audience,
      KEK_FILE: join(folder, 'kek.json'),
      LOG_ORIGIN: ORIGIN,
      LOG_KEY_FILE: join(folder, 'log.key'),
      MIRROR_DIR: join(folder, 'mirror'),
      WITNESSES: join(folder, 'witnesses'),
      REQUESTS_PER_MINUTE: '60',
    };
    const keeper = {
      state: new Map() as State,
      replace(state: State) {
        this.state = state;
      },
    };
    witness = await serveWitness(new Witness({ key: witnessKey, logs: [logKey], keeper, now: () => new Date() }), {
      host: '127.0.0.1',
      port: 0,
      tell: () => {},
    });
    await writeFile(
      join(folder, 'witnesses'),
      `witness near ${formatVerifierKey(witnessKey)} ${witness.url}\nwitness gone ${formatVerifierKey(goneKey)} http://127.0.0.1:9\ngroup any any near gone\nquorum any\n`,
    );
    server = await start(env);
  });
  after(async () => {
    await stop(server);
    await witness.close(1_000);
    await provider.stop();
    await closeFolder(folder);
    await database.drop();
  });

  function start(settings: Record<string, string>): Promise<Server> {
    const to = new PassThrough();
    to.on('data', (chunk) => {
      logged += chunk;
    });
    return startServer({
      config: readConfig(settings),
      log: createLog({ level: 'debug', to }),
      now: () => new Date(),
      tell: () => {},
      signal: new AbortController().signal,
    });
  }

  async function stop({ stop: steps }: Server): Promise<void> {
    for (const { run } of steps) await run();
  }

  async function post(client: string, body: object): Promise<{ status: number; json: never }> {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await provider.token(client)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: (await response.json()) as never };
  }

  interface Answer {
    // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for, and fails where it is wrong
    data: any;
    errors?: { extensions: { code: string; clause: string | null; entry: { index: number } | null } }[];
    extensions?: { ledger: { entries: { index: number; link: string }[] } };
  }
  const ask = async (client: string, query: string, variables: object = {}): Promise<Answer> =>
    (await post(client, { query, variables })).json;

  it('is ready, and seeds no demo in production', async () => {
    const staff = (await ask('sam', '{ me { id } }')).data.me.id;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await ask('olga', GIVE_ALL_FOUR, { staff, until })).errors).to.equal(undefined);
    const response = await fetch(`${server.url}/health/ready`);
    expect([response.status, await response.json()]).to.deep.equal([
      200,
      { status: 'ready', checks: { database: true, writer: true, keys: true, mirror: true } },
    ]);
    expect(server.demo).to.equal(false);
    expect((await ask('sam', '{ users { edges { node { id } } } }')).data.users.edges).to.deep.equal([]);
  });

  it('registers and reads from end to end; each answer shows its entries', async () => {
    const registered = await ask(
      'sam',
      `mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }`,
      {
        input: {
          service: 'diagrams',
          purpose: 'convenience',
          records: [
            { category: 'user.name', channel: 'REGISTRATION', value: 'Uma Example' },
            { category: 'user.contact.email', channel: 'REGISTRATION', value: 'uma@example.com' },
          ],
          identity: { issuer: provider.issuer, subject: 'uma' },
        },
      },
    );
    const user = registered.data.registerUser.id;
    expect(registered.extensions!.ledger.entries).to.have.length(2);

    const read = `query ($user: ID!) { user(id: $user) { personalData(purpose: "convenience", categories: ["user.name"]) { value } } }`;
    const answer = await ask('sam', read, { user });
    expect(answer.data.user.personalData).to.deep.equal([{ value: 'Uma Example' }]);
    expect(answer.extensions!.ledger.entries).to.have.length(1);

    expect((await ask('uma', '{ me { id kind } }')).data.me).to.deep.equal({ id: user, kind: 'USER' });
    expect((await ask('uma', read, { user })).data.user.personalData).to.deep.equal([{ value: 'Uma Example' }]);
  });

  it('gives each operation of a batch its own entries', async () => {
    const query = '{ users(first: 1) { edges { node { id } } } }';
    const { json } = await post('sam', [{ query }, { query }]);
    const answers = json as Answer[];
    const entries = answers.map(({ extensions }) => extensions!.ledger.entries.map(({ index }) => index));
    expect(entries.map((each) => each.length)).to.deep.equal([1, 1]);
    expect(entries[0]).to.not.deep.equal(entries[1]);
  });

  it('refuses findUser over GET, where the value would stand in a URL', async () => {
    const query =
      '{ findUser(category: "user.contact.email", value: "uma@example.com", purpose: "convenience") { id } }';
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${await provider.token('sam')}`, 'apollo-require-preflight': '1' },
    });
    const { errors } = (await response.json()) as Answer;
    expect(errors![0]!.extensions).to.include({ code: 'NOT_OVER_GET', clause: null });
  });

  it('lets nobody in whom nobody registered, and enters that', async () => {
    const { json } = await post('uma', { query: '{ me { id } }' });
    expect((json as Answer).errors).to.equal(undefined);
    const token = await provider.sign({
      sub: 'stranger',
      access_ledger_roles: ['user'],
      aud: provider.audience,
      exp: Math.floor(Date.now() / 1000) + 60,
    });
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ me { id } }' }),
    });
    const { errors } = (await response.json()) as Answer;
    expect(errors![0]!.extensions).to.include({ code: 'ACTOR_UNKNOWN', clause: '5.2' });
    expect(errors![0]!.extensions.entry).to.have.property('index');
  });

  const get = async (path: string, client?: string) =>
    fetch(`${server.url}/${path}`, {
      headers: client ? { authorization: `Bearer ${await provider.token(client)}` } : {},
    });

  /** Once a checkpoint covers everything so far. */
  async function checkpoint(): Promise<OpenedCheckpoint> {
    const { size } = (await ask('rita', '{ logHead { size } }')).data.logHead;
    for (;;) {
      const response = await get('checkpoint');
      const opened = response.ok ? openCheckpoint(await response.text(), logKey) : null;
      if (opened && opened.size >= size) return opened;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('publishes its log as tiles, hashes to anybody and leaves to reviewers, whose reading is one entry', async () => {
    const { size, root } = await checkpoint();
    const read = (tiles: readonly Tile[]) =>
      Promise.all(tiles.map(async (tile) => new Uint8Array(await (await get(formatTilePath(tile))).arrayBuffer())));
    expect(await rootAt(size, tiledHashes(size, { read }))).to.deep.equal(root);

    const bundle = formatBundlePath(tileAt(0, 0, size)!);
    expect((await get(bundle)).status).to.equal(401);
    const refused = await get(bundle, 'sam');
    expect([refused.status, ((await refused.json()) as Answer).errors![0]!.extensions.code]).to.deep.equal([
      403,
      'ROLE_NOT_PERMITTED',
    ]);
    const { size: before } = (await ask('rita', '{ logHead { size } }')).data.logHead;
    const answers = await Promise.all([1, 2].map(() => get(bundle, 'rita')));
    const leaves = parseBundle(new Uint8Array(await answers[0]!.arrayBuffer()))!;
    const [tile] = await read([tileAt(0, 0, size)!]);
    expect(leaves.map(linkOf).join('')).to.equal(Buffer.from(tile!).toString('hex'));
    expect(answers[1]!.headers.get('cache-control')).to.match(/^private, .*immutable$/);
    expect((await ask('rita', '{ logHead { size } }')).data.logHead.size).to.equal(before);
  });

  it('is verified over the network by a reviewer, and by nobody else', async () => {
    const { size } = await checkpoint();
    const verify = async (token: string) =>
      run(['verify', server.url, '--key', formatVerifierKey(logKey), '--token', token]);
    const past = Math.floor(Date.now() / 1000) - 7_200;
    const claims = { sub: 'rita', access_ledger_roles: ['security-reviewer'], aud: provider.audience };
    const [intact, refused, expired] = await Promise.all([
      provider.token('rita').then(verify),
      provider.token('sam').then(verify),
      provider.sign({ ...claims, iat: past, exp: past + 60 }).then(verify),
    ]);
    expect(intact.err).to.equal('');
    expect(intact.status).to.equal(0);
    expect(Number(/^intact: all (\d+) entries attested by/.exec(intact.out)![1])).to.be.at.least(size);
    expect([refused.status, expired.status]).to.deep.equal([3, 3]);
    expect(refused.err).to.match(/the token is not a security reviewer's/);
    expect(expired.err).to.match(/does not take this token: it may have expired/);
  });

  for (const path of ['tile/0/999', 'tile/0/000.p/256', 'tile/7/000', 'tile/entries/x001/000', 'tile/0/0', 'tile/']) {
    it(`publishes nothing at /${path}`, async () => {
      await checkpoint();
      expect((await get(path, 'rita')).status).to.equal(404);
    });
  }

  it('has its checkpoints cosigned by the witnesses that answer, whoever does not', async () => {
    let note = '';
    for (let signed = 0; signed < 2; ) {
      await checkpoint();
      note = await (await get('checkpoint')).text();
      signed = openCheckpoint(note, logKey, [witnessKey]).signed.length;
    }
    const { signed } = openCheckpoint(note, logKey, [witnessKey]);
    expect(signed[1]!.time).to.be.closeTo(Date.now() / 1_000, 30);
    expect(logged).to.contain('UNREACHABLE');
  });

  it('mirrors what it publishes, and is not ready while its log is shorter than that', async () => {
    const { size } = await checkpoint();
    const file = join(folder, 'mirror', 'checkpoint');
    const mirrored = async () => openCheckpoint(await readFile(file, 'utf8').catch(() => ''), logKey).size;
    while ((await mirrored().catch(() => 0)) < size) await new Promise((resolve) => setTimeout(resolve, 50));
    const ready = async () => {
      await new Promise((resolve) => setTimeout(resolve, 600));
      const response = await fetch(`${server.url}/health/ready`);
      return [response.status, ((await response.json()) as { checks: Record<string, boolean> }).checks.mirror];
    };
    expect(await ready()).to.deep.equal([200, true]);
    const note = await readFile(file);
    await writeFile(file, signCheckpoint({ origin: ORIGIN, size: size + 10_000, root: EMPTY_ROOT }, logKey));
    expect(await ready()).to.deep.equal([503, false]);
    expect(logged).to.contain('LOG_SHORTER_THAN_MIRROR');
    await writeFile(file, note);
    expect(await ready()).to.deep.equal([200, true]);
  });

  it('takes a flood before the gate: 429, and one entry with the count when it stops', async () => {
    const before = await ask('rita', '{ logHead { size } }');
    expect(before.errors).to.equal(undefined);
    const statuses = await Promise.all(
      Array.from({ length: 80 }, () => post('sam', { query: '{ me { id } }' }).then(({ status }) => status)),
    );
    const suppressed = statuses.filter((status) => status === 429).length;
    expect(suppressed).to.be.greaterThan(10);
    await stop(server);
    server = await start(env);
    const { data } = await ask(
      'rita',
      '{ auditEntries(filter: { event: "refusals.suppressed" }) { edges { node { details } } } }',
    );
    expect(data.auditEntries.edges).to.have.length(1);
    expect(JSON.parse(data.auditEntries.edges[0].node.details).count).to.equal(suppressed);
  });

  it('serves metrics to an operator, and nothing personal in them or in its own log', async () => {
    await ask('olga', '{ processors { edges { node { id } } } }');
    const response = await fetch(`${server.url}/metrics`, {
      headers: { authorization: `Bearer ${await provider.token('prometheus')}` },
    });
    const metrics = await response.text();
    expect(metrics).to.match(/access_ledger_entries_total \d+/);
    expect(metrics).to.match(/access_ledger_gate_seconds_count\{verb="note",outcome="answered"\} \d/);
    for (const text of [metrics, logged])
      expect(text).to.not.match(/Uma|uma@|example\.com\/test|sam\b|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-.*subject/);
    expect(logged).to.include('"message":"request"');
  });

  it('answers UNAVAILABLE, and shows nothing, while the log’s head cannot be had in time', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`REVOKE EXECUTE ON FUNCTION ledger.append(integer, text) FROM access_ledger_writer`);
    const answer = await ask('rita', '{ users { edges { node { id } } } }');
    expect(answer.data).to.equal(null);
    expect(answer.errors![0]!.extensions.code).to.equal('UNAVAILABLE');

    const people = await client.query<{ id: string }>('SELECT id FROM registry.subject');
    const before = logged.length;
    const rows = [0, 1, 2].map(
      (nth) => `row${nth}: user(id: "${people.rows[0]!.id}") { personalData(purpose: "convenience") { value } }`,
    );
    const page = await ask('sam', `{ ${rows.join(' ')} }`);
    expect(page.errors!.map(({ extensions }) => extensions.code)).to.deep.equal(Array(3).fill('UNAVAILABLE'));
    expect(logged.slice(before).split('"a request failed"'), 'told once').to.have.length(2);
    await client.query(`GRANT EXECUTE ON FUNCTION ledger.append(integer, text) TO access_ledger_writer`);
    await client.end();
  });

  for (const [what, changed, code] of [
    ['a login that is a superuser', () => ({ DATABASE_URL: env.DATABASE_OWNER_URL! }), 'LOGIN_HOLDS_TOO_MUCH'],
    ['another origin than the log’s', () => ({ LOG_ORIGIN: 'other.example.com', LOG_KEY_FILE: '' }), 'ORIGIN_DIFFERS'],
  ] as const) {
    it(`does not start with ${what}`, async () => {
      const settings = { ...env, ...changed() };
      if (code === 'ORIGIN_DIFFERS') Object.assign(settings, { NODE_ENV: 'development', DEMO: 'on' });
      const error = await start(settings).then(stop, (thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(SetupError).with.property('code', code);
    });
  }

  it('does not start with a log key of another log, or a witness’s, or without its KEK', async () => {
    const foreign = join(folder, 'foreign.key');
    makeSecretFile(foreign, formatSigningKey(signingKey('other.example.com', randomBytes(32))));
    const witness = join(folder, 'witness.key');
    makeSecretFile(witness, formatSigningKey(signingKey(ORIGIN, randomBytes(32), 'cosignature')));
    const wrong: Record<string, string>[] = [
      { LOG_KEY_FILE: foreign },
      { LOG_KEY_FILE: witness },
      { KEK_FILE: join(folder, 'missing.json') },
    ];
    for (const changed of wrong) {
      const error = await start({ ...env, ...changed }).then(stop, (thrown: unknown) => thrown);
      expect(error).to.be.an('error');
      expect((error as Error).name).to.be.oneOf(['LogKeyError', 'VaultError']);
    }
  });

  it('does not start on a database that nobody migrated', async () => {
    const empty = await freshDatabase();
    const url = new URL(empty.url);
    url.username = 'ledger_server_login';
    url.password = 'x';
    const { DATABASE_OWNER_URL: _, ...rest } = env;
    const error = await start({ ...rest, DATABASE_URL: url.href }).then(stop, (thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(SetupError).with.property('code', 'NOT_MIGRATED');
    await empty.drop();
  });
});
