import { expect } from 'chai';
import fc from 'fast-check';
import type { Actor, Category, Pseudonym, Purpose } from '../../src/log/entry.js';
import { EVENTS, type EventName } from '../../src/log/event.js';
import type { ConsentFact } from '../../src/policy/consent.js';
import { type Ask, CONCERNS_PEOPLE, decide, type Facts, refusedDeed } from '../../src/policy/decide.js';
import { REFUSALS } from '../../src/policy/refusal.js';
import { refusedByRole } from '../../src/policy/role.js';

const [name, email, street] = ['user.name', 'user.contact.email', 'user.contact.address.street'] as Category[];
const ada = '11111111-1111-4111-8111-111111111111' as Pseudonym;
const at = new Date('2026-11-22T12:00:00Z');
const day = 24 * 3_600_000;

const support: Actor = {
  id: '22222222-2222-4222-8222-222222222222' as Pseudonym,
  kind: 'staff',
  role: 'support-agent',
};
const reviewer: Actor = { ...support, role: 'security-reviewer' };
const processor: Actor = { id: support.id, kind: 'processor' };

const declared = [name!, email!, street!].map((key) => ({
  key,
  searchable: key === email,
  channels: ['REGISTRATION'],
}));
const always = { from: new Date(at.getTime() - day), until: new Date(at.getTime() + day) };
const facts: Facts = {
  purpose: { key: 'convenience' as Purpose, basis: 'contract', covers: [email!, name!] },
  grants: [{ categories: null, ...always }],
  engagements: [always],
  wasEngaged: true,
  agreements: [always],
  trainings: [always],
  declared,
  consents: [],
};
const ask: Ask = {
  actor: support,
  event: 'record.read',
  subject: ada,
  purpose: 'convenience',
  categories: [name!, email!],
};

const codes = (changed: Partial<Ask>, known: Partial<Facts> = {}, when = at) =>
  decide({ ...ask, ...changed }, { ...facts, ...known }, when).map((decision) =>
    decision.outcome === 'permitted' ? 'permitted' : decision.refusal.code,
  );

describe('decide', () => {
  it('3.1-01 permits what the purpose covers, on its legal basis', () => {
    expect(decide(ask, facts, at)).to.deep.equal([
      { outcome: 'permitted', categories: [name, email], basis: 'contract', clause: '5.2' },
    ]);
  });

  it('3.1-02 takes no categories for all that the purpose covers', () => {
    expect(decide({ ...ask, categories: null }, facts, at)).to.deep.include.members([
      { outcome: 'permitted', categories: [email, name], basis: 'contract', clause: '5.2' },
    ]);
  });

  it('3.1-03 refuses a purpose that is not declared', () => {
    expect(codes({}, { purpose: null })).to.deep.equal(['PURPOSE_NOT_DECLARED']);
  });

  it('3.1-04 refuses a category that the purpose does not cover, and permits the rest', () => {
    expect(codes({ categories: [name!, street!] })).to.have.members(['permitted', 'PURPOSE_DOES_NOT_COVER_CATEGORY']);
  });

  it('3.1-05 refuses a purpose without legal basis', () => {
    expect(codes({}, { purpose: { ...facts.purpose!, basis: null } })).to.deep.equal(['LEGAL_BASIS_MISSING']);
  });

  it('2.1-01 refuses, whole, an ask that names a category that is not declared, and repeats it nowhere', () => {
    const decisions = decide(
      { ...ask, categories: [name!, 'user.shoe_size'] },
      { ...facts, declared: [declared[0]!] },
      at,
    );
    expect(decisions.map((one) => one.outcome === 'refused' && one.refusal.code)).to.deep.equal([
      'CATEGORY_NOT_DECLARED',
    ]);
    expect(JSON.stringify(decisions)).to.not.include('shoe');
  });

  it('2.1-02 finds people by searchable categories only', () => {
    expect(codes({ event: 'user.found', categories: [email!] })).to.deep.equal(['permitted']);
    expect(codes({ event: 'user.found', categories: [name!] })).to.deep.equal(['CATEGORY_NOT_SEARCHABLE']);
  });

  it('2.2-01 keeps only what came through a channel that the category allows', () => {
    const collected = (channel: string) => ({
      event: 'record.created' as const,
      categories: [name!],
      collected: [{ category: name!, channel }],
    });
    expect(codes(collected('REGISTRATION'))).to.deep.equal(['permitted']);
    expect(codes(collected('SERVER_LOG'))).to.deep.equal(['CHANNEL_NOT_ALLOWED']);
  });

  it('5.2-01 refuses staff without a need-to-know grant in force', () => {
    const [grant] = facts.grants;
    expect(codes({}, { grants: [] })).to.deep.equal(['NO_NEED_TO_KNOW']);
    expect(codes({}, { grants: [{ ...grant!, until: at }] }), 'until is exclusive').to.deep.equal(['NO_NEED_TO_KNOW']);
    expect(codes({}, { grants: [{ ...grant!, from: new Date(at.getTime() + 1) }] })).to.deep.equal(['NO_NEED_TO_KNOW']);
    expect(codes({}, { grants: [{ ...grant!, categories: [email!] }] })).to.have.members([
      'permitted',
      'NO_NEED_TO_KNOW',
    ]);
  });

  it('5.2-02 refuses reviewers and processors, whatever they were granted', () => {
    for (const actor of [reviewer, processor]) expect(codes({ actor })).to.deep.equal(['ROLE_NOT_PERMITTED']);
  });

  it('5.2-03 lets users reach their own data only, without grant', () => {
    expect(codes({ actor: { id: ada, kind: 'user' } }, { grants: [] })).to.deep.equal(['permitted']);
    expect(codes({ actor: { id: support.id, kind: 'user' } })).to.deep.equal(['NOT_YOUR_DATA']);
  });

  it('5.2-04 says all that is missing, and gives the first rule’s code', () => {
    const [refusal] = decide({ ...ask, actor: reviewer, categories: [street!] }, { ...facts, grants: [] }, at);
    expect(refusal).to.deep.nested.include({ 'refusal.code': 'ROLE_NOT_PERMITTED' });
    expect(refusal).to.have.nested.property('refusal.missing').that.has.length(3);
  });

  it('3.1-06 asks for a consent in force where the purpose rests on consent, and says whether it was withdrawn', () => {
    const purpose = { ...facts.purpose!, basis: 'consent' };
    const given = { purpose: purpose.key, categories: [name!], act: 'GIVEN', until: null } as ConsentFact;
    const of = (...consents: ConsentFact[]) => codes({ categories: [name!] }, { purpose, consents });
    expect(of()).to.deep.equal(['CONSENT_MISSING']);
    expect(of(given)).to.deep.equal(['permitted']);
    expect(of({ ...given, until: at }), 'until is exclusive').to.deep.equal(['CONSENT_MISSING']);
    expect(of({ ...given, categories: [email!] })).to.deep.equal(['CONSENT_MISSING']);
    expect(of({ ...given, purpose: 'property-security' as Purpose })).to.deep.equal(['CONSENT_MISSING']);
    for (const act of ['REQUESTED', 'REFUSED', 'INVALIDATED'] as const) {
      expect(of({ ...given, act }), act).to.deep.equal(['CONSENT_MISSING']);
    }
    expect(of({ ...given, act: 'WITHDRAWN' })).to.deep.equal(['CONSENT_WITHDRAWN']);
    expect(of({ ...given, act: 'WITHDRAWN' }, given)).to.deep.equal(['permitted']);
  });

  it('3.1-07 permits no less for a consent more, and no more for one less; and every refusal says what is missing', () => {
    const consent = fc.record({
      purpose: fc.constantFrom(...(['convenience', 'property-security'] as Purpose[])),
      categories: fc.subarray([name!, email!, street!], { minLength: 1 }),
      act: fc.constantFrom('REQUESTED', 'GIVEN', 'RENEWED', 'REFUSED', 'WITHDRAWN', 'INVALIDATED'),
      until: fc.option(fc.integer({ min: -2, max: 2 }).map((days) => new Date(at.getTime() + days * day))),
    }) satisfies fc.Arbitrary<ConsentFact>;
    const actor = fc.constantFrom(support, reviewer, { id: ada, kind: 'user' as const });
    const basis = fc.constantFrom('consent', 'contract', null);
    const grants = fc.constantFrom(facts.grants, []);
    const permitted = (asked: Partial<Ask>, known: Partial<Facts>) =>
      decide({ ...ask, ...asked, categories: [name!, email!, street!] }, { ...facts, ...known }, at).flatMap((one) => {
        if (one.outcome === 'permitted') return one.categories;
        expect(one.refusal.missing).to.not.be.empty;
        return [];
      });
    fc.assert(
      fc.property(fc.array(consent), consent, actor, basis, grants, (consents, more, actor, basis, grants) => {
        const known = { grants, purpose: { ...facts.purpose!, basis } };
        const fewer = permitted({ actor }, { ...known, consents });
        expect(permitted({ actor }, { ...known, consents: [more, ...consents] })).to.include.members([...fewer]);
      }),
      { numRuns: 500 },
    );
  });

  const STANDING = {
    engagements: ['ENGAGEMENT_ENDED', 'an engagement in force'],
    agreements: ['CONFIDENTIALITY_NOT_IN_FORCE', 'a confidentiality agreement in force'],
    trainings: ['TRAINING_EXPIRED', 'a current training'],
  } as const;
  for (const [nth, [fact, [code, missing]]] of Object.entries(STANDING).entries()) {
    it(`5.2-0${5 + nth} refuses staff without ${missing}: none, not yet, or no longer`, () => {
      for (const terms of [[], [{ ...always, until: at }], [{ ...always, from: new Date(at.getTime() + 1) }]]) {
        const [refusal, ...more] = decide(ask, { ...facts, [fact]: terms }, at);
        expect(more).to.deep.equal([]);
        expect(refusal).to.deep.nested.include({
          outcome: 'refused',
          refusal: { code, clause: '5.2', missing: [missing] },
        });
      }
      const again = [{ ...always, until: at }, always];
      expect(codes({}, { [fact]: again }), 'any one counts').to.deep.equal(['permitted']);
    });
  }

  it('5.2-08 lists all four where all are missing, and asks none of them of users and the system', () => {
    const none = { grants: [], engagements: [], agreements: [], trainings: [] };
    const [refusal] = decide(ask, { ...facts, ...none }, at);
    expect(refusal).to.have.nested.property('refusal.code', 'ENGAGEMENT_ENDED');
    expect(refusal)
      .to.have.nested.property('refusal.missing')
      .that.has.members([...Object.values(STANDING).map(([, missing]) => missing), 'a need-to-know grant']);
    expect(codes({ actor: { id: ada, kind: 'user' } }, none)).to.deep.equal(['permitted']);
    expect(codes({ actor: { id: ada, kind: 'system' }, event: 'record.created' }, none)).to.deep.equal(['permitted']);
  });

  it('5.2-09 lets staff list and erase people only while they are engaged, bound and trained', () => {
    for (const event of CONCERNS_PEOPLE) {
      const officer = { ...support, role: 'privacy-officer' };
      expect(refusedDeed(officer, event, facts, at)).to.equal(null);
      const none = { ...facts, engagements: [], trainings: [] };
      expect(refusedDeed(officer, event, none, at)?.missing).to.deep.equal([
        'an engagement in force',
        'a current training',
      ]);
      expect(refusedDeed(reviewer, event, none, at)).to.include({ code: 'ROLE_NOT_PERMITTED' });
    }
  });

  const moments = fc.integer({ min: -2, max: 2 }).map((days) => new Date(at.getTime() + days * day));
  const terms = fc.array(fc.record({ from: moments, until: moments }), { maxLength: 2 });
  const some = fc.record({
    grants: fc.array(
      fc.record({
        categories: fc.option(fc.subarray([name!, email!, street!], { minLength: 1 })),
        from: moments,
        until: moments,
      }),
      { maxLength: 2 },
    ),
    engagements: terms,
    agreements: terms,
    trainings: terms,
  });

  it('5.2-10 never refuses for a fact more, and names in every refusal something that is missing', () => {
    const actors = fc.constantFrom(support, reviewer, processor, { id: ada, kind: 'user' as const });
    fc.assert(
      fc.property(some, some, actors, (has, gets, actor) => {
        const permitted = (known: Partial<Facts>) => {
          const decisions = decide({ ...ask, actor }, { ...facts, ...known }, at);
          for (const decision of decisions) {
            if (decision.outcome === 'refused') expect(decision.refusal.missing).to.not.have.length(0);
          }
          return decisions.flatMap((one) => (one.outcome === 'permitted' ? one.categories : []));
        };
        const more = {
          grants: [...has.grants, ...gets.grants],
          engagements: [...has.engagements, ...gets.engagements],
          agreements: [...has.agreements, ...gets.agreements],
          trainings: [...has.trainings, ...gets.trainings],
        };
        expect(permitted(more)).to.include.members(permitted(has));
      }),
      { numRuns: 500 },
    );
  });

  it('partitions what was asked: each category once, in one part, and permits nothing that a rule refuses', () => {
    const categories = fc.subarray([name!, email!, street!]);
    const grants = fc.array(
      fc.record({
        categories: fc.option(fc.subarray([name!, email!, street!], { minLength: 1 })),
        from: fc.integer({ min: -2, max: 2 }).map((days) => new Date(at.getTime() + days * day)),
        until: fc.integer({ min: -2, max: 2 }).map((days) => new Date(at.getTime() + days * day)),
      }),
      { maxLength: 3 },
    );
    const actor = fc.constantFrom(support, reviewer, processor, { id: ada, kind: 'user' as const });
    const basis = fc.constantFrom('contract', null);
    fc.assert(
      fc.property(categories, categories, grants, actor, basis, (asked, covers, grants, actor, basis) => {
        const known: Facts = { ...facts, grants, purpose: { ...facts.purpose!, covers, basis } };
        const decisions = decide({ ...ask, actor, categories: asked }, known, at);
        expect(decisions.flatMap((decision) => decision.categories).sort()).to.deep.equal([...asked].sort());
        for (const decision of decisions) {
          if (decision.outcome !== 'permitted') continue;
          for (const category of decision.categories) {
            expect(covers).to.include(category);
            expect(basis).to.equal('contract');
            const mine = actor.kind === 'user' && actor.id === ada;
            const granted = grants.some(
              (grant) =>
                grant.from <= at && at < grant.until && (!grant.categories || grant.categories.includes(category)),
            );
            expect(mine || (actor === support && granted)).to.equal(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('roles', () => {
  it('say for every event who may cause it, and leave none open to everybody', () => {
    const everybody: Actor[] = [
      ...['support-agent', 'privacy-officer', 'security-reviewer'].map((role) => ({ ...support, role })),
      { id: ada, kind: 'user' },
      processor,
      { id: ada, kind: 'system' },
    ];
    for (const event of Object.keys(EVENTS) as EventName[]) {
      const may = everybody.filter((actor) => !refusedByRole(actor, event)).length;
      expect(may, event).to.be.within(1, 5);
      expect(refusedByRole({ ...support, role: 'intern' }, event), event).to.have.property(
        'code',
        'ROLE_NOT_PERMITTED',
      );
    }
  });

  it('every refusal says what to do, and quotes nothing', () => {
    for (const [code, { clause, says }] of Object.entries(REFUSALS)) {
      expect(says, code).to.match(/\.$/);
      expect(clause, code).to.match(/^\d\.\d$/);
    }
  });
});
