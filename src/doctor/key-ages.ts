/**
 * How old keys are: how many people's keys each KEK wraps, and until when it may wrap, as the key file says.
 */
import type pg from 'pg';
import type { DoctorFinding } from './finding.js';

/** A KEK as its file describes it; the key itself is nobody's here. */
export interface KekDates {
  readonly id: string;
  /** Days, UTC, such as `2027-11-22`. */
  readonly retires: string;
  /** Whether it is the one that wraps now. */
  readonly current: boolean;
}

export interface KekUse {
  readonly kek: string;
  /** How many people's keys it wraps. */
  readonly wraps: number;
  /** Null where no file says. */
  readonly retires: string | null;
}

const SOON_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

/** Of the KEKs that wrap something, or could. */
export async function readKekUse(client: pg.ClientBase, keks: readonly KekDates[] | null): Promise<KekUse[]> {
  const { rows } = await client.query<{ kek: string; wraps: string }>(
    'SELECT kek, count(*) AS wraps FROM registry.subject_key GROUP BY kek ORDER BY kek COLLATE "C"',
  );
  const wraps = new Map(rows.map((row) => [row.kek, Number(row.wraps)]));
  const ids = [...new Set([...wraps.keys(), ...(keks ?? []).map(({ id }) => id)])];
  return ids.map((kek) => ({
    kek,
    wraps: wraps.get(kek) ?? 0,
    retires: keks?.find(({ id }) => id === kek)?.retires ?? null,
  }));
}

/** @param keks what the key file says */
export function* kekFindings(
  uses: readonly KekUse[],
  keks: readonly KekDates[],
  now: Date,
): Generator<DoctorFinding, void, undefined> {
  for (const { kek, wraps, retires } of uses) {
    if (retires !== null) continue;
    yield {
      code: 'KEK_UNKNOWN',
      what: `${wraps} people's keys are wrapped by ${kek}, which the key file does not have: their values do not open`,
      remedy: 'put it back from a copy of the key file, unless it was destroyed on purpose',
    };
  }
  const current = keks.find((kek) => kek.current);
  if (!current) return;
  const days = Math.ceil((Date.parse(current.retires) - now.getTime()) / DAY_MS);
  const remedy = 'access-ledger keys rotate, with the key file';
  if (days <= 0) {
    const what = `${current.id}, by which new keys are wrapped, retired on ${current.retires}: nobody can be registered`;
    yield { code: 'KEK_RETIRED', what, remedy };
  } else if (days <= SOON_DAYS) {
    yield {
      code: 'KEK_RETIRES_SOON',
      what: `${current.id} wraps until ${current.retires}, for ${days} days more`,
      remedy,
    };
  }
}
