import { hash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { whoAccessedMyData } from '../../../src/domain/history/history.js';
import { grantNeedToKnow } from '../../../src/domain/staff/grants.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { EMAIL, refusalOf, type TestGate, testGate } from '../../support/gate.js';
import { ask as sql } from '../../support/postgres.js';

const WHO = `query ($challenge: String!, $first: Int, $after: String) {
  whoAccessedMyData(challenge: $challenge, first: $first, after: $after) {
    count
    entry { index link }
    edges { cursor node { text at since times who categories purposes basis outcome
      newest { index link nth } oldest { index link nth } } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const READ = `query ($id: ID!, $categories: [String!]) {
  user(id: $id) { personalData(purpose: "convenience", categories: $categories) { value } }
}`;

interface Line {
  readonly text: string;
  readonly times: number;
  readonly who: string;
  readonly at: string;
  readonly since: string;
  readonly outcome: string;
  readonly newest: { readonly index: number; readonly link: string; readonly nth: number };
  readonly oldest: { readonly index: number; readonly link: string; readonly nth: number };
}

describe('whoAccessedMyData', () => {
  let gate: TestGate;
  let officer: Actor;
  let support: Actor;
  let ana: Actor;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
  });
  beforeEach(async () => {
    const sub = randomBytes(4).toString('hex');
    const id = await gate.person(undefined, sub);
    ana = await gate.signIn('user', sub);
    expect(ana.id).to.equal(id);
    support = await gate.signIn('support-agent');
  });
  after(() => gate.close());

  const ask = (page: object = {}, actor = ana, challenge = randomBytes(32).toString('hex')) =>
    gate.execute(actor, WHO, { challenge, ...page });
  const read = (categories: string[] | null = null, actor = support) =>
    gate.execute(actor, READ, { id: ana.id, categories });
  const approve = (staff: Actor) =>
    grantNeedToKnow(gate.contextFor(officer), {
      ...{ staff: staff.id, purpose: 'convenience', categories: null, from: null },
      until: new Date(Date.now() + 3_600_000),
    });
  const linesOf = (data: { whoAccessedMyData: { edges: { node: Line }[] } }) =>
    data.whoAccessedMyData.edges.map(({ node }) => node);

  it('first enters the asking, with the SHA-256 of the challenge; and its nth is the count', async () => {
    const bytes = randomBytes(32);
    const { data, errors, context } = await ask({}, ana, bytes.toString('base64url'));
    expect(errors).to.deep.equal([]);
    const { count, entry } = data.whoAccessedMyData;
    expect(context.entries).to.deep.equal([entry]);
    const [logged] = await gate.entries(entry.index);
    expect(logged!.nth).to.equal(count);
    expect(logged!.body).to.deep.include({
      event: 'history.read',
      subject: ana.id,
      actor: ana,
      details: { challenge: hash('sha256', bytes, 'hex') },
      clause: '6.4',
    });
    expect(count).to.equal(3); // user.registered, record.created, and this asking
  });

  it('shows every entry that names the person, newest first, in plain words', async () => {
    await read(['user.name']);
    await approve(support);
    await read(['user.contact.email', 'user.name']);
    const { data } = await ask();
    const shown = linesOf(data).map(({ text }) => text.replace(/^On [^,]+, [0-9:]{8} UTC, /, ''));
    const why = 'for the purpose “to make the service easier to use”';
    const ground = 'on the basis of “the service you signed up for”';
    expect(shown).to.deep.equal([
      'you looked at this history.',
      `a support agent of ours saw your e-mail address and name, ${why}, ${ground}.`,
      `a support agent of ours tried to see your name, ${why}. This was refused: no need to know this for this purpose had been approved.`,
      `our system recorded your name and e-mail address, ${why}, ${ground}.`,
      `our system registered you, with your name and e-mail address, ${why}, ${ground}.`,
    ]);
  });

  it('gives each line its place in the log and in the history, without a gap', async () => {
    await approve(support);
    for (let nth = 0; nth < 5; nth++) await read();
    const { data } = await ask();
    const { count } = data.whoAccessedMyData;
    const lines = linesOf(data);
    expect(
      lines.flatMap(({ newest, times }) => Array.from({ length: times }, (_, at) => newest.nth - at)),
    ).to.deep.equal(Array.from({ length: count }, (_, at) => count - at));
    const entries = await gate.entries();
    for (const { newest, oldest } of lines) {
      for (const place of [newest, oldest]) {
        expect(entries[place.index]).to.include({ nth: place.nth });
        expect(entries[place.index]!.body.subject).to.equal(ana.id);
      }
    }
  });

  it('says refusals of one role for one reason once, with how often and the span', async () => {
    const colleague = await gate.signIn('support-agent');
    const first = await read(['user.name']);
    await read(['user.contact.email'], colleague);
    const last = await read(['user.name']);
    await approve(support);
    await read();
    await read(['user.name'], colleague);
    const lines = linesOf((await ask()).data).slice(1, 4);
    expect(lines.map(({ outcome, times }) => [outcome, times])).to.deep.equal([
      ['REFUSED', 1],
      ['PERMITTED', 1],
      ['REFUSED', 3],
    ]);
    const three = lines[2]!;
    expect(three.who).to.equal('several support agents of ours');
    expect([three.newest.index, three.oldest.index]).to.deep.equal([
      last.context.entries[0]!.index,
      first.context.entries[0]!.index,
    ]);
    expect(three.newest.nth - three.oldest.nth).to.equal(2);
    expect(three.since <= three.at).to.equal(true);
  });

  it('is paged, each page by an entry of its own, and no line is lost or torn', async () => {
    await approve(support);
    for (let nth = 0; nth < 12; nth++) await read(null, nth % 3 === 2 ? support : officer);
    const whole = linesOf((await ask()).data).slice(1);
    const paged: Line[] = [];
    for (let after: string | null = null, asked = 1; ; asked++) {
      const { data, context } = await ask({ first: 3, after });
      expect(context.entries).to.have.length(1);
      expect(data.whoAccessedMyData.count).to.equal(whole[0]!.newest.nth + 1 + asked);
      paged.push(...linesOf(data));
      if (!data.whoAccessedMyData.pageInfo.hasNextPage) break;
      after = data.whoAccessedMyData.pageInfo.endCursor;
    }
    expect(paged.slice(-whole.length)).to.deep.equal(whole);
    expect(whole.some(({ times }) => times === 2)).to.equal(true);
  });

  it('shows nobody’s name, and no value', async () => {
    await approve(support);
    await read();
    const text = JSON.stringify((await ask()).data);
    for (const hidden of [EMAIL.value, support.id, officer.id]) expect(text).to.not.include(hidden);
  });

  it('is each person’s own', async () => {
    const others = (await gate.person()) as Pseudonym;
    await gate.execute(ana, READ, { id: others, categories: ['user.name'] });
    const { data } = await ask({}, { id: others, kind: 'user' });
    expect(linesOf(data)[1]).to.include({ who: 'another user', outcome: 'REFUSED' });
    expect(linesOf((await ask()).data)).to.have.length(3);
  });

  it('is for users only, and the refusal is an entry', async () => {
    const reviewer = await gate.signIn('security-reviewer');
    for (const actor of [support, officer, reviewer, { ...ana, kind: 'processor' } as const]) {
      const { data, errors, context } = await ask({}, actor);
      expect([data, errors[0]!.extensions.code]).to.deep.equal([null, 'ROLE_NOT_PERMITTED']);
      const [entry] = await gate.entries(context.entries[0]!.index);
      expect(entry!.body).to.include({ event: 'history.read', outcome: 'refused' });
    }
  });

  it('takes no challenge but 32 bytes, and enters nothing for another', async () => {
    const before = await gate.size();
    const context = gate.contextFor(ana);
    expect(await refusalOf(whoAccessedMyData(context, 'who?', {}))).to.equal('BAD_INPUT');
    expect(await gate.size()).to.equal(before);
  });

  it('takes from the leaf where an entry stands in the history, and shows what is not of it as unreadable', async () => {
    await approve(support);
    const other = await gate.person();
    await read(['user.name']);
    await read(['user.contact.email']);
    const [own, email, name] = linesOf((await ask()).data);
    await sql(gate.database.superuserUrl, 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    const edit = (set: string, where: string) =>
      sql(gate.database.superuserUrl, `UPDATE ledger.entry SET ${set} WHERE index < ${own!.newest.index} AND ${where}`);
    await edit('nth = nth + 100', `subject = '${ana.id}'`);
    await edit("leaf = 'gone'", `index = ${name!.newest.index}`);
    await edit(`subject = '${ana.id}'`, `subject = '${other}' AND event = 'record.created'`);
    const { data, errors } = await ask();
    expect(errors).to.deep.equal([]);
    expect(data.whoAccessedMyData.count).to.equal(own!.newest.nth + 1);
    const shown = linesOf(data).map(({ newest, text }) => [newest.nth, / edited /.test(text)]);
    expect(shown.slice(1, 6)).to.deep.equal([
      [own!.newest.nth, false],
      [email!.newest.nth, false],
      [null, true],
      [null, true],
      [2, false],
    ]);
  });

  it('goes on after erasure', async () => {
    const context = gate.contextFor(officer);
    await context.gate.erase({ operation: 'test', subject: ana.id });
    const [own, key, erased] = linesOf((await ask()).data);
    expect(own!.who).to.equal('you');
    expect(key!.text).to.include('a privacy officer of ours destroyed the key under which your data was sealed');
    expect(erased!.text).to.include('erased your');
  });
});
