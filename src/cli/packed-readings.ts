/**
 * Packed readings are the readings of a batch of entries on their way from one thread to another. What verification
 * needs of an entry is a dozen small values, and to copy them as objects costs as much as hashing the entry; so a
 * reading without findings goes as one text and six numbers, and only the others go as they are.
 */
import type { Deed } from '../log/deed.js';
import type { Link, LogIndex, Place } from '../log/leaf.js';
import { isWhole, type Reading } from '../log/reading.js';

export interface PackedReadings {
  /** One an entry, in order. */
  readonly readings: readonly (string | Reading)[];
  /** Six for each text among the readings. */
  readonly numbers: Float64Array<ArrayBuffer>;
}

const NUMBERS = 6;
const NONE = -1;

export function packReadings(all: readonly Reading[]): PackedReadings {
  const numbers = new Float64Array(NUMBERS * all.length);
  let at = 0;
  const readings = all.map((reading) => {
    const { hash, place, deed, changes, findings } = reading;
    if (!isWhole(reading) || findings.length > 0 || !place || !deed || changes) return reading;
    numbers[at++] = place.index;
    numbers[at++] = place.history?.nth ?? NONE;
    numbers[at++] = place.history?.earlier ?? NONE;
    numbers[at++] = deed.asOf;
    numbers[at++] = deed.permitted ? 1 : 0;
    numbers[at++] = deed.subject === null ? NONE - deed.records.length : deed.records.length;
    return textOf(hash, place, deed);
  });
  return { readings, numbers };
}

export function* unpackReadings({ readings, numbers }: PackedReadings): Generator<Reading, void, undefined> {
  let at = 0;
  for (const packed of readings) {
    if (typeof packed !== 'string') yield packed;
    else {
      yield readingOf(packed, numbers, at);
      at += NUMBERS;
    }
  }
}

/** What has a fixed width comes first, and last the event, which is any text. */
function textOf(hash: Link, { prev }: Place, { event, records, subject }: Deed): string {
  const ids = records.length > 0 ? records.join('') : '';
  return `${hash}${prev}${subject ?? ''}${ids}${event}`;
}

const HASH = 64;
const UUID = 36;

function readingOf(text: string, numbers: Float64Array, first: number): Reading {
  let at = 0;
  const next = (width: number) => {
    at += width;
    return text.slice(at - width, at);
  };
  const hash = next(HASH) as Link;
  const prev = next(HASH) as Link;
  const count = numbers[first + 5]!;
  const subject = count < 0 ? null : next(UUID);
  const records: string[] = [];
  for (let left = count < 0 ? NONE - count : count; left > 0; left--) records.push(next(UUID));
  const index = numbers[first]! as LogIndex;
  const nth = numbers[first + 1]!;
  const earlier = numbers[first + 2]!;
  return {
    index,
    link: hash,
    hash,
    place: {
      index,
      prev,
      history: nth === NONE ? null : { nth, earlier: earlier === NONE ? null : (earlier as LogIndex) },
    },
    deed: {
      asOf: numbers[first + 3]!,
      event: text.slice(at),
      permitted: numbers[first + 4] === 1,
      records,
      subject,
    },
    findings: [],
  };
}
