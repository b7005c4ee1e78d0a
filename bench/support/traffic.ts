/**
 * Traffic is what a log mostly holds: staff who read what they need of one person, now and then a refusal, a list, a
 * change; and before the first of these about a person, the entry that created their records. About 800 bytes a body, 20,000 people with five records each, whom 200 members of staff look after.
 *
 * Not from a seed: what is measured does not depend on which uuid it is.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { entryId } from '../../src/ledger/entry-id.js';
import type { Body, Category, Pseudonym, Purpose, RecordId } from '../../src/log/entry.js';

const PEOPLE = 20_000;
const STAFF = 200;

const CATEGORIES = [
  'user.contact.address',
  'user.contact.email',
  'user.contact.phone_number',
  'user.device.ip_address',
  'user.name',
] as Category[];

interface Person {
  readonly id: Pseudonym;
  readonly records: readonly { readonly category: Category; readonly id: RecordId; readonly version: number }[];
  isKnown: boolean;
}

/** Makes bodies, each a new one, for a log that has as many entries as it has made bodies. */
export class Traffic {
  private readonly people: readonly Person[];
  private readonly staff: readonly Pseudonym[];
  private made = 0;

  constructor() {
    this.people = Array.from({ length: PEOPLE }, () => ({
      id: randomUUID() as Pseudonym,
      records: CATEGORIES.map((category) => ({ category, id: randomUUID() as RecordId, version: 1 })),
      isKnown: false,
    }));
    this.staff = Array.from({ length: STAFF }, () => randomUUID() as Pseudonym);
  }

  /**
   * Members stand in the order of their names, all the way down, so `JSON.stringify` is canonical.
   *
   * @param asOf the size of the log, for a ledger; otherwise the number of bodies before this one
   */
  body(at: Date, asOf = this.made): Body {
    const kind = this.made++ % 50;
    const person = this.people[randomInt(PEOPLE)]!;
    const asked = CATEGORIES.slice(2);
    const actor = { id: this.staff[randomInt(STAFF)]!, kind: 'staff' as const, role: 'support-agent' };
    const about = { actor, asOf, asked, at: at.toISOString(), basis: 'contract', clause: '5.2' };
    const made = { policy: '2012-01-16', purpose: 'convenience' as Purpose };
    const [id, request] = [entryId(at), randomUUID()];
    if (kind === 0) {
      const list = { details: { count: 100 }, event: 'user.listed' as const, id, operation: 'users' };
      return { ...about, ...list, outcome: 'permitted', ...made, request, ...version };
    }
    if (!person.isKnown) {
      person.isKnown = true;
      const create = { event: 'record.created' as const, id, operation: 'collectPersonalData' };
      const { records, id: subject } = person;
      return { ...about, ...create, outcome: 'permitted', ...made, records, request, subject, ...version };
    }
    const event = kind === 1 ? ('record.updated' as const) : ('record.read' as const);
    const operation = kind === 1 ? 'updatePersonalData' : 'user';
    const shown = { ...about, event, id, operation };
    if (kind === 2 || kind === 3) {
      const refusal = { code: 'NO_NEED_TO_KNOW', missing: ['a need-to-know grant'] };
      return { ...shown, outcome: 'refused', ...made, refusal, request, subject: person.id, ...version };
    }
    const records = kind === 1 ? person.records.slice(1, 2) : person.records.slice(2);
    return { ...shown, outcome: 'permitted', ...made, records, request, subject: person.id, ...version };
  }
}

/** `formatBody` sets it too. */
const version = { v: 1 } as object;
