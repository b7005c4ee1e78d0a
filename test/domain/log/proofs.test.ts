import { expect } from 'chai';
import { graphql } from 'graphql';
import type { Context } from '../../../src/graphql/context.js';
import { createProver } from '../../../src/ledger/prover.js';
import { fromBase64, toUtf8 } from '../../../src/log/bytes.js';
import { openCheckpoint } from '../../../src/log/checkpoint.js';
import { checkConsistency } from '../../../src/log/consistency.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { linkOf } from '../../../src/log/leaf.js';
import { checkProof, parseProof } from '../../../src/log/proof.js';
import type { Tile } from '../../../src/log/tile.js';
import { EMPTY_ROOT, type Hash } from '../../../src/log/tree.js';
import { type Answered, apiSchema, type TestGate, testGate } from '../../support/gate.js';
import { ask as sql } from '../../support/postgres.js';
import { LOG_KEY, publishing, type TestPublishing, WITNESSES } from '../../support/publishing.js';

const PROOF = `query ($index: LogIndex!, $under: LogIndex) {
  disclosureProof(index: $index, under: $under) { index file leaf }
}`;
const CONSISTENCY = `query ($from: LogIndex!, $to: LogIndex!) {
  consistencyProof(from: $from, to: $to) { from to hashes checkpoint }
}`;
const STATES = '{ auditEntries(first: 200) { edges { node { index state } } } }';
const HISTORY = `query ($first: Int, $under: LogIndex) {
  whoAccessedMyData(challenge: "${'ab'.repeat(32)}", merge: false, first: $first) {
    entry { index }
    edges { node { times newest { index link nth proof(under: $under) { index file leaf } } } }
  }
}`;
const READ = `query ($id: ID!) {
  user(id: $id) { personalData(purpose: "convenience", categories: ["user.name"]) { value } }
}`;

interface Proof {
  readonly index: number;
  readonly file: string;
  readonly leaf: string;
}

describe('proofs', () => {
  let gate: TestGate;
  let log: TestPublishing;
  let reviewer: Actor;
  let support: Actor;
  let ana: Actor;
  let size = 0;
  before(async () => {
    gate = await testGate();
    log = publishing(gate.core);
    support = await gate.signIn('support-agent');
    ana = { id: await gate.person(), kind: 'user' };
    // Two full tiles, and some of a third.
    await Promise.all(Array.from({ length: 560 }, () => gate.execute(support, READ, { id: ana.id })));
    reviewer = await gate.signIn('security-reviewer');
    await gate.execute(reviewer, '{ logHead { size } }');
    size = await log.publish();
  });
  after(() => gate.close());

  const prove = (index: number | string, actor = reviewer, under?: number) =>
    gate.execute(actor, PROOF, { index, ...(under !== undefined && { under }) });
  const caused = ({ context }: Answered) => context.entries.map(({ index }) => index);
  const codeOf = ({ errors }: Answered) => errors[0]?.extensions.code ?? null;
  const checked = ({ file, leaf }: Proof) => checkProof(toUtf8(leaf), parseProof(file), LOG_KEY, WITNESSES);

  describe('of an entry, for reviewers', () => {
    it('are the file and the leaf, which verify by the log’s key alone', async () => {
      expect(size).to.be.greaterThan(560);
      for (const index of [0, 1, 255, 256, 511, 512, size - 1]) {
        const { data, errors } = await prove(index);
        expect(errors).to.deep.equal([]);
        const { leaf, checkpoint } = checked(data.disclosureProof);
        expect([data.disclosureProof.index, leaf.index]).to.deep.equal([index, index]);
        expect(checkpoint.size).to.be.greaterThan(index);
        const { data: shown } = await gate.execute(reviewer, `{ auditEntry(index: ${index}) { leaf link } }`);
        expect(data.disclosureProof.leaf).to.equal(shown.auditEntry.leaf);
        expect(linkOf(toUtf8(shown.auditEntry.leaf))).to.equal(shown.auditEntry.link);
      }
    });

    it('are of a reading session, and make no entries in it', async () => {
      const fresh = await gate.signIn('security-reviewer');
      const two = `{ a: disclosureProof(index: 1) { file } b: disclosureProof(index: 2) { file }
        consistencyProof(from: 0, to: 2) { to } }`;
      const first = await gate.execute(fresh, two);
      expect(first.errors).to.deep.equal([]);
      expect(caused(first)).to.have.length(1);
      expect(caused(await gate.execute(fresh, two))).to.deep.equal([]);
    });

    it('are null where the log is not that long', async () => {
      const { data, errors } = await prove('9007199254740991');
      expect([data, errors]).to.deep.equal([{ disclosureProof: null }, []]);
    });
  });

  it('are pending until a checkpoint covers the entry', async () => {
    const { context } = await gate.execute(support, READ, { id: ana.id });
    const { index } = context.entries[0]!;
    const early = await prove(index);
    expect([early.data, codeOf(early)]).to.deep.equal([{ disclosureProof: null }, 'CHECKPOINT_PENDING']);
    expect(early.errors[0]!.message).to.match(/Ask again in a second/);
    size = await log.publish();
    expect(checked((await prove(index)).data.disclosureProof).checkpoint.size).to.equal(size);
  });

  it('are under the newest cosigned checkpoint, where it covers the entry; or under the one asked for', async () => {
    const signers = async (index: number, under?: number) => {
      const { data } = await prove(index, reviewer, under);
      const { checkpoint } = checked(data.disclosureProof);
      return [checkpoint.size, ...checkpoint.signed.slice(1).map(({ key }) => key.name)];
    };
    const before = size;
    await gate.execute(support, READ, { id: ana.id });
    const cosigned = await log.publish();
    await log.cosign(2);
    for (const _ of [1, 2]) await gate.execute(support, READ, { id: ana.id });
    const newest = await log.publish();
    const two = ['w1.example.com', 'w2.example.com'];
    expect(await signers(3)).to.deep.equal([cosigned, ...two]);
    expect(await signers(cosigned - 1)).to.deep.equal([cosigned, ...two]);
    expect(await signers(cosigned)).to.deep.equal([newest]);
    expect(await signers(3, newest)).to.deep.equal([newest]);
    expect(await signers(3, before)).to.deep.equal([before]);
    expect(codeOf(await prove(3, reviewer, newest - 1))).to.equal('NO_SUCH_ID');
    expect(codeOf(await prove(newest - 1, reviewer, before))).to.equal('BAD_INPUT');
    size = newest;
  });

  describe('of an entry about oneself', () => {
    /** The newest entry about Ana that is covered. */
    const about = async () =>
      Number(
        await sql(
          gate.database.superuserUrl,
          `SELECT max(index) AS it FROM ledger.entry WHERE subject = '${ana.id}' AND index < ${size}`,
        ),
      );

    it('are a user’s to have, leaf and all', async () => {
      const { data, errors } = await prove(await about(), ana);
      expect(errors).to.deep.equal([]);
      const { leaf } = checked(data.disclosureProof);
      expect(JSON.parse(leaf.body)).to.include({ subject: ana.id, event: 'record.read' });
      expect(JSON.parse(leaf.body).actor).to.deep.equal(support);
    });

    it('are part of a look at one’s history, which is one entry an hour', async () => {
      const someone: Actor = { id: await gate.person(), kind: 'user' };
      const own = (await gate.size()) - 1;
      size = await log.publish();
      const first = await prove(own, someone);
      expect(first.errors).to.deep.equal([]);
      const [entry] = await gate.entries(caused(first)[0]);
      expect(entry!.body).to.include({ event: 'history.read', subject: someone.id, operation: 'disclosureProof' });
      expect(caused(await prove(own, someone))).to.deep.equal([]);

      const other: Actor = { id: await gate.person(), kind: 'user' };
      const last = (await gate.size()) - 1;
      await gate.execute(other, HISTORY, { first: 1 });
      size = await log.publish();
      expect(caused(await prove(last, other)), 'whoAccessedMyData has opened it').to.deep.equal([]);
    });

    it('are nobody else’s: refused alike for another’s entry and for none, and that is an entry about nobody', async () => {
      const other: Actor = { id: await gate.person(), kind: 'user' };
      await gate.execute(other, HISTORY, { first: 1 });
      for (const index of [await about(), 0, size + 1_000_000]) {
        const answered = await prove(index, other);
        expect(answered.data).to.deep.equal({ disclosureProof: null });
        expect(answered.errors[0]!.extensions).to.include({ code: 'NOT_YOUR_DATA', clause: '5.2' });
        const [entry] = await gate.entries(caused(answered)[0]);
        expect(entry!.body).to.deep.include({ event: 'history.read', outcome: 'refused', actor: other });
        expect(entry!.body).to.not.have.any.keys('subject', 'details');
      }
      const [about1, about2] = await Promise.all([prove(await about(), other), prove(size + 9, other)]);
      expect(about1.errors[0]!.message).to.equal(about2.errors[0]!.message);
    });
  });

  it('of whatever kind are refused to everybody else, by an entry', async () => {
    const others = [
      support,
      await gate.signIn('privacy-officer'),
      { id: '0b6f5a52-7a44-4b6f-9d53-0a7b6c8d9e0f' as Pseudonym, kind: 'processor' } as const,
    ];
    for (const actor of others) {
      for (const answered of [await prove(1, actor), await gate.execute(actor, CONSISTENCY, { from: 1, to: 2 })]) {
        expect(answered.data?.disclosureProof ?? null).to.equal(null);
        expect(answered.errors[0]!.extensions).to.include({ code: 'ROLE_NOT_PERMITTED' });
        const [entry] = await gate.entries(caused(answered)[0]);
        expect(entry!.body).to.include({ event: 'log.read', outcome: 'refused' });
      }
    }
    const user = await gate.execute(ana, CONSISTENCY, { from: 1, to: 2 });
    expect([user.data, codeOf(user)]).to.deep.equal([null, 'ROLE_NOT_PERMITTED']);
  });

  describe('of consistency', () => {
    it('lead from each checkpoint to each later one', async () => {
      const notes = (await sql(
        gate.database.superuserUrl,
        'SELECT json_agg(note ORDER BY size) AS it FROM ledger.checkpoint',
      )) as string[];
      const heads = notes.map((note) => openCheckpoint(note, LOG_KEY));
      expect(heads.length).to.be.greaterThan(3);
      for (const [nth, from] of heads.entries()) {
        for (const to of heads.slice(nth)) {
          const { data, errors } = await gate.execute(reviewer, CONSISTENCY, { from: from.size, to: to.size });
          expect(errors).to.deep.equal([]);
          const { hashes, checkpoint } = data.consistencyProof;
          const proof = hashes.map((hash: string) => fromBase64(hash) as Hash);
          expect(checkConsistency(proof, from, openCheckpoint(checkpoint, LOG_KEY))).to.equal(true);
        }
      }
    });

    it('are of any sizes that are covered', async () => {
      const { data } = await gate.execute(reviewer, CONSISTENCY, { from: 0, to: 300 });
      expect(data.consistencyProof).to.deep.equal({ from: 0, to: 300, hashes: [], checkpoint: null });
      const half = (await gate.execute(reviewer, CONSISTENCY, { from: 300, to: size })).data.consistencyProof;
      expect(half.hashes.length).to.be.greaterThan(3);
      const whole = openCheckpoint(half.checkpoint, LOG_KEY);
      expect(checkConsistency([], { size: 0, root: EMPTY_ROOT }, whole)).to.equal(true);
      expect(codeOf(await gate.execute(reviewer, CONSISTENCY, { from: 2, to: 1 }))).to.equal('BAD_INPUT');
      const beyond = { from: 1, to: (await gate.size()) + 1 };
      expect(codeOf(await gate.execute(reviewer, CONSISTENCY, beyond))).to.equal('CHECKPOINT_PENDING');
    });
  });

  it('tell how far each entry of a page has come', async () => {
    const cosigned = await log.publish();
    await log.cosign();
    await gate.execute(support, READ, { id: ana.id });
    const checkpointed = await log.publish();
    await gate.execute(support, READ, { id: ana.id });
    const { data, errors } = await gate.execute(reviewer, STATES);
    expect(errors).to.deep.equal([]);
    for (const { node } of data.auditEntries.edges) {
      const state = node.index < cosigned ? 'COSIGNED' : node.index < checkpointed ? 'CHECKPOINTED' : 'APPENDED';
      expect(node.state, `entry ${node.index}`).to.equal(state);
    }
    const states = new Set(data.auditEntries.edges.map(({ node }: { node: { state: string } }) => node.state));
    expect([...states]).to.have.members(['COSIGNED', 'CHECKPOINTED', 'APPENDED']);
    size = checkpointed;
  });

  describe('of a history', () => {
    /** Counts what is asked of the tree. */
    async function counted(actor: Actor, source: string, variables: object = {}) {
      const asked = { tiles: [] as number[], checkpoints: 0 };
      const { tree } = gate.core;
      const counting = {
        ...tree,
        read: (tiles: readonly Tile[]) => {
          asked.tiles.push(tiles.length);
          return tree.read(tiles);
        },
        newestSigned: (quorum?: number) => {
          asked.checkpoints++;
          return tree.newestSigned(quorum);
        },
      };
      const contextValue: Context = { ...gate.contextFor(actor), prover: createProver(counting, 1) };
      const schema = await apiSchema();
      const result = await graphql({ schema, source, contextValue, variableValues: variables as never });
      return { asked, data: JSON.parse(JSON.stringify(result.data)), errors: result.errors ?? [] };
    }

    it('come line by line, each entry a line, and all of a page in one read', async () => {
      size = await log.publish();
      const { data, errors, asked } = await counted(ana, HISTORY, { first: 150, under: size });
      const [own, ...lines] = data.whoAccessedMyData.edges.map(
        ({ node }: { node: { times: number; newest: { nth: number; proof: Proof } } }) => node,
      );
      expect(own.newest.proof, 'nothing covers the asking yet').to.equal(null);
      expect(errors).to.have.length(1);
      expect(lines).to.have.length(149);
      for (const [nth, { times, newest }] of lines.entries()) {
        const { leaf, checkpoint } = checked(newest.proof);
        expect([times, leaf.history!.nth, checkpoint.size]).to.deep.equal([1, own.newest.nth - 1 - nth, size]);
      }
      expect(asked.tiles).to.have.length(1);
      expect(asked.tiles[0]).to.be.at.most(4);
    });

    it('come in one read also where two checkpoints prove them, and states in none', async () => {
      const proofs = await counted(
        reviewer,
        `{ ${[1, 2, 3].map((n) => `p${n}: disclosureProof(index: ${n}) { file }`)} }`,
      );
      expect(proofs.asked).to.deep.equal({ tiles: [proofs.asked.tiles[0]], checkpoints: 2 });
      const states = await counted(reviewer, STATES);
      expect(states.asked).to.deep.equal({ tiles: [], checkpoints: 2 });
    });

    it('are not asked for where nobody asks for them', async () => {
      const source = `{ whoAccessedMyData(challenge: "${'cd'.repeat(32)}") { edges { node { newest { index } } } } }`;
      const { asked, errors } = await counted(ana, source);
      expect([errors, asked]).to.deep.equal([[], { tiles: [], checkpoints: 0 }]);
    });
  });

  it('show a person no leaf that does not say it is about them, whatever the columns say', async () => {
    const url = gate.database.superuserUrl;
    const foreign = Number(await sql(url, `SELECT min(index) AS it FROM ledger.entry WHERE subject IS NULL`));
    await sql(url, 'ALTER TABLE ledger.entry DISABLE TRIGGER append_only');
    await sql(url, `UPDATE ledger.entry SET subject = '${ana.id}', nth = 9999 WHERE index = ${foreign}`);
    const { data, errors } = await prove(foreign, ana);
    expect(errors).to.deep.equal([]);
    expect(data.disclosureProof).to.include({ index: foreign, leaf: null });
  });
});
