/**
 * What is declared, read: purposes, legal bases, data categories, services.
 *
 * These are nobody's data. They are the published policy as data, and whoever is signed in may list them; that makes no
 * entry, for an entry says who saw what of whom, and here there is no whom.
 */
import type { EntityManager } from 'typeorm';
import { keyOrNone } from '../../gate/facts.js';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';

/** Whether a value tells who a person is by itself, or together with others (clause 2.1). */
export const IDENTIFIABILITIES = ['ALONE', 'COMBINED'] as const;

export interface LegalBasisRow {
  readonly key: string;
  readonly title: string;
  readonly description: string;
}

export interface CategoryRow {
  /** fideslang's, such as `user.contact.email`. */
  readonly key: string;
  readonly title: string;
  readonly identifiability: (typeof IDENTIFIABILITIES)[number];
  readonly sensitive: boolean;
  readonly searchable: boolean;
  /** Through which it may be collected (clause 2.2), sorted. */
  readonly channels: readonly string[];
}

export interface PurposeRow {
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly clause: string;
  /** The key of a declared legal basis. Without one the purpose permits nothing. */
  readonly basis: string | null;
  /** Keys of declared categories, sorted. */
  readonly categories: readonly string[];
}

export interface ServiceRow {
  readonly key: string;
  readonly title: string;
  readonly policy: string;
}

const CATEGORY =
  'SELECT c.key, c.title, c.identifiability, c.sensitive, c.searchable, c.channels FROM registry.category c';
const PURPOSE = `SELECT p.key, p.title, p.description, p.clause, p.basis, b.title AS basis_title,
    b.description AS basis_description,
    ARRAY(SELECT c.category FROM registry.purpose_category c WHERE c.purpose = p.key ORDER BY c.category COLLATE "C")
      AS categories
  FROM registry.purpose p LEFT JOIN registry.legal_basis b ON b.key = p.basis`;

async function one<Row>(rows: EntityManager, text: string, key: string): Promise<Row | null> {
  const [row] = await rows.query(text, [key]);
  return row ?? null;
}

export function readLegalBasis(rows: EntityManager, key: string): Promise<LegalBasisRow | null> {
  return one(rows, 'SELECT b.key, b.title, b.description FROM registry.legal_basis b WHERE b.key = $1', key);
}

export function readCategory(rows: EntityManager, key: string): Promise<CategoryRow | null> {
  return one(rows, `${CATEGORY} WHERE c.key = $1`, key);
}

export function readPurpose(rows: EntityManager, key: string): Promise<PurposeRow | null> {
  return one(rows, `${PURPOSE} WHERE p.key = $1`, key);
}

export function readService(rows: EntityManager, key: string): Promise<ServiceRow | null> {
  return one(rows, 'SELECT s.key, s.title, s.policy FROM registry.service s WHERE s.key = $1', key);
}

export interface DeclaredPurpose extends Omit<PurposeRow, 'basis'> {
  readonly legalBasis: LegalBasisRow | null;
}

export function listPurposes({ rows }: Pick<Context, 'rows'>, args: PageArgs): Promise<Connection<DeclaredPurpose>> {
  type Row = PurposeRow & { basis_title: string; basis_description: string };
  return page<DeclaredPurpose>(
    args,
    keyOf,
    async (after, limit) => {
      const found: Row[] = await rows.query(`${PURPOSE} ${AFTER('p')}`, [after ?? '', limit]);
      return found.map(({ key, title, description, clause, categories, basis, basis_title, basis_description }) => ({
        ...{ key, title, description, clause, categories },
        legalBasis: basis === null ? null : { key: basis, title: basis_title, description: basis_description },
      }));
    },
    isKey,
  );
}

/** @param only null for all */
export function listCategories(
  { rows }: Pick<Context, 'rows'>,
  args: PageArgs,
  only: readonly string[] | null = null,
): Promise<Connection<CategoryRow>> {
  const which = '($3::text[] IS NULL OR c.key = ANY ($3))';
  return page<CategoryRow>(
    args,
    keyOf,
    (after, limit) => rows.query(`${CATEGORY} ${AFTER('c', which)}`, [after ?? '', limit, only]),
    isKey,
  );
}

/** By bytes, so that the order is the same whatever the database's collation. */
const AFTER = (table: string, which = 'true') =>
  `WHERE ${table}.key COLLATE "C" > $1 AND ${which} ORDER BY ${table}.key COLLATE "C" LIMIT $2`;

function keyOf({ key }: { readonly key: string }): string {
  return key;
}

function isKey(key: string): boolean {
  return keyOrNone(key) !== '';
}
