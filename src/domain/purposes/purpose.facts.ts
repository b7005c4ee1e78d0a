/**
 * The facts of clause 3.1: whether a purpose is declared, on which legal basis, and which categories it covers; and which
 * of the categories that somebody asks for are declared at all.
 */
import type { FactSource } from '../../gate/fact-source.js';
import type { DeclaredFact, PurposeFact } from '../../policy/decide.js';

export const purposeFact: FactSource<PurposeFact | null> = {
  sql: `SELECT json_build_object('key', p.key, 'basis', p.basis, 'covers', coalesce((
          SELECT json_agg(c.category ORDER BY c.category) FROM registry.purpose_category c WHERE c.purpose = p.key), '[]'))
        FROM registry.purpose p WHERE p.key = aim.purpose`,
  parse: (json) => json as PurposeFact | null,
};

export const declaredFact: FactSource<readonly DeclaredFact[]> = {
  sql: `SELECT json_agg(json_build_object('key', c.key, 'searchable', c.searchable, 'channels', c.channels) ORDER BY c.key)
        FROM registry.category c WHERE c.key = ANY (aim.categories)`,
  parse: (json) => (json as DeclaredFact[] | null) ?? [],
};
