/**
 * The rows that TypeORM reads and writes: every entity of every domain folder.
 */
import { ConsentRow, ConsentVersionRow } from '../domain/consents/consent.entity.js';
import { ProcessorRow } from '../domain/processors/processor.entity.js';
import { GrantRow } from '../domain/staff/grant.entity.js';
import { RequestRow } from '../domain/staff/request.entity.js';
import { AgreementRow, EngagementRow, TrainingRow } from '../domain/staff/standing.entity.js';
import { SubjectRow } from '../domain/users/subject.entity.js';

export const ENTITIES = [
  AgreementRow,
  ConsentRow,
  ConsentVersionRow,
  EngagementRow,
  GrantRow,
  ProcessorRow,
  RequestRow,
  SubjectRow,
  TrainingRow,
] as const;
