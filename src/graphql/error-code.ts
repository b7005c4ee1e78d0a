/**
 * Every code that a refusal or a fault can have: the one closed union that the schema documents.
 */
import { registerEnumType } from 'type-graphql';
import { REFUSALS, type RefusalCode } from '../policy/refusal.js';
import { enumOf } from './enum.js';
import { FAULTS, type FaultCode } from './fault.js';

type Code = RefusalCode | FaultCode;

const CODES = [...Object.keys(REFUSALS), ...Object.keys(FAULTS)].sort() as Code[];

export const ErrorCode = enumOf(CODES);

registerEnumType(ErrorCode, {
  name: 'ErrorCode',
  description:
    'The `code` of an error’s extensions, and of `withheld`. Those with a clause are refusals; the rest are faults.',
  valuesConfig: Object.fromEntries(
    CODES.map((code) => [
      code,
      {
        description:
          code in REFUSALS
            ? `Clause ${REFUSALS[code as RefusalCode].clause}. ${REFUSALS[code as RefusalCode].says}`
            : `${FAULTS[code as FaultCode].message} ${FAULTS[code as FaultCode].advice}`,
      },
    ]),
  ),
});
