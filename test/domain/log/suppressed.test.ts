import { expect } from 'chai';
import { recordSuppressed } from '../../../src/domain/log/suppressed.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { refusalOf, type TestGate, testGate } from '../../support/gate.js';

describe('refusals that the limits suppressed', () => {
  let gate: TestGate;
  before(async () => {
    gate = await testGate();
  });
  after(() => gate.close());

  it('are one entry of the system’s, with their count and whose they were', async () => {
    const { id } = await gate.signIn('support-agent');
    const { index } = await recordSuppressed(gate.contextFor(SYSTEM), { count: 1_234, actor: id });
    const [entry] = await gate.entries(index);
    expect(entry!.body).to.deep.include({
      event: 'refusals.suppressed',
      outcome: 'permitted',
      actor: SYSTEM,
      details: { count: 1_234, of: id },
    });
    expect(entry!.body).to.not.have.property('subject');
  });

  it('are nobody else’s to record', async () => {
    const agent = await gate.signIn('support-agent');
    expect(await refusalOf(recordSuppressed(gate.contextFor(agent), { count: 1, actor: agent.id }))).to.equal(
      'ROLE_NOT_PERMITTED',
    );
  });
});
