import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { issueReceipt, type Permission, type Receipt, ReceiptRefused, spend } from '../../src/ledger/receipt.js';
import type { Category, Pseudonym, RecordId, RecordVersion } from '../../src/log/entry.js';

const ana = '91c2f3aa-0000-4000-8000-000000000001' as Pseudonym;
const bo = '91c2f3aa-0000-4000-8000-000000000002' as Pseudonym;
const record = (id: string, version = 1, category = 'user.name'): RecordVersion => ({
  id: id as RecordId,
  category: category as Category,
  version,
});
const name = record('name');
const email = record('email', 3, 'user.contact.email');

const issue = (...records: RecordVersion[]) => issueReceipt({ outcome: 'permitted', subject: ana, records });

function refusal(receipt: unknown, subject: Pseudonym, records: RecordVersion[]): string {
  try {
    spend(receipt, subject, records);
  } catch (error) {
    if (error instanceof ReceiptRefused) return error.code;
    throw error;
  }
  return 'spent';
}

describe('receipt', () => {
  it('opens exactly what its entry names', () => {
    expect(refusal(issue(name, email), ana, [name, email])).to.equal('spent');
  });

  it('opens every part of what its entry names, in any order, and nothing beside it', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }), (named, asked) => {
        const said = refusal(
          issue(...named.map((id) => record(`r${id}`))),
          ana,
          asked.map((id) => record(`r${id}`)),
        );
        expect(said).to.equal(asked.every((id) => named.includes(id)) ? 'spent' : 'NAMES_OTHER_RECORDS');
      }),
    );
  });

  it('is used up by its use, were it for a part only', () => {
    const receipt = issue(name, email);
    spend(receipt, ana, [name]);
    expect(refusal(receipt, ana, [email])).to.equal('SPENT');
    expect(refusal(receipt, ana, [name])).to.equal('SPENT');
  });

  it('is used up by a refusal', () => {
    const receipt = issue(name);
    expect(refusal(receipt, ana, [name, email])).to.equal('NAMES_OTHER_RECORDS');
    expect(refusal(receipt, ana, [name])).to.equal('SPENT');
  });

  it('cannot be spent again from within its own spending', () => {
    const receipt = issue(name);
    let inner = '';
    const trap = {
      ...name,
      get id() {
        inner ||= refusal(receipt, ana, [name]);
        return name.id;
      },
    };
    expect(refusal(receipt, ana, [trap])).to.equal('spent');
    expect(inner).to.equal('SPENT');
  });

  for (const [fault, asked] of Object.entries({
    'another version': record('email', 2, 'user.contact.email'),
    'another category': record('email', 3, 'user.name'),
    'another record': record('phone', 3, 'user.contact.email'),
    'a version that is text': { ...email, version: '3' as unknown as number },
  })) {
    it(`refuses ${fault}`, () => expect(refusal(issue(name, email), ana, [asked])).to.equal('NAMES_OTHER_RECORDS'));
  }

  it('refuses another subject, and any where its entry is about nobody', () => {
    expect(refusal(issue(name), bo, [name])).to.equal('NAMES_OTHER_SUBJECT');
    const aboutNobody = { outcome: 'permitted', records: [name] } as const;
    expect(refusal(issueReceipt(aboutNobody), ana, [name])).to.equal('NAMES_OTHER_SUBJECT');
    expect(refusal(issueReceipt(aboutNobody), undefined as unknown as Pseudonym, [name])).to.equal(
      'NAMES_OTHER_SUBJECT',
    );
  });

  it('opens nothing where its entry names nothing', () => {
    expect(refusal(issueReceipt({ outcome: 'permitted', subject: ana }), ana, [name])).to.equal('NAMES_OTHER_RECORDS');
  });

  it('stays what it was issued for when the body is changed', () => {
    const body = { outcome: 'permitted' as const, subject: ana, records: [{ ...name }] };
    const receipt = issueReceipt(body);
    body.records.push(email);
    body.records[0]!.version = 9;
    body.subject = bo;
    expect(refusal(receipt, ana, [name])).to.equal('spent');
  });

  const real = issue(name);
  const Made = real.constructor as new (mint: unknown, permission: Permission) => Receipt;
  for (const [fault, forged] of Object.entries({
    nothing: undefined,
    null: null,
    'a string': 'receipt',
    'a cast': { subject: ana, records: [name] } as unknown as Receipt,
    'a look-alike': { outcome: 'permitted', subject: ana, records: [name], '#presented': false },
    'a structured clone': structuredClone(real),
    'a spread': { ...real },
    'an object that inherits from one': Object.create(real),
    'an object of its prototype': Object.create(Object.getPrototypeOf(real)),
    'a proxy of one': new Proxy(real, {}),
    'its JSON, read back': JSON.parse(JSON.stringify(real)),
    'its class': Made,
  })) {
    it(`is not ${fault}`, () => expect(refusal(forged, ana, [name])).to.equal('NOT_A_RECEIPT'));
  }

  it('is not made through its constructor, nor through a subclass of it', () => {
    const permission = { outcome: 'permitted', subject: ana, records: [name] } as const;
    class Forged extends Made {}
    for (const mint of [undefined, Symbol('mint'), Symbol.for('mint')]) {
      for (const Class of [Made, Forged]) {
        expect(() => new Class(mint, permission))
          .to.throw(ReceiptRefused)
          .with.property('code', 'NOT_A_RECEIPT');
      }
    }
  });

  it('shows nothing of what it opens', () => {
    expect(inspect(real, { showHidden: true }) + JSON.stringify(real)).to.not.contain(ana);
  });

  it('is, to the compiler, no structure that others could have', () => {
    // @ts-expect-error: private fields make the class nominal
    const cast: Receipt = { subject: ana, records: [name] };
    expect(refusal(cast, ana, [name])).to.equal('NOT_A_RECEIPT');
  });
});
