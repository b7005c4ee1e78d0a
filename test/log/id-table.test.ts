import { expect } from 'chai';
import fc from 'fast-check';
import { Column, IdTable, parseUuid } from '../../src/log/id-table.js';

function rowOf(table: IdTable, id: string): number {
  const words = new Uint32Array(5);
  parseUuid(id, words, 1);
  return table.row(words, 1);
}

describe('id table', () => {
  it('numbers ids as a Map does, and gives them back', () => {
    const few = fc.uuid();
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            few,
            fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
          ),
        ),
        (ids) => {
          const table = new IdTable();
          const map = new Map<string, number>();
          for (const id of ids) {
            if (!map.has(id)) map.set(id, map.size);
            expect(rowOf(table, id)).to.equal(map.get(id));
          }
          for (const [id, row] of map) expect(table.uuid(row)).to.equal(id);
        },
      ),
    );
  });

  it('grows past its first size, and keeps ids that differ in one bit apart', () => {
    const table = new IdTable();
    const id = (n: number) => `${(n << 7).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
    for (let n = 0; n < 20_000; n++) expect(rowOf(table, id(n))).to.equal(n);
    for (let n = 0; n < 20_000; n += 97) expect(rowOf(table, id(n))).to.equal(n);
    expect(table.uuid(19_999)).to.equal(id(19_999));
  });

  it('keeps a number for each row', () => {
    const column = new Column();
    column.set(5000, Number.MAX_SAFE_INTEGER);
    expect([column.get(5000), column.get(4999), column.get(1e6)]).to.deep.equal([Number.MAX_SAFE_INTEGER, 0, 0]);
  });
});
