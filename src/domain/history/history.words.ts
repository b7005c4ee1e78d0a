/**
 * A person's history in plain words: when, who, what, which data, why, on which basis, and how it ended.
 *
 *     On 22 November 2026, 09:15:02 UTC, a support agent of ours saw your e-mail address and name, for the purpose “to make
 *     the service easier to use”, on the basis of “the service you signed up for”.
 *
 * Staff appear by role, organisations by kind: never by name.
 */
import type { Actor, Pseudonym } from '../../log/entry.js';
import type { EventName } from '../../log/event.js';
import type { RefusalCode } from '../../policy/refusal.js';
import type { StaffRole } from '../../policy/role.js';
import type { ProcessorKind } from '../processors/processor.entity.js';
import type { Run } from './history.rules.js';

/** What declared things are called, by key; and of what kind processors are, by id. */
export interface Titles {
  readonly categories: ReadonlyMap<string, string>;
  readonly purposes: ReadonlyMap<string, string>;
  readonly bases: ReadonlyMap<string, string>;
  readonly processors: ReadonlyMap<string, ProcessorKind>;
}

export interface Words {
  readonly who: string;
  /** Titles. */
  readonly categories: readonly string[];
  readonly purposes: readonly string[];
  readonly basis: string | null;
  /** The whole line, as a sentence. */
  readonly text: string;
}

const ROLES: Record<StaffRole, readonly [one: string, several: string]> = {
  'support-agent': ['a support agent of ours', 'several support agents of ours'],
  'privacy-officer': ['a privacy officer of ours', 'several privacy officers of ours'],
  'security-reviewer': ['a security reviewer of ours', 'several security reviewers of ours'],
};

const PROCESSORS: Record<ProcessorKind, string> = {
  ASSOCIATE: 'an associated company of ours',
  AGENT: 'an agent of ours',
  SERVICE_PROVIDER: 'a service provider of ours',
};

/** What was done, and what was tried. `%` stands for the data. Events that are about nobody need no words. */
const DEEDS: { readonly [E in EventName]?: readonly [did: string, tried: string] } = {
  'category.accepted': ['allowed us to collect % again', 'allow us to collect % again'],
  'category.declined': ['declined that we collect %', 'decline that we collect %'],
  'consent.given': ['gave consent to the use of %', 'give consent to the use of %'],
  'consent.invalidated': ['found the consent to the use of % invalid', 'invalidate the consent to the use of %'],
  'consent.listed': ['looked up what you have consented to', 'look up what you have consented to'],
  'consent.refused': ['refused consent to the use of %', 'refuse consent to the use of %'],
  'consent.renewed': ['renewed the consent to the use of %', 'renew the consent to the use of %'],
  'consent.requested': ['asked for your consent to the use of %', 'ask for your consent to the use of %'],
  'consent.withdrawn': ['withdrew the consent to the use of %', 'withdraw the consent to the use of %'],
  'cookie-preference.read': ['looked up which cookies you accept', 'look up which cookies you accept'],
  'cookie-preference.set': ['said which cookies you accept', 'say which cookies you accept'],
  'history.read': ['looked at this history', 'look at this history'],
  'key.destroyed': ['destroyed the key under which your data was sealed', 'destroy the key of your data'],
  'record.created': ['recorded %', 'record %'],
  'record.erased': ['erased %', 'erase %'],
  'record.listed': ['looked up whether we hold %, without seeing it', 'look up whether we hold %'],
  'record.read': ['saw %', 'see %'],
  'record.updated': ['changed %', 'change %'],
  'user.listed': ['looked up whether you are registered', 'look up whether you are registered'],
  'user.found': ['found you by %', 'find you by %'],
  'user.registered': ['registered you, with %', 'register you'],
};
const ANY_DEED = ['did something with %', 'do something with %'] as const;

const REASONS: Record<RefusalCode, string> = {
  ACTOR_UNKNOWN: 'only who is registered with us may do anything',
  CATEGORY_DECLINED: 'you declined that it is collected',
  CATEGORY_NOT_DECLARED: 'we have declared no such kind of data',
  CATEGORY_NOT_SEARCHABLE: 'nobody is found by this kind of data',
  CHANNEL_NOT_ALLOWED: 'this kind of data is not collected in this way',
  CONFIDENTIALITY_NOT_IN_FORCE: 'no agreement of confidentiality with them was in force',
  CONSENT_MISSING: 'you had given no consent to it that was in force',
  CONSENT_WITHDRAWN: 'you had withdrawn your consent to it',
  COOKIE_NOT_DECLARED: 'the service declares no such cookie',
  COOKIE_REJECTED: 'you reject cookies that are not essential',
  ENGAGEMENT_ENDED: 'they were not, or no longer, engaged by us',
  ESSENTIAL_CATEGORY_REQUIRED: 'the service cannot be provided without what is essential for it',
  LEGAL_BASIS_MISSING: 'the purpose has no legal basis',
  NO_NEED_TO_KNOW: 'no need to know this for this purpose had been approved',
  NOT_YOUR_DATA: 'users reach their own data only',
  OWN_GRANT: 'nobody approves a grant of their own',
  OWN_STANDING: 'nobody vouches for an engagement, agreement or training of their own',
  PURPOSE_DOES_NOT_COVER_CATEGORY: 'the purpose has nothing to do with this data',
  PURPOSE_NOT_DECLARED: 'we have declared no such purpose',
  ROLE_NOT_PERMITTED: 'the role does not permit it',
  SERVICE_NOT_COVERED: 'the service is not enrolled under our policy',
  TRAINING_EXPIRED: 'no training of theirs was current',
};

/** @param person whose history it is */
export function wordsOf(run: Run, person: Pseudonym, titles: Titles): Words {
  const newest = run.newest.says;
  const oldest = run.oldest.says;
  if (!newest || !oldest) return UNREADABLE;
  const who = whoDid(newest.actor, run.actors.size > 1, person, titles);
  const categories = [...run.categories].map((key) => titles.categories.get(key) ?? key);
  const purposes = [...run.purposes].map((key) => titles.purposes.get(key) ?? key);
  const basis = newest.basis === null ? null : (titles.bases.get(newest.basis) ?? newest.basis);

  const [did, tried] = (run.events.size === 1 ? DEEDS[newest.event as EventName] : null) ?? ANY_DEED;
  const data = categories.length > 0 ? `your ${listed(categories)}` : 'your data';
  const isOne = run.count === 1;
  const when = isOne ? `On ${day(newest.at)}` : `From ${day(oldest.at)} to ${day(newest.at)}`;
  const deed = newest.refusal === null ? did : `tried${isOne ? '' : ` ${run.count} times`} to ${tried}`;
  const why =
    purposes.length > 0 ? `, for the purpose${purposes.length > 1 ? 's' : ''} ${listed(purposes.map(quoted))}` : '';
  const ground = basis === null ? '' : `, on the basis of ${quoted(basis)}`;
  const end =
    newest.refusal === null ? '' : `. This was refused${isOne ? '' : ' each time'}: ${reason(newest.refusal)}`;
  const text = `${when}, ${who} ${deed.replace('%', data)}${why}${ground}${end}.`;
  return { who, categories, purposes, basis, text };
}

const UNREADABLE: Words = {
  who: 'unknown',
  categories: [],
  purposes: [],
  basis: null,
  text: 'This entry has been edited and cannot be read. It should not be so: ask us, or whom you trust to verify the log.',
};

function whoDid({ id, kind, role }: Actor, areSeveral: boolean, person: Pseudonym, { processors }: Titles): string {
  if (kind === 'system') return 'our system';
  if (kind === 'user') return id === person ? 'you' : 'another user';
  if (kind === 'processor') return PROCESSORS[processors.get(id) as ProcessorKind] ?? 'a processor of ours';
  const [one, several] = ROLES[role as StaffRole] ?? ['a member of our staff', 'several members of our staff'];
  return areSeveral ? several : one;
}

function reason(code: string): string {
  return REASONS[code as RefusalCode] ?? 'our policy does not permit it';
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** The same words in every place and version of Node.js. */
function day(at: string): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${at.slice(11, 19)} UTC`;
}

function quoted(title: string): string {
  return `“${title}”`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
