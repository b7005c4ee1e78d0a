/**
 * The rules of services: what is enrolled under the policy in force processes, and nothing else (clause 8.2); what is
 * essential for a service comes with a registration, and all else is for the person to decline (clause 4.1).
 */
import { type Refused, refused } from '../../policy/refusal.js';

/** What was last chosen of one category, by one person. */
export type Choice = 'UNDECIDED' | 'DECLINED' | 'ACCEPTED';

/** Nobody accepts what they did not decline: what is not declined needs no acceptance. */
export const CHOICES: { readonly [C in Choice]: readonly Exclude<Choice, 'UNDECIDED'>[] } = {
  UNDECIDED: ['DECLINED'],
  DECLINED: ['ACCEPTED'],
  ACCEPTED: ['DECLINED'],
};

export interface Coverage {
  /** The policy version that the service is enrolled under; null where there is no such service. */
  readonly policy: string | null;
  readonly essential: readonly string[];
  /** By the person, where one is known. */
  readonly declined: readonly string[];
}

/** Every requirement that a registration with these categories does not meet. Categories beyond the essential are as wanted. */
export function unmetByRegistration(
  { policy, essential }: Coverage,
  inForce: string,
  categories: readonly string[],
): Refused[] {
  const lacks = essential.some((category) => !categories.includes(category));
  return [
    ...notCovered(policy, inForce),
    ...(lacks ? [refused('ESSENTIAL_CATEGORY_REQUIRED', 'an essential category')] : []),
  ];
}

/** Every requirement that a collection of these categories does not meet, for a person who is registered. */
export function unmetByCollection(
  { policy, essential, declined }: Coverage,
  inForce: string,
  categories: readonly string[],
): Refused[] {
  const isDeclined = categories.some((category) => declined.includes(category) && !essential.includes(category));
  return [
    ...notCovered(policy, inForce),
    ...(isDeclined ? [refused('CATEGORY_DECLINED', 'a category that was not declined')] : []),
  ];
}

/** Every requirement that declining these categories does not meet. */
export function unmetByDeclining({ essential }: Coverage, categories: readonly string[]): Refused[] {
  return categories.some((category) => essential.includes(category))
    ? [refused('ESSENTIAL_CATEGORY_REQUIRED', 'a category that is not essential')]
    : [];
}

/** Clause 8.2. */
export function notCovered(policy: string | null, inForce: string): Refused[] {
  return policy === inForce ? [] : [refused('SERVICE_NOT_COVERED', 'an enrolled service')];
}
