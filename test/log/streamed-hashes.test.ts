import { expect } from 'chai';
import { sha256 } from '../../src/log/hash.js';
import { proveInclusion } from '../../src/log/inclusion.js';
import { streamedHashes } from '../../src/log/streamed-hashes.js';
import { type Hash, HashTable } from '../../src/log/tree.js';

describe('hashes of links that go by', () => {
  const links = Array.from({ length: 70 }, (_, n) => sha256(Uint8Array.of(n)) as Hash);
  const table = new HashTable();
  for (const link of links) table.append(link);
  async function* first(size: number): AsyncGenerator<Hash> {
    yield* links.slice(0, size);
  }

  it('prove what a table of all of them proves, of every leaf of every size', async () => {
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        const streamed = await proveInclusion(index, size, streamedHashes(first(size)));
        expect(streamed, `${index} of ${size}`).to.deep.equal(await proveInclusion(index, size, table));
      }
    }
  });

  it('are given in the order asked for, also of nodes within each other', async () => {
    const nodes = [
      { level: 2, index: 1 },
      { level: 0, index: 5 },
      { level: 6, index: 0 },
      { level: 0, index: 5 },
      { level: 1, index: 34 },
    ];
    expect(await streamedHashes(first(70)).read(nodes)).to.deep.equal(await table.read(nodes));
  });

  it('go by to their end, whatever is asked for', async () => {
    let seen = 0;
    async function* counted(): AsyncGenerator<Hash> {
      for (const link of links) {
        seen++;
        yield link;
      }
    }
    await streamedHashes(counted()).read([{ level: 0, index: 0 }]);
    expect(seen).to.equal(links.length);
  });

  it('are not made up where the links end too early', async () => {
    for (const node of [
      { level: 3, index: 1 },
      { level: 0, index: 12 },
    ]) {
      const error = await streamedHashes(first(12))
        .read([node])
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(RangeError);
    }
  });
});
