/**
 * The row of a person: a pseudonym, and the service they registered with.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'subject' })
export class SubjectRow {
  @PrimaryColumn('integer')
  log: number;
  @PrimaryColumn('uuid')
  id: string;
  @Column('text')
  service: string;
  @Column('uuid')
  entry: string;
  @Column('timestamptz', { name: 'registered_at' })
  registeredAt: Date;
}
