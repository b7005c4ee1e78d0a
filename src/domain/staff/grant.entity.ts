/**
 * The row of a need-to-know grant (clause 5.2): one staff member may read these categories for this purpose, until then.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'registry', name: 'need_to_know_grant' })
export class GrantRow {
  @PrimaryColumn('uuid')
  id: string;
  @Column('uuid')
  staff: string;
  @Column('text')
  purpose: string;
  /** Null for all that the purpose covers. */
  @Column('text', { array: true, nullable: true })
  categories: string[] | null;
  @Column('uuid', { name: 'approved_by' })
  approvedBy: string;
  @Column('timestamptz', { name: 'valid_from' })
  from: Date;
  @Column('timestamptz', { name: 'valid_until' })
  until: Date;
  /** The id of the entry that approved it. */
  @Column('uuid')
  entry: string;
  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
  /** The id of the entry that revoked it. */
  @Column('uuid', { nullable: true })
  revocation: string | null;
}
