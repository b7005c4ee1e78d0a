import { expect } from 'chai';
import { FAULTS, Fault, type FaultCode, isFaultCode } from '../../src/graphql/fault.js';
import { REFUSALS } from '../../src/policy/refusal.js';

describe('faults', () => {
  for (const [code, { status, message, advice }] of Object.entries(FAULTS)) {
    it(`${code} says what is wrong and what to do`, () => {
      expect(status).to.be.within(400, 504);
      for (const text of [message, advice]) expect(text).to.match(/^[A-Z].*\.$/);
      const fault = new Fault(code as FaultCode);
      expect(fault.message).to.equal(`${message} ${advice}`);
      expect(fault.toJSON()).to.deep.equal({
        message: fault.message,
        extensions: { code, clause: null, missing: null, entry: null },
      });
    });
  }

  it('share no code with refusals: a code says which of the two it is', () => {
    expect(Object.keys(REFUSALS).filter(isFaultCode)).to.deep.equal([]);
    expect(isFaultCode('toString')).to.equal(false);
  });

  it('keep their cause to themselves', () => {
    const fault = new Fault('UNAVAILABLE', { cause: new Error('ada@example.com'), detail: 'The log is away.' });
    expect(JSON.stringify(fault)).to.include('The log is away.').and.not.include('ada');
    expect(fault.cause).to.be.an('error');
  });
});
