/**
 * What GraphQL shows of verifications, and what it takes as evidence.
 */
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes } from '../../graphql/connection.js';
import { enumOf } from '../../graphql/enum.js';
import { Instant, LogIndexScalar } from '../../graphql/scalars.js';
import { FINDINGS, type FindingCode } from '../../log/finding.js';
import type { LogIndex } from '../../log/leaf.js';
import { INCONCLUSIVES, UNCHECKEDS, VERIFICATION_FAULTS } from './verification.entity.js';

export enum VerificationState {
  WAITING = 'waiting',
  RUNNING = 'running',
  DONE = 'done',
  FAILED = 'failed',
}
registerEnumType(VerificationState, {
  name: 'VerificationState',
  valuesConfig: {
    WAITING: { description: 'For another to end, or for a server to take it up.' },
    RUNNING: { description: 'One server is at it.' },
    DONE: { description: 'There is a report.' },
    FAILED: { description: 'There is no report, and a fault says why.' },
  },
});

export enum LogVerdict {
  INTACT = 'intact',
  TAMPERED = 'tampered',
  INCONCLUSIVE = 'inconclusive',
}
registerEnumType(LogVerdict, {
  name: 'LogVerdict',
  valuesConfig: {
    INTACT: { description: 'It is what the evidence says, up to the size that it vouches for, and shows no damage.' },
    TAMPERED: { description: 'There are findings.' },
    INCONCLUSIVE: { description: 'It shows no damage, and nobody outside vouches for it.' },
  },
});

const INCONCLUSIVE = enumOf(INCONCLUSIVES);
registerEnumType(INCONCLUSIVE, {
  name: 'InconclusiveReason',
  valuesConfig: {
    NO_EVIDENCE: {
      description:
        'Consistent in itself; but whoever can write all of it could have made it so. The server’s own checkpoints are no evidence from outside.',
    },
  },
});

const UNCHECKED = enumOf(UNCHECKEDS);
registerEnumType(UNCHECKED, { name: 'Unchecked', description: 'What a verification did not look at.' });

const FAULT = enumOf(VERIFICATION_FAULTS);
registerEnumType(FAULT, {
  name: 'VerificationFault',
  description: 'Why there is no report. It says nothing of the log: ask for another verification.',
  valuesConfig: {
    INTERRUPTED: { description: 'Servers that were at it have died, three times.' },
    UNAVAILABLE: { description: 'The database did not answer.' },
    INTERNAL: { description: 'Something went wrong on our side.' },
  },
});

const FINDING_CODE = enumOf(Object.keys(FINDINGS) as FindingCode[]);
registerEnumType(FINDING_CODE, { name: 'FindingCode', description: 'See schema/log-format.md, "Findings".' });

@ObjectType('LogFinding', { description: 'One thing that was found wrong.' })
export class LogFindingType {
  @Field(() => FINDING_CODE)
  code: FindingCode;
  @Field(() => LogIndexScalar, { nullable: true, description: 'Null where it concerns evidence, not entries.' })
  first: number | null;
  @Field(() => LogIndexScalar, { nullable: true })
  last: number | null;
  @Field(() => String, { description: 'Of a range: at its first index.' })
  expected: string;
  @Field(() => String)
  found: string;
}

@ObjectType('VouchedFor', { description: 'Up to which size evidence agrees with the log.' })
export class VouchedType {
  @Field(() => LogIndexScalar)
  size: number;
  @Field(() => [String], { description: 'Who says so, in words.' })
  by: readonly string[];
}

@ObjectType('VerificationReport', { description: 'What `access-ledger verify --json` prints, of the same code.' })
export class VerificationReportType {
  @Field(() => LogVerdict)
  verdict: string;
  @Field(() => INCONCLUSIVE, { nullable: true, description: 'Exactly where the verdict is INCONCLUSIVE.' })
  why: string | null;
  @Field(() => VouchedType, { nullable: true, description: 'Null where nobody outside vouches for any of it.' })
  vouched: VouchedType | null;
  @Field(() => LogIndexScalar, { description: 'The index of the last entry in its order, plus one.' })
  size: number;
  @Field(() => String, { nullable: true, description: 'Hex; null where the log is too damaged to know it.' })
  root: string | null;
  @Field(() => [LogFindingType], {
    complexity: ({ childComplexity }) => 1 + 10 * childComplexity,
    description: 'In the order of the entries, at most 100.',
  })
  findings: readonly LogFindingType[];
  @Field(() => LogIndexScalar, { description: 'How many findings more there were.' })
  unlisted: number;
  @Field(() => [UNCHECKED], { description: 'What it did not look at, and says nothing of.' })
  unchecked: readonly string[];
}

@ObjectType('Verification', { description: 'The whole log being verified, in the background.' })
export class VerificationType {
  @Field(() => ID)
  id: string;
  @Field(() => ID, { description: 'The pseudonym of the reviewer who asked for it.' })
  reviewer: string;
  @Field(() => VerificationState)
  state: string;
  @Field(() => Instant)
  requestedAt: Date;
  @Field(() => Instant, { nullable: true })
  startedAt: Date | null;
  @Field(() => Instant, { nullable: true })
  finishedAt: Date | null;
  @Field(() => LogIndexScalar, { description: 'How many entries were read so far.' })
  entries: number;
  @Field(() => LogIndexScalar, { nullable: true, description: 'Of how many; null until that is known.' })
  ofEntries: number | null;
  @Field(() => VerificationReportType, { nullable: true, description: 'Exactly where the state is DONE.' })
  report: VerificationReportType | null;
  @Field(() => FAULT, { nullable: true, description: 'Exactly where the state is FAILED.' })
  fault: string | null;
}

export const { NodeConnection: VerificationConnection } = connectionTypes(VerificationType, 'Verification');

@InputType({ description: 'An entry that you were shown, as `extensions.ledger` and `logHead` have it.' })
export class HeldEntryInput {
  @Field(() => LogIndexScalar)
  index: LogIndex;
  @Field(() => String)
  link: string;
}
