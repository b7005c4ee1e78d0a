/**
 * The rows of the plain server: values as they are, beside what they are about.
 */
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity({ name: 'person' })
export class PersonRow {
  @PrimaryColumn('uuid')
  id: string;
}

@Entity({ name: 'personal_data' })
@Index(['person', 'category'])
export class PersonalDataRow {
  @PrimaryColumn('uuid')
  id: string;
  @Column('uuid')
  person: string;
  @Column('text')
  category: string;
  @Column('integer')
  version: number;
  @Column('text')
  channel: string;
  @Column('text')
  value: string;
}
