import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { formatVerifierKey, parseVerifierKey, signingKey } from '../../src/log/note-key.js';
import { checkProof, parseProof } from '../../src/log/proof.js';
import { type Answer, GIVE_ALL_FOUR, type RunningServer, runServer } from '../support/server.js';
import { folder, type Ran, run } from './command.js';

const READ = `query ($id: ID!) {
  user(id: $id) { personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) { value } }
}`;
const GONE = formatVerifierKey(signingKey('gone.example.com', new Uint8Array(32).fill(9), 'cosignature'));

interface Edge {
  node: { newest: { proof: { file: string; leaf: string | null } | null } };
}
interface Sent {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}
/** What a server that lies makes of an answer. */
type Lie = (answer: Answer, sent: Sent) => unknown;

describe('access-ledger my-history', function () {
  this.timeout(60_000);
  const { path } = folder();
  let server: RunningServer;
  let proxy: Server;
  let tokens: Record<'uma' | 'bo', string>;
  let people: Record<'uma' | 'bo', string>;
  before(async () => {
    server = await runServer([
      { id: 'sam', roles: ['support-agent'] },
      { id: 'olga', roles: ['privacy-officer'] },
      { id: 'rita', roles: ['security-reviewer'] },
      { id: 'uma', roles: ['user'] },
      { id: 'bo', roles: ['user'] },
    ]);
    const staff = (await server.post('sam', { query: '{ me { id } }' })).data.me.id;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const given = await server.post('olga', { query: GIVE_ALL_FOUR, variables: { staff, until } });
    expect(given.errors).to.equal(undefined);
    people = { uma: await register('uma'), bo: await register('bo') };
    tokens = { uma: await server.provider.token('uma'), bo: await server.provider.token('bo') };
    // Enough for two pages: seen by support, and refused to somebody else.
    const read = { query: READ, variables: { id: people.uma } };
    for (let batch = 0; batch < 11; batch++)
      await server.post(
        'sam',
        Array.from({ length: 10 }, () => read),
      );
    for (const client of ['bo', 'olga']) await server.post(client, read);
    proxy = await startProxy();
  });
  after(async () => {
    proxy.close();
    await server.stop();
  });

  async function register(subject: string): Promise<string> {
    const input = {
      service: 'diagrams',
      purpose: 'convenience',
      records: [
        { category: 'user.name', channel: 'REGISTRATION', value: `${subject} Example` },
        { category: 'user.contact.email', channel: 'REGISTRATION', value: `${subject}@example.com` },
      ],
      identity: { issuer: server.provider.issuer, subject },
    };
    const query = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
    return (await server.post('sam', { query, variables: { input } })).data.registerUser.id;
  }

  /** By name, which is the folder of the URL. */
  const lies: Record<string, Lie> = {};
  /** Every answer that passed, by the name of the lie, in order. */
  const heard: Record<string, Answer[]> = {};

  /** Stands between a person and the server, and lies as the path says. */
  async function startProxy(): Promise<Server> {
    const between = createServer(async (request, response) => {
      const name = request.url!.split('/')[1]!;
      const sent = JSON.parse(await text(request)) as Sent;
      const headers = {
        authorization: name === 'stranger' ? `Bearer ${tokens.bo}` : request.headers.authorization!,
        'content-type': 'application/json',
      };
      const forwarded = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(sent) });
      const answer = (await forwarded.json()) as Answer;
      const told = (await lies[name]?.(structuredClone(answer), sent)) ?? answer;
      heard[name] = [...(heard[name] ?? []), answer];
      response.writeHead(forwarded.status, { 'content-type': 'application/json' });
      response.end(typeof told === 'string' ? told : JSON.stringify(told));
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    return between;
  }
  const proxied = (name: string) => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/${name}`;

  const ask = (url: string, ...args: string[]): Promise<Ran> =>
    run(['my-history', '--url', url, '--token', tokens.uma, '--key', server.logKey, ...args]);
  async function caught(name: string, lie: Lie, ...args: string[]): Promise<unknown[]> {
    lies[name] = lie;
    const { status, out, err } = await ask(proxied(name), '--json', ...args);
    if (status === 3) return [status, err];
    const { verdict, code = null } = JSON.parse(out);
    return [status, verdict, code];
  }
  const failed = (code: string) => [1, 'failed', code];

  /** Changes the edges of the second page, in which the oldest lines are. */
  const secondPage =
    (change: (edges: Edge[]) => Edge[]): Lie =>
    (answer) => {
      const page = answer.data?.whoAccessedMyData;
      if (page?.edges && !page.pageInfo.hasNextPage) page.edges = change(page.edges);
      return answer;
    };
  const proofsOf = (edge: Edge) => edge.node.newest.proof!;

  it('fetches all, proves it, and says what that shows and what not', async () => {
    const { status, out, err } = await ask(server.url, '--witness', server.witnessKey);
    expect([status, err]).to.deep.equal([0, '']);
    const lines = out.split('\n');
    expect(lines[0]).to.equal('What localhost/test says of you, newest first; “ours” are those whose log it is:');
    expect(lines[2]).to.match(/^115 {2}entry \d+ {2}On .* UTC, you looked at this history\.$/);
    expect(lines[3]).to.match(/ a privacy officer of ours tried to see your .* This was refused: /);
    expect(lines[4]).to.match(/^113 .* another user tried to see your user\./);
    expect(lines[5]).to.match(/ a support agent of ours saw your .*, on the basis of “contract”\.$/);
    expect(lines[116]).to.match(/^ {2}1 {2}entry \d+ .* registered you/);
    expect(lines[118]).to.match(
      new RegExp(
        `^proven: 115 entries name you \\(${people.uma}\\), up to entry \\d+, which carries the challenge .* attested by the log’s key and witness.example.com/w$`,
      ),
    );
    expect(out).to.match(/no other entry up to the newest of them names you,\n.*where the log up to there verifies/);
    expect(out).to.match(/It does not show:\n- what came later: fetching this made 2 more;\n/);
    for (const hidden of ['uma@example.com', 'uma Example', '--witness']) expect(out).to.not.include(hidden);
  });

  it('needs no trust in a witness, but then says what is missing; JSON has the entries, and files keep the proofs', async () => {
    const { status, out } = await ask(proxied('honest'), '--json', '--person', people.uma, '--save', path('kept'));
    const { verdict, code, person, count, cosigned, entries } = JSON.parse(out);
    expect([status, verdict, code, person, cosigned]).to.deep.equal([0, 'proven', undefined, people.uma, []]);
    expect(entries).to.have.length(count);
    expect(entries[0]).to.deep.include({ nth: count });
    expect(entries[0].body).to.include({ event: 'history.read', subject: people.uma });
    const names = await readdir(path('kept'));
    expect(names).to.have.length(2 * count);
    for (const { index, link } of [entries[0], entries.at(-1)]) {
      const file = parseProof(await readFile(path(`kept/${index}.tlog-proof`), 'utf8'));
      const leaf = await readFile(path(`kept/${index}.leaf`));
      expect(checkProof(leaf, file, parseVerifierKey(server.logKey)!).leaf.index).to.equal(index);
      expect(link).to.match(/^[0-9a-f]{64}$/);
    }
    const text = (await ask(server.url)).out;
    expect(text).to.match(/- that others are shown the same log: witnesses are for that \(--witness\);/);
  });

  it('is inconclusive while no checkpoint covers the asking, or too few witnesses attest it', async () => {
    const pending = { errors: [{ message: '', extensions: { code: 'CHECKPOINT_PENDING' } }], data: null };
    const never: Lie = (answer, { query }) => (query.includes('disclosureProof') ? pending : answer);
    expect(await caught('never', never, '--wait', '1')).to.deep.equal([2, 'inconclusive', 'CHECKPOINT_PENDING']);
    expect(heard.never!.length, 'asked again').to.be.greaterThan(3);
    const both = ['--witness', server.witnessKey, '--witness', GONE];
    const [all, one] = await Promise.all([
      ask(server.url, ...both, '--wait', '1'),
      ask(server.url, ...both, '--quorum', '1'),
    ]);
    expect(all.status).to.equal(2);
    expect(all.out).to.match(/\ninconclusive: QUORUM_NOT_MET: .*; 2 of 2 witnesses were to attest it\n/);
    expect(one.status).to.equal(0);
  });

  describe('catches a server that', () => {
    it('leaves out a line: the oldest, one in between, or a whole page', async () => {
      const found = await Promise.all([
        caught(
          'oldest',
          secondPage((edges) => edges.slice(0, -1)),
        ),
        caught(
          'between',
          secondPage((edges) => edges.toSpliced(3, 1)),
        ),
        caught('page', (answer) => {
          const page = answer.data?.whoAccessedMyData;
          if (page?.edges) page.pageInfo = { hasNextPage: false, endCursor: null };
          return answer;
        }),
      ]);
      expect(found).to.deep.equal(Array(3).fill(failed('LINE_MISSING')));
    });

    it('shows a line without its proof', async () => {
      const proofless = secondPage((edges) => {
        edges[2]!.node.newest.proof = null;
        return edges;
      });
      expect(await caught('proofless', proofless)).to.deep.equal(failed('LINE_WITHHELD'));
    });

    it('repeats a line, or has them in another order', async () => {
      const found = await Promise.all([
        caught(
          'repeated',
          secondPage((edges) => edges.toSpliced(3, 0, edges[2]!)),
        ),
        caught(
          'reordered',
          secondPage((edges) => edges.with(2, edges[3]!).with(3, edges[2]!)),
        ),
      ]);
      expect(found).to.deep.equal([failed('LINE_OUT_OF_PLACE'), failed('LINE_MISSING')]);
    });

    it('edits a line, says another number, or signs with another key', async () => {
      const found = await Promise.all([
        caught(
          'edited',
          secondPage((edges) => {
            const proof = proofsOf(edges[2]!);
            proof.leaf = proof.leaf!.replace('support-agent', 'privacy-officer');
            return edges;
          }),
        ),
        caught('counted', (answer) => {
          const asked = answer.data?.whoAccessedMyData;
          if (asked?.count) asked.count++;
          return answer;
        }),
        caught('forged', (answer) => {
          const proof = answer.data?.disclosureProof;
          if (proof) proof.file = proof.file.replace(/— localhost\/test .*\n/, '— localhost/test AAAAAAAAAAAAAAAA\n');
          return answer;
        }),
      ]);
      expect(found).to.deep.equal([failed('NOT_INCLUDED'), failed('COUNT_DIFFERS'), failed('NO_KNOWN_KEY')]);
    });

    it('shows an entry about somebody else in place of one', async () => {
      const about = await server.post('rita', {
        query: `query ($id: ID!) { auditEntries(filter: { subject: $id }, first: 1) { edges { node { index } } } }`,
        variables: { id: people.bo },
      });
      const { index } = about.data.auditEntries.edges[0].node;
      const query = `{ disclosureProof(index: ${index}) { file leaf } }`;
      const foreign = (await server.post('rita', { query })).data.disclosureProof;
      const substituted = secondPage((edges) => {
        edges[2]!.node.newest.proof = foreign;
        return edges;
      });
      expect(await caught('substituted', substituted)).to.deep.equal(failed('OTHER_PERSON'));
    });

    it('answers another person’s history, to whoever knows who they are', async () => {
      const unaware = JSON.parse((await ask(proxied('stranger'), '--json')).out);
      expect([unaware.verdict, unaware.person]).to.deep.equal(['proven', people.bo]);
      expect(await caught('stranger', (answer) => answer, '--person', people.uma)).to.deep.equal(
        failed('OTHER_PERSON'),
      );
    });

    it('answers what it answered to an older challenge, whole or in part', async () => {
      await ask(proxied('earlier'));
      const again = heard.earlier!.filter(({ data }) => data !== null);
      let next = 0;
      expect(await caught('replayed', () => again[next++])).to.deep.equal(failed('CHALLENGE_MISSING'));
      const oldest = again.at(-1)!.data.whoAccessedMyData.edges.slice(-3);
      const part = secondPage((edges) => [...edges.slice(0, -3), ...oldest]);
      expect(await caught('older', part)).to.deep.equal(failed('OTHER_CHECKPOINT'));
    });
  });

  it('says in one line what it cannot use, and that with status 3', async () => {
    const expired = await server.provider.sign({
      sub: 'uma',
      access_ledger_roles: ['user'],
      aud: server.provider.audience,
      exp: Math.floor(Date.now() / 1000) - 60,
    });
    lies.page = () => '<!doctype html>';
    const token = { env: { ACCESS_LEDGER_TOKEN: tokens.uma } };
    const key = ['--key', server.logKey];
    const wrong: readonly (readonly [RegExp, Promise<Ran>])[] = [
      [/--url is missing/, run(['my-history', ...key], token)],
      [/--token is missing/, run(['my-history', '--url', server.url, ...key])],
      [/--key is missing/, run(['my-history', '--url', server.url], token)],
      [/http or https URL/, run(['my-history', '--url', 'ftp://ledger.example.com', ...key], token)],
      [/does not answer: is the server up/, run(['my-history', '--url', 'http://127.0.0.1:9', ...key], token)],
      [/the server answered TOKEN_EXPIRED/, run(['my-history', '--url', server.url, '--token', expired, ...key])],
      [/does not answer as an Access Ledger does/, ask(proxied('page'))],
    ];
    for (const [says, ran] of wrong) {
      const { status, out, err } = await ran;
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(says);
      expect(err).to.not.include(tokens.uma.slice(0, 20));
    }
  });
});
