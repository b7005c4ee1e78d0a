/**
 * A receipt is what a committed entry yields inside this process: the right to open what the entry names, once.
 *
 *     issueReceipt(body)                       after COMMIT, by the ledger alone
 *     spend(receipt, subject, records)         before anything is unsealed, by the vault alone
 *
 * The class stays unexported and its fields are private, so that nothing but `issueReceipt` makes one: a cast, a
 * look-alike, a clone, a proxy, and an instance made through `receipt.constructor` are all no receipts.
 */
import type { PermittedBody, Pseudonym, RecordVersion } from '../log/entry.js';

/** What a receipt is issued for. A refused body does not fit: a refusal opens nothing. */
export type Permission = Pick<PermittedBody, 'outcome' | 'subject' | 'records'>;

export type ReceiptRefusal = 'NOT_A_RECEIPT' | 'SPENT' | 'NAMES_OTHER_SUBJECT' | 'NAMES_OTHER_RECORDS';

const SAID: Record<ReceiptRefusal, string> = {
  NOT_A_RECEIPT: 'only the ledger issues receipts, and this is none',
  SPENT: 'this receipt has been presented before',
  NAMES_OTHER_SUBJECT: 'the entry of this receipt is about somebody else, or about nobody',
  NAMES_OTHER_RECORDS: 'the entry of this receipt does not name every one of these records in this version',
};

/** Always a fault in our own code, never a decision about the asker. */
export class ReceiptRefused extends Error {
  override readonly name = 'ReceiptRefused';
  constructor(readonly code: ReceiptRefusal) {
    super(SAID[code]);
  }
}

/** Held by this module only: what `new receipt.constructor(…)` lacks. */
const MINT = Symbol('mint');

class Receipt {
  /** Null once the receipt has been presented. One field, not three: run from source, a private field is a WeakMap. */
  #names: { readonly subject: Pseudonym | undefined; readonly records: readonly RecordVersion[] } | null;

  constructor(mint: symbol, { subject, records = [] }: Permission) {
    if (mint !== MINT) throw new ReceiptRefused('NOT_A_RECEIPT');
    this.#names = { subject, records: records.map(({ id, category, version }) => ({ id, category, version })) };
  }

  static spend(receipt: unknown, subject: Pseudonym, records: readonly RecordVersion[]): void {
    if (typeof receipt !== 'object' || receipt === null || !(#names in receipt)) {
      throw new ReceiptRefused('NOT_A_RECEIPT');
    }
    const names = receipt.#names;
    if (!names) throw new ReceiptRefused('SPENT');
    receipt.#names = null;
    if (names.subject === undefined || names.subject !== subject) throw new ReceiptRefused('NAMES_OTHER_SUBJECT');
    if (!namesAll(names.records, records)) throw new ReceiptRefused('NAMES_OTHER_RECORDS');
  }
}

export type { Receipt };

/**
 * Copies what it is given: a body that is changed afterwards changes no receipt. The ledger calls it after the COMMIT
 * that holds the entry, with the body that the entry was written from.
 */
export function issueReceipt(permission: Permission): Receipt {
  return new Receipt(MINT, permission);
}

/**
 * Returns if the receipt's entry is about this subject and names every one of these records; they may be fewer than it
 * names. All or nothing, and once: to present a receipt is to use it up, whether it is accepted or refused.
 *
 * @throws ReceiptRefused
 */
export function spend(receipt: unknown, subject: Pseudonym, records: readonly RecordVersion[]): void {
  Receipt.spend(receipt, subject, records);
}

/** Looks on from where the last one was found: linear where both stand in the same order, as the gate's do. */
function namesAll(named: readonly RecordVersion[], asked: readonly RecordVersion[]): boolean {
  let next = 0;
  return asked.every(({ id, category, version }) => {
    for (let tried = 0; tried < named.length; tried++, next++) {
      const one = named[next % named.length]!;
      if (one.id === id && one.version === version && one.category === category) return true;
    }
    return false;
  });
}
