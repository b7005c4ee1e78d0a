/**
 * The row of a processor: an organisation that processes personal data for us.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** In the words of clause 6.1. */
export const PROCESSOR_KINDS = ['ASSOCIATE', 'AGENT', 'SERVICE_PROVIDER'] as const;
export type ProcessorKind = (typeof PROCESSOR_KINDS)[number];

@Entity({ schema: 'registry', name: 'processor' })
export class ProcessorRow {
  @PrimaryColumn('uuid')
  id: string;
  @Column('text')
  name: string;
  @Column('text')
  kind: ProcessorKind;
  @Column('timestamptz', { name: 'registered_at' })
  registeredAt: Date;
  /** The id of the entry that registered it. */
  @Column('uuid')
  entry: string;
}
