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
import { type Refused, refused } from './refusal.js';
import { refusedByRole } from './role.js';

export interface Ask {
  readonly actor: Actor;
  readonly event: EventName;
  /** Null where the person is not known yet: to be registered, or to be found. */
  readonly subject: Pseudonym | null;
  /** As it was sent: it is declared only if the facts say so. */
  readonly purpose: string;
  /** As they were sent; null for all that the purpose covers. */
  readonly categories: readonly string[] | null;
}

/** Null where no such purpose is declared. */
export interface PurposeFact {
  readonly key: Purpose;
  readonly basis: string | null;
  readonly covers: readonly Category[];
}

/** A need-to-know grant of the actor's for the purpose, that has not been revoked. Null categories: all it covers. */
export interface GrantFact {
  readonly categories: readonly Category[] | null;
  readonly from: Date;
  readonly until: Date;
}

/** What was true when the log had `asOf` entries. */
export interface Facts {
  readonly purpose: PurposeFact | null;
  readonly grants: readonly GrantFact[];
  /** Those of the asked categories that are declared at all. */
  readonly declared: readonly Category[];
}

export interface Permitted {
  readonly outcome: 'permitted';
  readonly categories: readonly Category[];
  readonly basis: string;
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
  if (!purpose) return [{ outcome: 'refused', categories: facts.declared, refusal: PURPOSE_NOT_DECLARED }];
  const declared = new Set<string>(facts.declared);
  if (ask.categories?.some((category) => !declared.has(category))) {
    return [{ outcome: 'refused', categories: facts.declared, refusal: CATEGORY_NOT_DECLARED }];
  }
  const asked = ask.categories ? [...new Set(ask.categories as readonly Category[])] : purpose.covers;
  const permitted: Category[] = [];
  const refusals = new Map<string, { refusal: Refused; categories: Category[] }>();
  for (const category of asked) {
    const refusal = refusalFor(ask, facts, purpose, category, at);
    if (!refusal) {
      permitted.push(category);
      continue;
    }
    const same = refusals.get(refusal.code) ?? { refusal, categories: [] };
    same.categories.push(category);
    refusals.set(refusal.code, same);
  }
  const decisions: Decision[] = [...refusals.values()].map((one) => ({ outcome: 'refused', ...one }));
  if (permitted.length > 0 || decisions.length === 0) {
    const clause = ask.actor.kind === 'user' ? '6.4' : ask.actor.kind === 'staff' ? '5.2' : '3.1';
    decisions.push({ outcome: 'permitted', categories: permitted, basis: purpose.basis ?? '', clause });
  }
  return decisions;
}

const PURPOSE_NOT_DECLARED = refused('PURPOSE_NOT_DECLARED', 'a declared purpose');
const CATEGORY_NOT_DECLARED = refused('CATEGORY_NOT_DECLARED', 'a declared category');

/** Null if permitted; otherwise the first rule that is not met gives the code, and every one of them what is missing. */
function refusalFor(ask: Ask, facts: Facts, purpose: PurposeFact, category: Category, at: Date): Refused | null {
  const unmet = RULES.map((rule) => rule(ask, facts, purpose, category, at)).filter((refusal) => refusal !== null);
  if (unmet.length === 0) return null;
  return { ...unmet[0]!, missing: unmet.flatMap((refusal) => refusal.missing) };
}

type Rule = (ask: Ask, facts: Facts, purpose: PurposeFact, category: Category, at: Date) => Refused | null;

/** In the order in which their codes take precedence. */
const RULES: readonly Rule[] = [
  ({ actor, event }) => refusedByRole(actor, event),

  ({ actor, subject }) =>
    actor.kind === 'user' && subject !== actor.id ? refused('NOT_YOUR_DATA', 'to be the person') : null,

  (_ask, _facts, purpose, category) =>
    purpose.covers.includes(category)
      ? null
      : refused('PURPOSE_DOES_NOT_COVER_CATEGORY', 'a purpose that covers the category'),

  (_ask, _facts, purpose) => (purpose.basis ? null : refused('LEGAL_BASIS_MISSING', 'a legal basis')),

  ({ actor }, { grants }, _purpose, category, at) =>
    actor.kind !== 'staff' || grants.some((grant) => isInForce(grant, category, at))
      ? null
      : refused('NO_NEED_TO_KNOW', 'a need-to-know grant'),
];

function isInForce({ categories, from, until }: GrantFact, category: Category, at: Date): boolean {
  return from <= at && at < until && (categories === null || categories.includes(category));
}
