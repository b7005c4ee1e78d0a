/**
 * The rows of a standing (clause 5.2): what a member of the staff must have, besides need to know, before they reach anybody's
 * data. There are three: an engagement, a confidentiality agreement, a training record. Each is for a term, recorded by
 * somebody else, and may be ended sooner.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';

export const ENGAGEMENT_KINDS = ['EMPLOYEE', 'CONTRACTOR', 'AGENT'] as const;
export type EngagementKind = (typeof ENGAGEMENT_KINDS)[number];

export abstract class StandingRow {
  @PrimaryColumn('uuid')
  id: string;
  @Column('uuid')
  staff: string;
  @Column('uuid', { name: 'recorded_by' })
  recordedBy: string;
  @Column('timestamptz', { name: 'valid_from' })
  from: Date;
  /** Null for one without term. */
  @Column('timestamptz', { name: 'valid_until', nullable: true })
  until: Date | null;
  /** The id of the entry that recorded it. */
  @Column('uuid')
  entry: string;
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;
  /** The id of the entry that ended it. */
  @Column('uuid', { nullable: true })
  ending: string | null;
}

@Entity({ schema: 'registry', name: 'engagement' })
export class EngagementRow extends StandingRow {
  @Column('text')
  kind: EngagementKind;
}

@Entity({ schema: 'registry', name: 'confidentiality_agreement' })
export class AgreementRow extends StandingRow {}

@Entity({ schema: 'registry', name: 'training_record' })
export class TrainingRow extends StandingRow {}
