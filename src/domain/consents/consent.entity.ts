/**
 * The rows of a consent (clause 3.1): what it is for, and each thing that became of it. Neither is ever updated.
 */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ConsentAct } from '../../policy/consent.js';

@Entity({ schema: 'registry', name: 'consent' })
export class ConsentRow {
  @PrimaryColumn('uuid')
  id: string;
  @PrimaryColumn('integer')
  log: number;
  @Column('uuid')
  subject: string;
  @Column('text')
  purpose: string;
  /** Sorted. */
  @Column('text', { array: true })
  categories: string[];
  /** The id of the entry of its first version. */
  @Column('uuid')
  entry: string;
}

@Entity({ schema: 'registry', name: 'consent_version' })
export class ConsentVersionRow {
  @PrimaryColumn('uuid')
  consent: string;
  @PrimaryColumn('integer')
  log: number;
  @PrimaryColumn('integer')
  version: number;
  @Column('text')
  act: ConsentAct;
  @Column('timestamptz')
  at: Date;
  /** This and the three after it: of what was given or renewed, and null of the rest. */
  @Column('text', { nullable: true })
  channel: string | null;
  @Column('text', { nullable: true })
  service: string | null;
  /** SHA-256 of the exact words that were shown, as UTF-8. */
  @Column('bytea', { nullable: true })
  words: Buffer | null;
  @Column('text', { nullable: true })
  language: string | null;
  @Column('timestamptz', { name: 'valid_until', nullable: true })
  until: Date | null;
  /** The id of the entry that says it. */
  @Column('uuid')
  entry: string;
}
