import { expect } from 'chai';
import { isConflict, isDatabaseError, isDefinite, sqlStateOf } from '../../src/database/fault.js';

const withCode = (code: string, more: object = {}) =>
  Object.assign(new Error('somebody else’s words'), { code, ...more });

describe('what a database call threw', () => {
  for (const code of ['23505', '22P02', 'AL003', 'XX000', 'HV00A', 'P0001', '42501']) {
    it(`${code} is PostgreSQL’s word that nothing was written`, () => {
      expect(sqlStateOf(withCode(code))).to.equal(code);
      expect(isDefinite(withCode(code))).to.equal(true);
      expect(isDatabaseError(withCode(code))).to.equal(true);
    });
  }

  for (const code of ['08006', '57P01', '25P03', '40001', '40003']) {
    it(`${code} is PostgreSQL’s, and leaves open what was written`, () => {
      expect(sqlStateOf(withCode(code))).to.equal(code);
      expect(isDefinite(withCode(code))).to.equal(false);
      expect(isConflict(withCode(code))).to.equal(code === '40001');
    });
  }

  for (const code of ['EPIPE', 'EPERM', 'EBUSY', 'EROFS', 'E2BIG', 'ECONNRESET', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED']) {
    it(`${code} is the system’s, and says nothing of what was written`, () => {
      const error = withCode(code, { errno: -1, syscall: 'write' });
      expect(sqlStateOf(error)).to.equal(null);
      expect(isDefinite(error)).to.equal(false);
      expect(isConflict(error)).to.equal(false);
      expect(isDatabaseError(error)).to.equal(true);
    });
  }
});
