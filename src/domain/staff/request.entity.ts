/**
 * The row of a request of need to know (clause 5.2): what a member of the staff asks to read, for which purpose, until when.
 * The grant that approves it has its id.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'need_to_know_request' })
export class RequestRow {
  @PrimaryColumn('uuid')
  id: string;
  /** Who asks. */
  @Column('uuid')
  staff: string;
  @Column('text')
  purpose: string;
  /** Null for all that the purpose covers. */
  @Column('text', { array: true, nullable: true })
  categories: string[] | null;
  @Column('timestamptz', { name: 'requested_at' })
  requestedAt: Date;
  @Column('timestamptz', { name: 'valid_until' })
  until: Date;
  /** The id of the entry that requested it. */
  @Column('uuid')
  entry: string;
}
