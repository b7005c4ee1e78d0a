/**
 * The facts of clause 5.2 besides need to know: the actor's engagements, confidentiality agreements and trainings that have
 * not been ended. Whether one is in force at this moment is for `decide` to say, which has the clock.
 */
import type { FactSource } from '../../gate/fact-source.js';
import type { Term } from '../../policy/term.js';
import { termOf } from './standing.rules.js';

type Row = [from: string, until: string | null];

function standingFact(table: string): FactSource<readonly Term[]> {
  return {
    sql: `SELECT json_agg(json_build_array(s.valid_from, s.valid_until))
          FROM registry.${table} s WHERE s.staff = actor.id AND s.ended_at IS NULL`,
    parse: (json) =>
      ((json as Row[] | null) ?? []).map(([from, until]) =>
        termOf({ from: new Date(from), until: until === null ? null : new Date(until) }),
      ),
  };
}

export const engagementFact = standingFact('engagement');
export const agreementFact = standingFact('confidentiality_agreement');
export const trainingFact = standingFact('training_record');

export const wasEngagedFact: FactSource<boolean> = {
  sql: 'SELECT EXISTS (SELECT FROM registry.engagement s WHERE s.staff = actor.id)',
  parse: (json) => json === true,
};
