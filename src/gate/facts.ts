/**
 * Reading facts: one statement for whatever is asked at a time, by one operation or by many, and one JSON cell back. A
 * statement costs as much as ten people more in it. See fact-source.ts for how it is made.
 */
import type pg from 'pg';
import { grouping } from '../database/grouping.js';
import { faultOf, LedgerFault } from '../ledger/fault.js';
import type { Pseudonym, RecordId } from '../log/entry.js';
import type { Facts } from '../policy/decide.js';
import type { FactSources } from './fact-source.js';
import { type Holdings, TooMuchAtOnce } from './holdings.js';

export interface Question {
  /** Null for a person that is not known yet. */
  readonly subject: Pseudonym | null;
  /** One record, instead of a person and categories: it has one of each. */
  readonly record?: RecordId;
  readonly purpose: string;
  readonly categories: readonly string[] | null;
  /** Whether the sealed values are wanted too. */
  readonly values: boolean;
}

export interface Answer {
  readonly facts: Facts;
  readonly holdings: Holdings;
}

export interface Snapshot {
  /** The log's size in the snapshot that all answers were read in. */
  readonly asOf: number;
  /** In the order of the questions. */
  readonly answers: readonly Answer[];
}

export type ReadFacts = (actor: Pseudonym, questions: readonly Question[]) => Promise<Snapshot>;

interface Cell {
  asOf: number;
  aims: Record<string, unknown>[] | null;
  asks: Record<string, unknown>[] | null;
}

/** What one operation wants to know. */
interface Inquiry {
  readonly actor: Pseudonym;
  readonly questions: readonly Question[];
}

/** As many questions as share one statement. */
const FULL_GROUP = 100;

export function factReader(pool: pg.Pool, log: number, sources: FactSources): ReadFacts {
  const { holdings } = sources;
  const text = `
    WITH aim AS MATERIALIZED (
      SELECT a.position, a.actor, a.purpose, a.subject, a.categories,
        coalesce(a.categories, ARRAY(SELECT c.category FROM registry.purpose_category c WHERE c.purpose = a.purpose)) AS reach
      FROM (
        SELECT a.position, a.actor, a.purpose, CASE WHEN a.record IS NULL THEN a.categories
          ELSE ARRAY(SELECT r.category FROM registry.record r WHERE r.log = $1 AND r.id = a.record) END AS categories,
          (SELECT r.subject FROM registry.record r WHERE r.log = $1 AND r.id = a.record) AS subject
        FROM json_to_recordset($2::json) AS a(position int, actor uuid, purpose text, categories text[], record uuid)
      ) a
    ), ask AS MATERIALIZED (
      SELECT p.position, coalesce(p.subject, (SELECT aim.subject FROM aim WHERE aim.position = p.aims[1])) AS subject,
        CASE cardinality(p.aims) WHEN 1 THEN (SELECT aim.reach FROM aim WHERE aim.position = p.aims[1])
          ELSE ARRAY(SELECT unnest(aim.reach) FROM aim WHERE aim.position = ANY (p.aims)) END AS categories,
        p.purposes, p.bytes
      FROM json_to_recordset($3::json) AS p(position int, subject uuid, aims int[], purposes text[], bytes int)
    )
    SELECT json_build_object(
      'asOf', coalesce((SELECT e.index + 1 FROM ledger.entry e WHERE e.log = $1 ORDER BY e.index DESC LIMIT 1), 0),
      'aims', (SELECT json_agg(${cellOf(sources.aim)} ORDER BY aim.position)
        FROM aim CROSS JOIN LATERAL (SELECT aim.actor AS id) AS actor),
      'asks', (SELECT json_agg(${cellOf({ ...sources.person, holdings })} ORDER BY ask.position) FROM ask)
    ) AS cell`;

  async function readAll(inquiries: readonly Inquiry[]): Promise<(Snapshot | TooMuchAtOnce)[]> {
    const { aims, people, places } = arrange(inquiries);
    const values = [log, JSON.stringify(aims), JSON.stringify(people)];
    const { rows } = await pool.query<{ cell: Cell }>({ name: 'facts', text, values });
    const { asOf, aims: known, asks } = rows[0]!.cell;
    const aimFacts = (known ?? []).map((cell) => parseCell(sources.aim, cell));
    const personFacts = (asks ?? []).map((cell) => parseCell(sources.person, cell));
    return Promise.all(
      places.map(async (answered, nth) => {
        try {
          const held = new Map(answered.map(({ person }) => [person, holdings.parse(asks![person]!.holdings)]));
          return {
            asOf,
            answers: answered.map(({ aim, person }) => ({
              facts: { ...aimFacts[aim], ...personFacts[person] } as Facts,
              holdings: held.get(person)!,
            })),
          };
        } catch (error) {
          if (!(error instanceof TooMuchAtOnce)) throw error;
          // What is too much beside others may not be too much alone.
          return inquiries.length === 1 ? error : (await readAll([inquiries[nth]!]))[0]!;
        }
      }),
    );
  }

  const inquire = grouping({
    send: readAll,
    weight: ({ questions }: Inquiry) => Math.max(1, questions.length),
    fullGroup: FULL_GROUP,
    lanes: 4,
    unanswered: () => new LedgerFault('UNAVAILABLE'),
  });
  return async (actor, questions) => {
    const snapshot = await inquire({ actor, questions }).catch((error: unknown) => {
      throw faultOf(error);
    });
    if (snapshot instanceof TooMuchAtOnce) throw snapshot;
    return snapshot;
  };
}

/** One JSON object of all that the sources read. */
function cellOf(sources: object): string {
  const members = Object.entries(sources).map(([name, { sql }]) => `'${name}', (${sql})`);
  return `json_build_object(${members.join(', ')})`;
}

function parseCell(sources: object, cell: Record<string, unknown>): Partial<Facts> {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, source.parse(cell[name])]));
}

/** What one statement may bring of sealed values, in bytes, shared evenly by the people it is about. */
const MOST_SEALED_BYTES = 8 * 1024 * 1024;

interface Person {
  readonly position: number;
  readonly subject: Pseudonym | null;
  readonly aims: number[];
  readonly purposes: string[];
  /** Null where no values are wanted. */
  bytes: number | null;
}

/** Each purpose with its categories once for an actor, and each person once for an operation, however often they are asked for. */
function arrange(inquiries: readonly Inquiry[]) {
  const aims = new Map<string, object & { position: number }>();
  const people = new Map<string, Person>();
  const places = inquiries.map(({ actor, questions }, nth) =>
    questions.map(({ subject, record, values, ...asked }) => {
      const purpose = keyOrNone(asked.purpose);
      const categories = asked.categories?.map(keyOrNone) ?? null;
      const aimKey = JSON.stringify([actor, purpose, categories, record]);
      const aim = aims.get(aimKey) ?? { position: aims.size, actor, purpose, categories, record };
      aims.set(aimKey, aim);
      const personKey = `${nth} ${subject ?? aimKey}`;
      const person = people.get(personKey) ?? { position: people.size, subject, aims: [], purposes: [], bytes: null };
      people.set(personKey, person);
      if (!person.aims.includes(aim.position)) person.aims.push(aim.position);
      if (!person.purposes.includes(purpose)) person.purposes.push(purpose);
      if (values) person.bytes = 0;
      return { aim: aim.position, person: person.position };
    }),
  );
  const share = Math.floor(MOST_SEALED_BYTES / Math.max(1, people.size));
  for (const person of people.values()) if (person.bytes !== null) person.bytes = share;
  return { aims: [...aims.values()], people: [...people.values()], places };
}

/** What can be a declared key at all. Other text never reaches the database: it could not even be compared with one. */
const KEY = /^[a-z][a-z_.-]{0,99}$/;

export function keyOrNone(text: string): string {
  return KEY.test(text) ? text : '';
}
