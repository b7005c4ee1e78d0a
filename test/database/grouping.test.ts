import { expect } from 'chai';
import { type GroupingOptions, grouping } from '../../src/database/grouping.js';

const sqlError = (code: string) => Object.assign(new Error('PostgreSQL’s own words'), { code });
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What came of each: its result, or the code of what it was rejected with. */
async function outcomes(pending: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(pending);
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code));
}

describe('grouping', () => {
  let groups: number[][];
  beforeEach(() => {
    groups = [];
  });
  const grouped = (
    write: (items: readonly number[]) => Promise<unknown>,
    options: Partial<GroupingOptions<number, number>>,
  ) =>
    grouping<number, number>({
      async send(items) {
        groups.push([...items]);
        await write(items);
        return items.map((item) => item * 10);
      },
      weight: () => 1,
      fullGroup: 100,
      lanes: 1,
      unanswered: () => sqlError('UNANSWERED'),
      ...options,
    });

  for (const code of ['22021', '23514', 'AL003']) {
    it(`writes one by one what was refused with ${code}`, async () => {
      const add = grouped(async (items) => {
        if (items.includes(3)) throw sqlError(code);
      }, {});
      expect(await outcomes([1, 2, 3, 4].map(add))).to.deep.equal([10, 20, code, 40]);
      expect(groups).to.deep.equal([[1, 2, 3, 4], [1], [2], [3], [4]]);
    });
  }

  for (const code of ['55P03', '57014', '53100', '25006', '42501', 'XX000']) {
    it(`fails whole what failed with ${code}, once, and what waits behind it; and then works again`, async () => {
      let up = false;
      const add = grouped(async () => {
        await later(20);
        if (!up) throw sqlError(code);
      }, {});
      const first = [1, 2, 3].map(add);
      await later(5);
      const behind = [4, 5].map(add);
      expect(await outcomes([...first, ...behind])).to.deep.equal(Array(5).fill(code));
      expect(groups).to.deep.equal([[1, 2, 3]]);
      up = true;
      expect(await outcomes([add(6)])).to.deep.equal([60]);
    });
  }

  it('stops writing one by one when one of them fails for no fault of its own', async () => {
    const add = grouped(async (items) => {
      if (items.length > 1) throw sqlError('22021');
      if (items[0] === 2) throw sqlError('55P03');
    }, {});
    expect(await outcomes([1, 2, 3, 4].map(add))).to.deep.equal([10, '55P03', '55P03', '55P03']);
    expect(groups).to.deep.equal([[1, 2, 3, 4], [1], [2]]);
  });

  it('gives up what waited too long, while the group before is still written', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const add = grouped(() => held, { patience: 60 });
    const first = add(1);
    await later(20);
    const began = performance.now();
    const behind = await outcomes([2, 3].map(add));
    expect(behind).to.deep.equal(['UNANSWERED', 'UNANSWERED']);
    expect(performance.now() - began).to.be.within(50, 500);
    const next = add(4);
    release();
    expect(await outcomes([first, next])).to.deep.equal([10, 40]);
    expect(groups).to.deep.equal([[1], [4]]);
  });

  it('takes no more than it may keep waiting', async () => {
    const add = grouped(() => later(20), { most: 3 });
    const first = add(1);
    await later(5);
    const others = [2, 3, 4, 5].map(add);
    expect(await outcomes([others[3]!])).to.deep.equal(['UNANSWERED']);
    expect(await outcomes([first, ...others])).to.deep.equal([10, 20, 30, 40, 'UNANSWERED']);
    expect(await add(6)).to.equal(60);
  });

  for (const code of ['EPIPE', 'ECONNRESET', '57P01', '40P01']) {
    it(`asks again after ${code}, which says nothing of what was written`, async () => {
      const add = grouped(async () => {
        if (groups.length === 1) throw sqlError(code);
      }, {});
      expect(await outcomes([1, 2].map(add))).to.deep.equal([10, 20]);
      expect(groups).to.deep.equal([
        [1, 2],
        [1, 2],
      ]);
    });
  }

  it('does not ask again for a lost answer that came too late', async () => {
    const add = grouped(
      async () => {
        await later(40);
        throw new Error('Connection terminated unexpectedly');
      },
      { patience: 20 },
    );
    await outcomes([add(1)]);
    expect(groups).to.deep.equal([[1]]);
  });
});
