import { expect } from 'chai';
import { registerUsers } from '../../../src/domain/users/registration.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { EMAIL, identityOf, NAME, refusalOf, type TestGate, testGate } from '../../support/gate.js';

const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { id } }';
const NUL = 'a\u0000b';

describe('people', () => {
  let gate: TestGate;
  const registration = { service: 'diagrams', purpose: 'convenience', records: [NAME, EMAIL] };
  before(async () => {
    gate = await testGate();
  });
  after(() => gate.close());

  const codes = async (input: object) =>
    (await gate.execute(SYSTEM, REGISTER, { input })).errors.map(({ extensions }) => extensions.code);

  it('are registered', async () => {
    expect(await codes(registration)).to.deep.equal([]);
  });

  for (const member of ['service', 'purpose'] as const) {
    it(`are not registered with U+0000 in ${member}, and it is the request’s fault`, async () => {
      const [code] = await codes({ ...registration, [member]: NUL });
      expect(code).to.be.oneOf(['BAD_INPUT', 'SERVICE_NOT_COVERED', 'PURPOSE_NOT_DECLARED']);
    });
  }

  for (const member of ['category', 'channel', 'value'] as const) {
    it(`are not registered with U+0000 in a record’s ${member}, and it is the request’s fault`, async () => {
      const [code] = await codes({ ...registration, records: [{ ...EMAIL, [member]: NUL }] });
      expect(code).to.not.equal('INTERNAL');
    });
  }

  it('are not registered twice under one identity, not even at once', async () => {
    const size = await gate.size();
    const { purpose, service, records } = registration;
    const one = { service, records, identity: identityOf('ana') };
    const register = (people: (typeof one)[]) => refusalOf(registerUsers(gate.contextFor(SYSTEM), purpose, people));
    expect(await register([one, one])).to.equal('ALREADY_REGISTERED');
    const outcomes = await Promise.all([1, 2, 3].map(() => register([one])));
    expect(outcomes.filter((outcome) => outcome === 'ALREADY_REGISTERED')).to.have.length(2);
    expect(await register([one])).to.equal('ALREADY_REGISTERED');
    // Two for whoever was first, and one for each hit on an identity: it says that there is such a person, and who.
    const entries = await gate.entries(size);
    const subject = entries.find(({ body }) => body.event === 'user.registered')!.body.subject;
    const looks = entries.filter(({ body }) => body.event === 'user.listed').map(({ body }) => body);
    expect(entries).to.have.length(2 + looks.length);
    expect(looks.map((body) => [body.subject, body.details])).to.deep.equal([
      [undefined, { count: 0 }],
      ...Array(3).fill([subject, { count: 1 }]),
    ]);
    expect(looks.every((body) => body.outcome === 'permitted' && body.asked === undefined)).to.equal(true);
  });

  it('are not registered in part: nobody is where one of them has another’s identity', async () => {
    const { purpose, service, records } = registration;
    const people = ['ben', 'eve', 'ben'].map((sub) => ({ service, records, identity: identityOf(sub) }));
    await registerUsers(gate.contextFor(SYSTEM), purpose, people.slice(0, 1));
    await registerUsers(gate.contextFor(SYSTEM), purpose, people.slice(1, 2));
    const fresh = { service, records, identity: identityOf('kim') };
    const context = gate.contextFor(SYSTEM);
    expect(await refusalOf(registerUsers(context, purpose, [...people.slice(0, 2), fresh]))).to.equal(
      'ALREADY_REGISTERED',
    );
    const [entry] = await gate.entries(context.entries[0]!.index);
    expect([entry!.body.subject, entry!.body.details]).to.deep.equal([undefined, { count: 2 }]);
    await registerUsers(gate.contextFor(SYSTEM), purpose, [fresh]);
  });
});
