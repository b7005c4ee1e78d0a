import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { readingSession } from '../../../src/domain/log/reading-session.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { type Answered, refusalOf, type TestGate, testGate } from '../../support/gate.js';
import { ORIGIN } from '../../support/ledger.js';
import { ask } from '../../support/postgres.js';

const ENTRIES = `query ($filter: AuditEntryFilter, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    edges { cursor node { index link leaf nth earlier at event outcome actor { id kind role } subject purpose basis clause
      policy asked records { id category version } refusal { code missing } request operation asOf details } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const ENTRY = 'query ($index: LogIndex!) { auditEntry(index: $index) { index link leaf event } }';
const HEAD = '{ logHead { size index link origin } }';
const READ = `query ($id: ID!) {
  user(id: $id) { personalData(purpose: "convenience", categories: ["user.name"]) { value } }
}`;

interface Node {
  readonly [member: string]: unknown;
  readonly index: number;
  readonly leaf: string;
}

describe('the log, read by a reviewer', () => {
  let gate: TestGate;
  let reviewer: Actor;
  let support: Actor;
  let person: Pseudonym;
  before(async () => {
    gate = await testGate();
    support = await gate.signIn('support-agent');
    person = await gate.person();
    reviewer = await gate.signIn('security-reviewer');
    // A refused read, two by the person themself, and a session of the reviewer's.
    await gate.execute(support, READ, { id: person });
    for (const _ of [1, 2]) await gate.execute({ id: person, kind: 'user' }, READ, { id: person });
    await gate.execute(reviewer, HEAD);
  });
  after(() => gate.close());

  async function search(filter: object, page: object = {}): Promise<Node[]> {
    const { data, errors } = await gate.execute(reviewer, ENTRIES, { filter, first: 200, ...page });
    expect(errors).to.deep.equal([]);
    return data.auditEntries.edges.map(({ node }: { node: Node }) => node);
  }
  const caused = ({ context }: Answered) => context.entries.map(({ index }) => index);

  it('is shown exactly: the leaf as it is hashed, and what it says', async () => {
    const [node] = await search({ subject: person, outcome: 'REFUSED' });
    const row = await ask(
      gate.database.superuserUrl,
      `SELECT json_build_object('leaf', leaf, 'link', encode(link, 'hex')) AS it FROM ledger.entry WHERE index = ${node!.index}`,
    );
    const { leaf, link } = row as { leaf: string; link: string };
    const [header = '', text = ''] = leaf.split('\n');
    const body = JSON.parse(text);
    const { id, v, ...shown } = body;
    expect(node).to.deep.equal({
      ...{ basis: null, records: null, details: null, ...shown },
      ...{ index: node!.index, link, leaf },
      nth: Number(header.split(' ')[2]),
      earlier: Number(header.split(' ')[3]),
      outcome: 'REFUSED',
      actor: { ...support, kind: 'STAFF' },
    });
    expect([id, v]).to.deep.equal([body.id, 1]);
  });

  it('shows what was opened, and details as canonical JSON', async () => {
    const [read] = await search({ subject: person, event: 'record.read', outcome: 'PERMITTED' });
    expect(read!.records).to.have.length(1);
    const [session] = await search({ event: 'log.read' });
    expect(session!.details).to.match(/^\{"until":"[^"]+"\}$/);
  });

  it('is found by each member, newest first', async () => {
    const all = await search({});
    const indices = all.map(({ index }) => index);
    expect(indices).to.deep.equal([...Array(await gate.size()).keys()].reverse());
    const same = async (filter: object, fits: (node: Node) => boolean) => {
      const found = await search(filter);
      expect(found.length, JSON.stringify(filter)).to.be.greaterThan(0);
      expect(found, JSON.stringify(filter)).to.deep.equal(all.filter(fits));
    };
    await same({ subject: person }, ({ subject }) => subject === person);
    await same({ actor: support.id }, ({ actor }) => (actor as Actor).id === support.id);
    await same({ event: 'record.read' }, ({ event }) => event === 'record.read');
    await same({ purpose: 'convenience' }, ({ purpose }) => purpose === 'convenience');
    await same({ outcome: 'REFUSED' }, ({ outcome }) => outcome === 'REFUSED');
    await same({ request: all[3]!.request }, ({ request }) => request === all[3]!.request);
    const [from, to] = [all[5]!.at as string, all[1]!.at as string];
    await same({ from, to }, ({ at }) => from <= (at as string) && (at as string) < to);
    await same(
      { subject: person, event: 'record.read', outcome: 'PERMITTED' },
      (node) => node.subject === person && node.event === 'record.read' && node.outcome === 'PERMITTED',
    );
  });

  it('has nothing for what is in no entry', async () => {
    for (const filter of [
      { subject: randomUUID() },
      { subject: 'ana' },
      { actor: 'a\u0000b' },
      { event: 'dream.seen' },
      { event: "' OR true --" },
      { purpose: 'gossip' },
      { request: '' },
      { to: '1999-01-01T00:00:00Z' },
      { from: '2999-01-01T00:00:00Z' },
    ]) {
      expect(await search(filter), JSON.stringify(filter)).to.deep.equal([]);
    }
  });

  it('is paged by index, each entry once, also while it grows', async () => {
    const size = await gate.size();
    const seen: number[] = [];
    for (let after: string | null = null; ; ) {
      const { data } = await gate.execute(reviewer, ENTRIES, { first: 7, after });
      seen.push(...data.auditEntries.edges.map(({ node }: { node: Node }) => node.index));
      await gate.execute({ id: person, kind: 'user' }, READ, { id: person });
      if (!data.auditEntries.pageInfo.hasNextPage) break;
      after = data.auditEntries.pageInfo.endCursor;
    }
    expect(seen).to.deep.equal([...Array(size).keys()].reverse());
  });

  it('takes no cursor of another list, and no page over 200', async () => {
    const users = await gate.execute(support, '{ users(first: 1) { pageInfo { endCursor } } }');
    for (const page of [{ after: users.data.users.pageInfo.endCursor }, { after: 'x' }, { first: 201 }, { first: 0 }]) {
      const { errors } = await gate.execute(reviewer, ENTRIES, page);
      expect(errors[0]!.extensions.code, JSON.stringify(page)).to.equal('BAD_INPUT');
    }
    const { data } = await gate.execute(reviewer, ENTRIES, { first: 1 });
    const foreign = await gate.execute(
      support,
      'query ($after: String) { users(after: $after) { pageInfo { endCursor } } }',
      {
        after: data.auditEntries.pageInfo.endCursor,
      },
    );
    expect(foreign.errors[0]!.extensions.code).to.equal('BAD_INPUT');
  });

  it('is looked up by index, a number or its digits, and is null beyond its end', async () => {
    const [node] = await search({}, { first: 1 });
    const { index, link, leaf, event } = node!;
    for (const asked of [index, String(index)]) {
      const { data } = await gate.execute(reviewer, ENTRY, { index: asked });
      expect(data.auditEntry).to.deep.equal({ index, link, leaf, event });
    }
    expect((await gate.execute(reviewer, ENTRY, { index: 2 ** 53 - 1 })).data.auditEntry).to.equal(null);
    for (const index of [-1, 1.5, '01', 2 ** 53]) {
      expect((await gate.execute(reviewer, ENTRY, { index })).errors).to.have.length(1);
    }
  });

  it('has a head: its size, the newest link and its origin', async () => {
    const [node] = await search({}, { first: 1 });
    const { data } = await gate.execute(reviewer, HEAD);
    const size = await gate.size();
    expect(data.logHead).to.deep.equal({ size, index: size - 1, link: node!.link, origin: ORIGIN });
  });

  describe('is read in sessions', () => {
    it('of one entry, made by the first fetch', async () => {
      const fresh = await gate.signIn('security-reviewer');
      const first = await gate.execute(
        fresh,
        `{ a: auditEntry(index: 0) { index } b: auditEntry(index: 1) { index }
        logHead { size } auditEntries { edges { node { index } } } }`,
      );
      expect(first.errors).to.deep.equal([]);
      expect(caused(first)).to.have.length(1);
      const [entry] = await gate.entries(caused(first)[0]);
      expect(entry!.body).to.include({ event: 'log.read', outcome: 'permitted', clause: '5.1' });
      const until = Date.parse(String(entry!.body.details?.until));
      expect(until - Date.parse(entry!.body.at)).to.be.within(3_599_000, 3_600_000);
      expect(first.data.logHead.size, 'the session’s own entry is in it').to.be.at.least(entry!.index + 1);

      const before = await gate.size();
      expect(caused(await gate.execute(fresh, HEAD))).to.deep.equal([]);
      expect(caused(await gate.execute(fresh, ENTRY, { index: 0 }))).to.deep.equal([]);
      expect(await gate.size()).to.equal(before);
    });

    it('of one entry, however much is fetched side by side', async () => {
      const fresh = await gate.signIn('security-reviewer');
      const before = await gate.size();
      const answers = await Promise.all(Array.from({ length: 8 }, () => gate.execute(fresh, HEAD)));
      expect(answers.flatMap(caused)).to.deep.equal([before]);
      expect(await gate.size()).to.equal(before + 1);
    });

    it('of an hour, on every server, and of each reviewer’s own', async () => {
      const fresh = await gate.signIn('security-reviewer');
      await gate.execute(fresh, HEAD);
      const other = await gate.another();
      const later = (ms: number) => {
        const context = other.contextFor({ actor: fresh, request: randomUUID() });
        return { ...context, now: () => new Date(Date.now() + ms) };
      };
      const within = later(3_590_000);
      await readingSession(within, 'logHead');
      expect(within.entries).to.deep.equal([]);
      const after = later(3_600_001);
      await readingSession(after, 'logHead');
      expect(after.entries).to.have.length(1);
      expect(caused(await gate.execute(await gate.signIn('security-reviewer'), HEAD))).to.have.length(1);
    });

    it('that a refusal does not open', async () => {
      const id = (await gate.signIn('privacy-officer')).id;
      const officer: Actor = { id, kind: 'staff', role: 'privacy-officer' };
      await gate.execute(officer, HEAD);
      const asReviewer: Actor = { ...officer, role: 'security-reviewer' };
      expect(caused(await gate.execute(asReviewer, HEAD))).to.have.length(1);
      const again = await gate.execute(officer, HEAD);
      expect(again.errors[0]!.extensions.code, 'another role of the same person').to.equal('ROLE_NOT_PERMITTED');
    });
  });

  it('is refused to everybody else, by an entry', async () => {
    await gate.person(undefined, 'bo');
    const others = [
      support,
      await gate.signIn('privacy-officer'),
      await gate.signIn('user', 'bo'),
      { id: randomUUID() as string as Pseudonym, kind: 'processor' } as const,
    ];
    for (const actor of others) {
      for (const [source, variables] of [
        [HEAD, {}],
        [ENTRY, { index: 0 }],
        [ENTRIES, { filter: { subject: person } }],
      ] as const) {
        const answered = await gate.execute(actor, source, variables);
        expect(answered.errors[0]!.extensions).to.include({ code: 'ROLE_NOT_PERMITTED', clause: '5.2' });
        expect(JSON.stringify(answered.data ?? null)).to.match(/^(null|\{"auditEntry":null\})$/);
        const [entry] = await gate.entries(caused(answered)[0]);
        expect(entry!.body).to.include({ event: 'log.read', outcome: 'refused' });
      }
    }
    expect(await refusalOf(readingSession(gate.contextFor(support), 'logHead'))).to.equal('ROLE_NOT_PERMITTED');
  });

  it('shows an entry that was edited so that it cannot be read, and the others beside it', async () => {
    const [newest] = await search({}, { first: 1 });
    const { index } = newest!;
    await ask(gate.database.superuserUrl, 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await ask(gate.database.superuserUrl, `UPDATE ledger.entry SET leaf = 'gone' WHERE index = ${index}`);
    const [edited, beside] = await search({}, { first: 2 });
    expect(edited).to.deep.include({ index, leaf: 'gone', event: null, at: null, actor: null, details: null });
    expect(beside!.event).to.be.a('string');
  });
});
