/**
 * A refusal is a decision not to permit. It has a code from this one list, the clause of the policy it rests on, what is
 * missing, and, once it stands in the log, an entry.
 *
 * Beside a withheld value it is shown as `withheld`; where a whole request is refused it is thrown, and becomes the error's
 * extensions. Faults, which are no decisions, are in graphql/fault.ts.
 */
import type { Entry } from '../log/entry.js';

export const REFUSALS = {
  ACTOR_UNKNOWN: {
    clause: '5.2',
    says: 'You have a valid token, but are not registered here. Ask the privacy officer.',
  },
  CATEGORY_DECLINED: { clause: '4.1', says: 'The person declined this data category, and it is not essential.' },
  CATEGORY_NOT_DECLARED: { clause: '2.1', says: 'No such data category is declared. `dataCategories` lists them.' },
  CATEGORY_NOT_SEARCHABLE: { clause: '2.1', says: 'This data category is not declared searchable.' },
  CHANNEL_NOT_ALLOWED: { clause: '2.2', says: 'This data category is not collected through this channel.' },
  CONFIDENTIALITY_NOT_IN_FORCE: {
    clause: '5.2',
    says: 'You have no confidentiality agreement in force. Sign one, and have a privacy officer record it.',
  },
  CONSENT_MISSING: {
    clause: '3.1',
    says: 'The purpose rests on consent, and the person has given none for this data category that is in force.',
  },
  CONSENT_WITHDRAWN: {
    clause: '3.1',
    says: 'The person has withdrawn their consent to this data category for this purpose.',
  },
  COOKIE_NOT_DECLARED: { clause: '4.2', says: 'The service declares no such cookie. `cookies` lists them.' },
  COOKIE_REJECTED: { clause: '4.2', says: 'The person rejects cookies that are not essential, and this one is not.' },
  ENGAGEMENT_ENDED: {
    clause: '5.2',
    says: 'You have no engagement in force. A privacy officer records it.',
  },
  ESSENTIAL_CATEGORY_REQUIRED: {
    clause: '4.1',
    says: 'The service cannot be provided without its essential categories. `essentialCategories` lists them.',
  },
  LEGAL_BASIS_MISSING: { clause: '3.1', says: 'The purpose has no legal basis.' },
  NO_NEED_TO_KNOW: { clause: '5.2', says: 'You have no need-to-know grant in force for this purpose and category.' },
  NOT_YOUR_DATA: { clause: '5.2', says: 'Users reach their own data only.' },
  OWN_GRANT: { clause: '5.2', says: 'Nobody approves a grant of their own: ask another privacy officer.' },
  OWN_STANDING: {
    clause: '5.2',
    says: 'Nobody vouches for an engagement, agreement or training of their own: ask another privacy officer.',
  },
  PURPOSE_DOES_NOT_COVER_CATEGORY: { clause: '3.1', says: 'The purpose does not cover this data category.' },
  PURPOSE_NOT_DECLARED: { clause: '3.1', says: 'No such purpose is declared. `purposes` lists them.' },
  ROLE_NOT_PERMITTED: { clause: '5.2', says: 'Your role may not do this.' },
  SERVICE_NOT_COVERED: { clause: '8.2', says: 'No such service is enrolled under the policy.' },
  TRAINING_EXPIRED: {
    clause: '5.2',
    says: 'You have no training that is current. Complete one, and have a privacy officer record it.',
  },
} as const satisfies Record<string, { clause: string; says: string }>;

export type RefusalCode = keyof typeof REFUSALS;

/** What is to be had before the same request is permitted: from a closed list, for it stands in the log. */
export type Missing =
  | 'a category that is not essential'
  | 'a category that was not declined'
  | 'a confidentiality agreement in force'
  | 'a consent in force'
  | 'a current training'
  | 'a declared category'
  | 'a declared cookie'
  | 'a declared purpose'
  | 'a legal basis'
  | 'a need-to-know grant'
  | 'a preference that accepts the cookie'
  | 'a purpose that covers the category'
  | 'a registered identity'
  | 'a role that may'
  | 'a searchable category'
  | 'an allowed channel'
  | 'an engagement in force'
  | 'an enrolled service'
  | 'an essential category'
  | 'another approver'
  | 'to be the person';

export interface Refused {
  readonly code: RefusalCode;
  readonly clause: string;
  readonly missing: readonly Missing[];
}

export function refused(code: RefusalCode, ...missing: Missing[]): Refused {
  return { code, clause: REFUSALS[code].clause, missing };
}

/** A whole request refused. Its message is from the list above: it quotes nothing that anybody sent. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly refused: Refused,
    readonly entry: Entry | null,
  ) {
    super(REFUSALS[refused.code].says);
  }
}
