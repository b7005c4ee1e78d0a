/**
 * A fact source says how one fact of a decision is read: as one SQL subquery. The gate joins all of them into a single
 * statement, together with the log's size, so that every fact of a batch of decisions is of one moment, and that moment
 * stands in the entry (`asOf`).
 *
 * A domain folder states its fact in `<thing>.facts.ts`; `server/` registers it. The statement offers:
 *
 *     $1 the log   actor(id) who asks
 *     aim(purpose, categories)          a row for each distinct purpose and set of categories; null: all the purpose covers
 *     ask(subject, purposes, categories, bytes)   a row for each person, with all purposes and categories asked of them;
 *                                       `bytes` is how much of sealed values may be brought, and null where none are wanted
 *
 * A fact about what is asked for, or by whom, is read once for each aim; a fact about a person once for each person.
 */
import type { Facts } from '../policy/decide.js';
import type { Holdings } from './holdings.js';

/** `sql` yields one JSON value for a row of `aim`, or of `ask`. `parse` takes it in and trusts it: it is our own. */
export interface FactSource<F> {
  readonly sql: string;
  parse(json: unknown): F;
}

/** The facts that are about the person. */
export type PersonFacts = Pick<Facts, 'consents'>;

type Sources<All> = { readonly [F in keyof All]: FactSource<All[F]> };

/** A fact that `decide` knows and no source reads does not compile. */
export interface FactSources {
  readonly aim: Sources<Omit<Facts, keyof PersonFacts>>;
  readonly person: Sources<PersonFacts>;
  readonly holdings: FactSource<Holdings>;
}
