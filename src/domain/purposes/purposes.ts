/**
 * The verbs that declare what the policy says (clauses 2.1 and 3.1). Only the system has them: a declaration comes with the
 * policy, through seeds, not through GraphQL. Each is a change of its own, for what it declares is a fact, and after it
 * nothing may be decided on what was there before.
 */
import type { Context } from '../../graphql/context.js';
import type { Category, Purpose } from '../../log/entry.js';
import { Refusal, refused } from '../../policy/refusal.js';
import {
  type CategoryRow,
  type LegalBasisRow,
  type PurposeRow,
  readCategory,
  readLegalBasis,
  readPurpose,
} from './declared.js';
import { declareOnce, insertOnce } from './declared-once.js';

type Declarer = Pick<Context, 'gate' | 'rows'>;

/** @throws DeclaredDifferently, Refusal */
export function declareLegalBasis(context: Declarer, wanted: LegalBasisRow): Promise<void> {
  const { key, title, description } = wanted;
  return declareOnce({
    kind: 'legal basis',
    wanted: { key, title, description },
    read: () => readLegalBasis(context.rows, key),
    declare: () => {
      const ask = { event: 'legal-basis.declared', operation: 'declareLegalBasis', data: null } as const;
      return context.gate.change(ask, async ({ rows }, permit) => {
        const body = permit.body(ask.event, { basis: key });
        await insertOnce(rows, 'legal_basis', { key, title, description, entry: body.id });
        return { bodies: [body], value: undefined };
      });
    },
  });
}

/** A category is neither sensitive nor searchable unless it says so. */
export type CategoryDeclaration = Omit<CategoryRow, 'sensitive' | 'searchable'> & Partial<CategoryRow>;

/** @throws DeclaredDifferently, Refusal */
export function declareCategory(context: Declarer, declaration: CategoryDeclaration): Promise<void> {
  const { key, title, identifiability, sensitive = false, searchable = false } = declaration;
  const channels = [...new Set(declaration.channels)].sort();
  return declareOnce({
    kind: 'category',
    wanted: { key, title, identifiability, sensitive, searchable, channels },
    read: () => readCategory(context.rows, key),
    declare: () => {
      const ask = { event: 'category.declared', operation: 'declareCategory', data: null } as const;
      return context.gate.change(ask, async ({ rows }, permit) => {
        const details = { identifiability, sensitive, searchable, channels };
        const body = permit.body(ask.event, { asked: [key as Category], details });
        await insertOnce(rows, 'category', { key, title, ...details, entry: body.id });
        return { bodies: [body], value: undefined };
      });
    },
  });
}

/** @throws DeclaredDifferently, Refusal: CATEGORY_NOT_DECLARED, LEGAL_BASIS_MISSING, ROLE_NOT_PERMITTED */
export function declarePurpose(context: Declarer, declaration: PurposeRow): Promise<void> {
  const { key, title, description, clause, basis } = declaration;
  const categories = [...new Set(declaration.categories)].sort();
  return declareOnce({
    kind: 'purpose',
    wanted: { key, title, description, clause, basis, categories },
    read: () => readPurpose(context.rows, key),
    declare: () => {
      const ask = { event: 'purpose.declared', operation: 'declarePurpose', data: null } as const;
      return context.gate.change(ask, async ({ rows }, permit) => {
        const [{ declared, based }] = await rows.query(
          `SELECT (SELECT count(*)::int FROM registry.category c WHERE c.key = ANY ($1)) AS declared,
             EXISTS (SELECT FROM registry.legal_basis b WHERE b.key = $2) AS based`,
          [categories, basis],
        );
        if (declared < categories.length) {
          throw new Refusal(refused('CATEGORY_NOT_DECLARED', 'a declared category'), null);
        }
        if (basis !== null && !based) throw new Refusal(refused('LEGAL_BASIS_MISSING', 'a legal basis'), null);
        const asked = categories as Category[];
        const said = { purpose: key as Purpose, ...(basis !== null && { basis }), ...(asked.length > 0 && { asked }) };
        const body = permit.body(ask.event, said);
        await insertOnce(rows, 'purpose', { key, title, description, clause, basis, entry: body.id });
        await rows.query(
          'INSERT INTO registry.purpose_category (purpose, category, entry) SELECT $1, unnest($2::text[]), $3',
          [key, categories, body.id],
        );
        return { bodies: [body], value: undefined };
      });
    },
  });
}
