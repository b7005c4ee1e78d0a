import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { judge } from '../../src/cli/check-proof.js';
import { hexBytes, toUtf8 } from '../../src/log/bytes.js';
import { formatCheckpoint } from '../../src/log/checkpoint.js';
import { proveInclusion } from '../../src/log/inclusion.js';
import type { LogIndex } from '../../src/log/leaf.js';
import { signNote } from '../../src/log/note.js';
import { formatVerifierKey, type SigningKey } from '../../src/log/note-key.js';
import { formatProof } from '../../src/log/proof.js';
import { type Hash, HashTable, rootAt } from '../../src/log/tree.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from '../log/keys.js';
import { folder, run } from './command.js';
import { bodies, chained } from './logs.js';

const TIME = 1_790_000_000;

describe('access-ledger check-proof', () => {
  const { path } = folder();
  const log = chained(bodies(13));
  const table = new HashTable();
  for (const { link } of log) table.append(hexBytes(link) as Hash);
  const { leaf } = log[4]!;
  const [one, two, three] = witnessKeys as [SigningKey, SigningKey, SigningKey];
  const withKey = ['--key', formatVerifierKey(logKey)];
  const withWitnesses = [one, two, three].flatMap((key) => ['--witness', formatVerifierKey(key)]);

  async function proof(signers: readonly SigningKey[], index = 4): Promise<string> {
    const text = formatCheckpoint({ origin: ORIGIN, size: 13, root: await rootAt(13, table) });
    const hashes = await proveInclusion(index, 13, table);
    return formatProof({ index: index as LogIndex, hashes, checkpoint: signNote(text, signers, TIME) });
  }
  async function kept(name: string, file: string, bytes: Uint8Array = leaf): Promise<string> {
    await writeFile(path(`${name}.tlog-proof`), file);
    await writeFile(path(`${name}.leaf`), bytes);
    return path(`${name}.tlog-proof`);
  }

  it('proves an entry by the log’s key alone, with the leaf that lies beside it', async () => {
    const file = await kept('alone', await proof([logKey]));
    expect(await run(['check-proof', file, ...withKey])).to.deep.equal({
      status: 0,
      out: `proven: entry 4 is among the first 13 of ${ORIGIN}, attested by the log’s key\n`,
      err: '',
    });
    const { status, out } = await run(['check-proof', file, ...withKey, '--json']);
    expect([status, JSON.parse(out)]).to.deep.equal([
      0,
      { verdict: 'proven', index: 4, link: log[4]!.link, origin: ORIGIN, size: 13, cosigned: [] },
    ]);
  });

  it('asks for witnesses where they are named, all of them or a quorum', async () => {
    const file = await kept('cosigned', await proof([logKey, one, two]));
    const all = ['check-proof', file, ...withKey, ...withWitnesses];
    const [quorum, json, every] = await Promise.all([
      run([...all, '--quorum', '2']),
      run([...all, '--quorum', '2', '--json']),
      run(all),
    ]);
    expect([quorum.status, quorum.out]).to.deep.equal([
      0,
      `proven: entry 4 is among the first 13 of ${ORIGIN}, attested by the log’s key, ${one.name} and ${two.name}\n`,
    ]);
    expect(JSON.parse(json.out).cosigned).to.deep.equal([
      { witness: one.name, time: TIME },
      { witness: two.name, time: TIME },
    ]);
    expect([every.status, every.out]).to.deep.equal([
      2,
      `inconclusive: QUORUM_NOT_MET: entry 4 is among the first 13 of ${ORIGIN}, but of 3 witnesses 3 should have cosigned it, and ${one.name} and ${two.name} did\n`,
    ]);
  });

  it('says with status 1 what is not so', async () => {
    const file = await proof([logKey, one]);
    const [otherLeaf, otherPlace, forged] = await Promise.all([
      kept('other', file, toUtf8(new TextDecoder().decode(leaf).replace('support-agent', 'privacy-officer'))),
      kept('place', file, log[5]!.leaf),
      kept('forged', file.replace('\n13\n', '\n14\n')),
    ]);
    const [content, place, signature] = await Promise.all(
      [otherLeaf, otherPlace, forged].map((one) => run(['check-proof', one, ...withKey])),
    );
    expect([content!.status, content!.out]).to.deep.equal([
      1,
      'failed: NOT_INCLUDED: the proof does not lead to the root\n',
    ]);
    expect([place!.status, place!.out.split(':')[1]]).to.deep.equal([1, ' INDEX_DIFFERS']);
    expect([signature!.status, signature!.out.split(':')[1]]).to.deep.equal([1, ' SIGNATURE_INVALID']);
  });

  it('proves nothing once any byte of proof, checkpoint, cosignature or leaf is another', async () => {
    const file = toUtf8(await proof([logKey, one, two]));
    const trust = { key: logKey, witnesses: [one, two], quorum: 2 };
    expect(judge(file, leaf, trust).verdict).to.equal('proven');
    for (const [name, bytes] of Object.entries({ file, leaf })) {
      for (const at of bytes.keys()) {
        for (const flip of [0x01, 0x80]) {
          const changed = Uint8Array.from(bytes);
          changed[at]! ^= flip;
          const verdict = name === 'file' ? judge(changed, leaf, trust) : judge(file, changed, trust);
          expect(verdict.verdict, `byte ${at} of the ${name}`).to.not.equal('proven');
        }
      }
    }
    for (const cut of [0, 1, file.length - 1]) {
      expect(judge(file.slice(0, cut), leaf, trust).verdict).to.equal('failed');
    }
  });

  it('says in one line what it cannot use, and that with status 3', async () => {
    const file = await kept('sound', await proof([logKey]));
    const lonely = path('lonely.txt');
    await writeFile(lonely, await proof([logKey]));
    const garbage = await kept('garbage', 'garbage');
    const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
      [/--key is missing/, [file]],
      [/no verifier key of a log/, [file, '--key', formatVerifierKey(one)]],
      [/did not sign|no known key/, [file, '--key', formatVerifierKey(impostorKey)]],
      [/a quorum of 4 among 3/, [file, ...withKey, ...withWitnesses, '--quorum', '4']],
      [/garbage.tlog-proof: no file of c2sp.org\/tlog-proof@v1/, [garbage, ...withKey]],
      [/Give --leaf/, [lonely, ...withKey]],
      [/nowhere: there is no such file/, [lonely, '--leaf', path('nowhere'), ...withKey]],
    ];
    const all = await Promise.all(wrong.map(([, args]) => run(['check-proof', ...args])));
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, out], err).to.deep.equal([3, '']);
      expect(err)
        .to.match(/^access-ledger: [^\n]+\n$/)
        .and.to.match(wrong[i]![0]);
    }
  });
});
