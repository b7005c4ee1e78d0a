/**
 * The verbs of what staff must have besides need to know (clause 5.2): record it for somebody else, end it, list it. Recording
 * and ending end what was decided before them, so that whose engagement is ended reads nothing more, whichever server answers.
 */
import { randomUUID } from 'node:crypto';
import { type EntityManager, In } from 'typeorm';
import { type Connection, type PageArgs, page } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import type { Pseudonym } from '../../log/entry.js';
import { Refusal, refused } from '../../policy/refusal.js';
import { AgreementRow, type EngagementKind, EngagementRow, type StandingRow, TrainingRow } from './standing.entity.js';
import {
  LONGEST_TRAINING_DAYS,
  NEXT,
  type StandingFault,
  type StandingKind,
  standingFault,
  stateOf,
} from './standing.rules.js';

interface Rows {
  readonly engagement: EngagementRow;
  readonly agreement: AgreementRow;
  readonly training: TrainingRow;
}

/** Of each: its rows, its events, and the root fields that cause them. */
const KINDS = {
  engagement: {
    Row: EngagementRow,
    begins: { event: 'engagement.begun', operation: 'beginEngagement', data: null },
    ends: { event: 'engagement.ended', operation: 'endEngagement', data: null },
  },
  agreement: {
    Row: AgreementRow,
    begins: { event: 'agreement.signed', operation: 'recordConfidentialityAgreement', data: null },
    ends: { event: 'agreement.withdrawn', operation: 'withdrawConfidentialityAgreement', data: null },
  },
  training: {
    Row: TrainingRow,
    begins: { event: 'training.completed', operation: 'recordTraining', data: null },
    ends: { event: 'training.withdrawn', operation: 'withdrawTraining', data: null },
  },
} as const;

export interface StandingAsk {
  readonly staff: Pseudonym;
  /** Null for now. */
  readonly from: Date | null;
  /** Null for one without term. */
  readonly until: Date | null;
  /** Of an engagement. */
  readonly kind?: EngagementKind;
}

const SAID: Record<StandingFault, string> = {
  NOT_YET: '"from" is not in the future.',
  ENDS_BEFORE_IT_BEGINS: '"until" is after "from".',
  OVER: '"until" is in the future.',
  OPEN_ENDED: '"until" is given.',
  TOO_LONG: `"until" is at most ${LONGEST_TRAINING_DAYS} days after "from".`,
};

/** @throws Refusal; Fault BAD_INPUT, and NO_SUCH_ID where nobody of the staff has the id */
export async function recordStanding<K extends StandingKind>(
  { gate, actor, now }: Context,
  standing: K,
  { staff, until, kind, ...wanted }: StandingAsk,
): Promise<Rows[K]> {
  const at = now();
  const from = wanted.from ?? at;
  const fault = standingFault(standing, { from, until }, at);
  if (fault) throw new Fault('BAD_INPUT', { detail: SAID[fault] });
  const { Row, begins } = KINDS[standing];
  const recorded = await gate.change<Rows[K] | null>(begins, async ({ rows }, permit) => {
    if (staff === actor.id) throw new Refusal(refused('OWN_STANDING', 'another approver'), null);
    const [known] = await rows.query(`SELECT FROM registry.identity i WHERE i.actor = $1 AND i.kind = 'staff'`, [
      staff,
    ]);
    if (!known) return { lookedUp: permit.body('staff.listed', { details: { count: 0 } }), value: null };

    const id = randomUUID();
    const term = { from: from.toISOString(), ...(until && { until: until.toISOString() }) };
    const body = permit.body(begins.event, { details: { [standing]: id, staff, ...term, ...(kind && { kind }) } });
    const unended = { endedAt: null, ending: null };
    const row = { id, staff, recordedBy: actor.id, from, until, entry: body.id, ...unended, ...(kind && { kind }) };
    await rows.insert<StandingRow>(Row, row);
    return { bodies: [body], value: row as Rows[K] };
  });
  if (!recorded) throw new Fault('NO_SUCH_ID', { detail: '"staff" names nobody.' });
  return recorded;
}

/**
 * Ends one. One that was ended before, or has run out, stays as it is: it is shown, and that is what is entered.
 *
 * @throws Refusal; Fault NO_SUCH_ID
 */
export async function endStanding<K extends StandingKind>(
  { gate, now }: Context,
  standing: K,
  id: string,
): Promise<Rows[K]> {
  const { Row, ends } = KINDS[standing];
  const ended = await gate.change<Rows[K] | null>(ends, async ({ rows }, permit) => {
    // Locked, so that of two endings at once the second sees the first.
    const row = await rows.findOne<StandingRow>(Row, { where: { id }, lock: { mode: 'for_no_key_update' } });
    if (!row) return { lookedUp: permit.body('staff.listed', { details: { count: 0 } }), value: null };
    const { staff } = row;
    if (!NEXT[stateOf(row, now())].includes('ENDED')) {
      return { lookedUp: permit.body('staff.listed', { details: { count: 1, staff } }), value: row as Rows[K] };
    }
    const body = permit.body(ends.event, { details: { [standing]: id, staff } });
    const changes = { endedAt: new Date(body.at), ending: body.id };
    await rows.update<StandingRow>(Row, { id }, changes);
    return { bodies: [body], value: { ...(row as Rows[K]), ...changes } };
  });
  if (!ended) throw new Fault('NO_SUCH_ID', { detail: `"id" names no ${standing}.` });
  return ended;
}

export interface Member {
  readonly id: string;
  readonly engagements: readonly EngagementRow[];
  readonly confidentialityAgreements: readonly AgreementRow[];
  readonly trainingRecords: readonly TrainingRow[];
}

/** A page of the staff, by pseudonym, with all that each has had. One entry a page, with its count. */
export async function listStaff({ gate, rows }: Context, args: PageArgs): Promise<Connection<Member>> {
  const listed = await page<Member>(
    args,
    ({ id }) => id,
    async (after, limit) => {
      const found: { actor: string }[] = await rows.query(
        `SELECT i.actor FROM registry.identity i WHERE i.kind = 'staff' AND ($1::uuid IS NULL OR i.actor > $1)
         ORDER BY i.actor LIMIT $2`,
        [after, limit],
      );
      return membersOf(
        rows,
        found.map(({ actor }) => actor),
      );
    },
  );
  await gate.note(
    { event: 'staff.listed', operation: 'staff', data: null },
    { details: { count: listed.edges.length } },
  );
  return listed;
}

/** One's own, which is no disclosure to oneself; null for whoever is not of the staff. */
export async function ownStanding({ actor, rows }: Context): Promise<Member | null> {
  return actor.kind === 'staff' ? standingOf({ rows }, actor.id) : null;
}

/** All that one member of the staff has had. */
export async function standingOf({ rows }: Pick<Context, 'rows'>, staff: Pseudonym): Promise<Member> {
  const [member] = await membersOf(rows, [staff]);
  return member!;
}

async function membersOf(rows: EntityManager, ids: readonly string[]): Promise<Member[]> {
  const of = async <Row extends StandingRow>(Row: new () => Row): Promise<(id: string) => Row[]> => {
    const where = { staff: In([...ids]) };
    const found = (await rows.find<StandingRow>(Row, { where, order: { from: 'ASC', id: 'ASC' } })) as Row[];
    return (id) => found.filter(({ staff }) => staff === id);
  };
  const [engagements, agreements, trainings] = await Promise.all([
    of(EngagementRow),
    of(AgreementRow),
    of(TrainingRow),
  ]);
  return ids.map((id) => ({
    id,
    engagements: engagements(id),
    confidentialityAgreements: agreements(id),
    trainingRecords: trainings(id),
  }));
}
