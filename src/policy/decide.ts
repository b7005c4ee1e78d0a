/**
 * A decision says, for each category that somebody asks for, whether the policy permits it, and on what ground.
 *
 *     decide({ actor, event: 'record.read', subject, purpose, categories }, facts, at)
 *       →  [{ outcome: 'permitted', categories: […], basis: 'contract', clause: '5.2' },
 *           { outcome: 'refused', categories: […], refusal: { code: 'NO_NEED_TO_KNOW', clause: '5.2', missing: […] } }]
 *
 * It is pure: the same ask and facts at the same time give the same decision. A new requirement is one fact and one rule.
 */
import type { Actor, Category, Pseudonym, Purpose } from '../log/entry.js';
import type { EventName } from '../log/event.js';
import { CONSENT_BASIS, type ConsentFact, isConsenting } from './consent.js';
import { type Refused, refused } from './refusal.js';
import { refusedByRole } from './role.js';
import { isInForce, type Term } from './term.js';

export interface Ask {
  readonly actor: Actor;
  readonly event: EventName;
  /** Null where the person is not known yet: to be registered, or to be found. */
  readonly subject: Pseudonym | null;
  /** As it was sent: it is declared only if the facts say so. */
  readonly purpose: string;
  /** As they were sent; null for all that the purpose covers. */
  readonly categories: readonly string[] | null;
  /** What is to be kept, and how it came: one for each value. */
  readonly collected?: readonly Collected[];
}

export interface Collected {
  readonly category: string;
  readonly channel: string;
}

/** Null where no such purpose is declared. */
export interface PurposeFact {
  readonly key: Purpose;
  readonly basis: string | null;
  readonly covers: readonly Category[];
}

/** A need-to-know grant of the actor's for the purpose, that has not been revoked. Null categories: all it covers. */
export interface GrantFact extends Term {
  readonly categories: readonly Category[] | null;
}

export interface DeclaredFact {
  readonly key: Category;
  readonly searchable: boolean;
  /** Through which it may be collected. */
  readonly channels: readonly string[];
}

/** What was true when the log had `asOf` entries. */
export interface Facts {
  readonly purpose: PurposeFact | null;
  readonly grants: readonly GrantFact[];
  /** What there is of the actor's that has not been ended, if they are of the staff. */
  readonly engagements: readonly Term[];
  /** Whether the actor ever had an engagement, be it ended. */
  readonly wasEngaged: boolean;
  readonly agreements: readonly Term[];
  readonly trainings: readonly Term[];
  /** Those of the asked categories that are declared at all. */
  readonly declared: readonly DeclaredFact[];
  /** The person's, whichever purpose they are for, the last changed first. */
  readonly consents: readonly ConsentFact[];
}

export interface Permitted {
  readonly outcome: 'permitted';
  readonly categories: readonly Category[];
  /** Null where none carries it but the person's own right to what is theirs (clause 6.4). */
  readonly basis: string | null;
  readonly clause: string;
}

export interface NotPermitted {
  readonly outcome: 'refused';
  /** Only declared ones: what is not declared is named nowhere. */
  readonly categories: readonly Category[];
  readonly refusal: Refused;
}

export type Decision = Permitted | NotPermitted;

/** The parts are disjoint, and together are what was asked. An ask that names what is not declared is refused whole. */
export function decide(ask: Ask, facts: Facts, at: Date): Decision[] {
  const { purpose } = facts;
  const declared = facts.declared.map(({ key }) => key);
  if (!purpose) return [{ outcome: 'refused', categories: declared, refusal: PURPOSE_NOT_DECLARED }];
  if (ask.categories?.some((category) => !declared.includes(category as Category))) {
    return [{ outcome: 'refused', categories: declared, refusal: CATEGORY_NOT_DECLARED }];
  }
  const asked = ask.categories ? [...new Set(ask.categories as readonly Category[])] : purpose.covers;
  const unmet = ASK_RULES.map((rule) => rule(ask, facts, purpose, at)).filter((refusal) => refusal !== null);
  if (asked.length === 0 && unmet.length > 0) return [{ outcome: 'refused', categories: [], refusal: together(unmet) }];

  const permitted: Category[] = [];
  const refusals = new Map<string, { refusal: Refused; categories: Category[] }>();
  for (const category of asked) {
    const also = CATEGORY_RULES.map((rule) => rule(ask, facts, purpose, category, at)).filter((one) => one !== null);
    // Whether somebody consented is told of them, so it is not for whoever might not read even then.
    const lacking = unmet.length + also.length > 0 ? null : consentLacking(ask, facts, purpose, category, at);
    if (lacking) also.push(lacking);
    if (unmet.length + also.length === 0) {
      permitted.push(category);
      continue;
    }
    const refusal = together([...unmet, ...also]);
    const same = refusals.get(refusal.code);
    refusals.set(refusal.code, {
      refusal: same ? together([same.refusal, refusal]) : refusal,
      categories: [...(same?.categories ?? []), category],
    });
  }
  const decisions: Decision[] = [...refusals.values()].map((one) => ({ outcome: 'refused', ...one }));
  if (permitted.length > 0 || decisions.length === 0) {
    const clause = ask.actor.kind === 'user' ? '6.4' : ask.actor.kind === 'staff' ? '5.2' : '3.1';
    const basis = isOwnRight(ask, purpose) ? null : purpose.basis;
    decisions.push({ outcome: 'permitted', categories: permitted, basis, clause });
  }
  return decisions;
}

const PURPOSE_NOT_DECLARED = refused('PURPOSE_NOT_DECLARED', 'a declared purpose');
const CATEGORY_NOT_DECLARED = refused('CATEGORY_NOT_DECLARED', 'a declared category');

/** The first rule that is not met gives the code; every one of them says what is missing. */
export function together(unmet: readonly Refused[]): Refused {
  return { ...unmet[0]!, missing: [...new Set(unmet.flatMap((refusal) => refusal.missing))] };
}

/** Rules about the ask as a whole, in the order in which their codes take precedence. */
const ASK_RULES: readonly ((ask: Ask, facts: Facts, purpose: PurposeFact, at: Date) => Refused | null)[] = [
  ({ actor, event }) => refusedByRole(actor, event),

  ({ actor, subject }) =>
    actor.kind === 'user' && subject !== actor.id ? refused('NOT_YOUR_DATA', 'to be the person') : null,

  (_ask, _facts, { basis }) => (basis ? null : refused('LEGAL_BASIS_MISSING', 'a legal basis')),

  ({ actor }, facts, _purpose, at) => withoutStanding(actor, facts, at),
];

/** What clause 5.2 asks of staff whatever they do with people's data: null if all of it is in force. */
function withoutStanding({ kind }: Actor, { engagements, agreements, trainings }: Facts, at: Date): Refused | null {
  if (kind !== 'staff') return null;
  const lacks = (terms: readonly Term[]) => !terms.some((term) => isInForce(term, at));
  const unmet = [
    lacks(engagements) && refused('ENGAGEMENT_ENDED', 'an engagement in force'),
    lacks(agreements) && refused('CONFIDENTIALITY_NOT_IN_FORCE', 'a confidentiality agreement in force'),
    lacks(trainings) && refused('TRAINING_EXPIRED', 'a current training'),
  ].filter((refusal) => refusal !== false);
  return unmet.length > 0 ? together(unmet) : null;
}

/** Whether somebody may do what touches no value: register a processor, approve a grant, read the log. Null if they may. */
export function refusedDeed(actor: Actor, event: EventName, facts: Facts, at: Date): Refused | null {
  const standing = CONCERNS_PEOPLE.has(event) ? withoutStanding(actor, facts, at) : afterEngagement(actor, facts, at);
  const unmet = [refusedByRole(actor, event), standing].filter((one) => one !== null);
  return unmet.length > 0 ? together(unmet) : null;
}

/** What concerns people, though no value and no purpose: to list them, to erase them, to look at what they prefer. */
export const CONCERNS_PEOPLE: ReadonlySet<EventName> = new Set([
  'consent.invalidated',
  'cookie-preference.read',
  'record.erased',
  'user.listed',
]);

/**
 * Whoever's engagement is over does nothing more, whatever their token still says. Who never had one is judged by role alone,
 * or nobody could record the first.
 */
function afterEngagement({ kind }: Actor, { engagements, wasEngaged }: Facts, at: Date): Refused | null {
  const isOver = kind === 'staff' && wasEngaged && !engagements.some((term) => isInForce(term, at));
  return isOver ? refused('ENGAGEMENT_ENDED', 'an engagement in force') : null;
}

type CategoryRule = (ask: Ask, facts: Facts, purpose: PurposeFact, category: Category, at: Date) => Refused | null;

/** Rules about each category, likewise. */
const CATEGORY_RULES: readonly CategoryRule[] = [
  (_ask, _facts, { covers }, category) =>
    covers.includes(category) ? null : refused('PURPOSE_DOES_NOT_COVER_CATEGORY', 'a purpose that covers the category'),

  ({ event }, { declared }, _purpose, category) =>
    event !== 'user.found' || declared.some(({ key, searchable }) => key === category && searchable)
      ? null
      : refused('CATEGORY_NOT_SEARCHABLE', 'a searchable category'),

  ({ collected = [] }, { declared }, _purpose, category) => {
    const channels = declared.find(({ key }) => key === category)?.channels ?? [];
    return collected.every((one) => one.category !== category || channels.includes(one.channel))
      ? null
      : refused('CHANNEL_NOT_ALLOWED', 'an allowed channel');
  },

  ({ actor }, { grants }, _purpose, category, at) =>
    actor.kind !== 'staff' ||
    grants.some((grant) => isInForce(grant, at) && (grant.categories?.includes(category) ?? true))
      ? null
      : refused('NO_NEED_TO_KNOW', 'a need-to-know grant'),
];

/** What touches somebody's values, and so needs their consent where the purpose rests on it. */
const NEEDS_CONSENT: ReadonlySet<EventName> = new Set([
  'record.created',
  'record.listed',
  'record.read',
  'record.updated',
  'user.found',
  'user.registered',
]);

/** Users see and correct their own data whatever they consented to (clause 6.4); what is collected of them is another thing. */
function isOwnRight({ actor, event }: Ask, { basis }: PurposeFact): boolean {
  return actor.kind === 'user' && basis === CONSENT_BASIS && NEEDS_CONSENT.has(event) && event !== 'record.created';
}

function consentLacking(
  ask: Ask,
  { consents }: Facts,
  purpose: PurposeFact,
  category: Category,
  at: Date,
): Refused | null {
  const { event, subject } = ask;
  const { key, basis } = purpose;
  if (basis !== CONSENT_BASIS || !NEEDS_CONSENT.has(event) || isOwnRight(ask, purpose)) return null;
  // Who is to be found is not known before; nor who is foreseen to be read. Who is to be registered has consented to nothing.
  if (subject === null && event !== 'user.registered') return null;
  const relevant = consents.filter((one) => one.purpose === key && one.categories.includes(category));
  if (relevant.some((one) => isConsenting(one, at))) return null;
  // Of whom was looked for it is not told that there is such a person.
  const isWithdrawn = relevant[0]?.act === 'WITHDRAWN' && event !== 'user.found';
  return refused(isWithdrawn ? 'CONSENT_WITHDRAWN' : 'CONSENT_MISSING', 'a consent in force');
}
