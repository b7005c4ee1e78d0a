/**
 * The clocks of the database and of this machine, compared. An entry's time may be five seconds off the database's clock;
 * a second is time to look after them.
 */
import type pg from 'pg';
import type { DoctorFinding } from './finding.js';

const MOST_MS = 1_000;

/** @param now of this machine */
export async function clockFindings(client: pg.ClientBase, now: () => Date): Promise<DoctorFinding[]> {
  const before = now().getTime();
  const { rows } = await client.query<{ ms: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
  const after = now().getTime();
  // The database answered somewhere between the two.
  const there = Number(rows[0]!.ms);
  const off = there < before ? there - before : there > after ? there - after : 0;
  if (Math.abs(off) <= MOST_MS) return [];
  const seconds = Math.abs(off / 1000).toFixed(1);
  return [
    {
      code: 'CLOCK_OFF',
      what: `the database's clock is ${seconds} s ${off < 0 ? 'behind' : 'ahead of'} this machine's`,
      remedy: "keep both on NTP: an entry's time may be 5 s off, and then nothing is answered",
    },
  ];
}
