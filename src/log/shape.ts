/**
 * A shape is a body with its ids, times and counts taken out:
 *
 *     {"actor":{"id":"▢","kind":"staff","role":"support-agent"},"asOf":▢,…,"request":"▢","subject":"▢","v":1}
 *
 * What systems write is of few shapes. A body that is the same as one that was parsed, but for ids, times and counts, which
 * are again such, needs no parsing: everything else that the rules say of it stands in the shape. So the work of verifying a
 * log is to hash it.
 */
import { toUtf8 } from './bytes.js';
import type { Deed } from './deed.js';
import type { DeedWriter } from './deeds.js';
import { areHex, EACH, readUuid } from './hex-words.js';

/** Bytes, also as words. */
export interface Room {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function roomOf(bytes: Uint8Array): Room {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const TIME = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z';
/** What may be another in the next body. In `details`, too: what is a token stays one. But no name, for names have an order. */
const SLOT = new RegExp(`(?<=")${UUID}(?="[,}\\]])|(?<="at":")${TIME}(?=")|(?<="asOf":)[0-9]{1,15}(?=[,}])`, 'g');

/** What may stand in a slot, in words of four characters: digits, and between them what is given. */
interface Pattern {
  readonly length: number;
  /** 0xff for each digit. */
  readonly digits: Int32Array;
  readonly given: Int32Array;
  /** 1 for each digit that may be a letter. */
  readonly letters: number;
  /** Numbers of two digits in it: where they stand, and what each is at least and at most, whatever the others are. */
  readonly numbers: readonly (readonly [at: number, least: number, most: number])[];
  /** Where the variant of a uuid stands; −1 where it does not matter. */
  readonly variantAt: number;
}

/** @param text `x` for each digit */
function pattern(text: string, letters: number, numbers: Pattern['numbers'], variantAt: number): Pattern {
  const given = new DataView(Uint8Array.from(text, (char) => char.charCodeAt(0)).buffer);
  const mask = new DataView(Uint8Array.from(text, (char) => (char === 'x' ? 0xff : 0)).buffer);
  const places = Array.from({ length: text.length / 4 }, (_, i) => 4 * i);
  return {
    length: text.length,
    digits: Int32Array.from(places, (at) => mask.getInt32(at)),
    given: Int32Array.from(places, (at) => given.getInt32(at) & ~mask.getInt32(at)),
    letters,
    numbers,
    variantAt,
  };
}

const ANY_UUID = pattern('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx', EACH, [], -1);
const UUID7 = pattern('xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx', EACH, [], 19);
/** No year that ends in 00, which saves asking for the year 0. */
const MOMENT_NUMBERS = [
  [2, 1, 99],
  [5, 1, 12],
  [8, 1, 28],
  [11, 0, 23],
  [14, 0, 59],
  [17, 0, 59],
] as const;
const MOMENT = pattern('xxxx-xx-xxTxx:xx:xx.xxxZ', 0, MOMENT_NUMBERS, -1);

interface Slot {
  /** Where it stands in a body as a string spells it, each quote behind a backslash, and as it is. */
  readonly from: number;
  readonly to: number;
  readonly length: number;
  /** Null for a count. */
  readonly pattern: Pattern | null;
}

export class Shape {
  /** Of such a body as it is spelt, and as it is. */
  readonly speltLength: number;
  readonly length: number;
  private readonly spelt: DataView;
  /** Where each piece of it between slots begins and ends, in turn. */
  private readonly pieces: Int32Array;
  private readonly body: Uint8Array;
  private readonly slots: readonly Slot[];
  private readonly asOf: Slot;
  private readonly subject: Slot | null;
  private readonly records: readonly Slot[];

  /**
   * @param body one that was parsed, of printable ASCII without a backslash
   * @param deed what it says
   */
  constructor(
    body: string,
    private readonly deed: Deed,
  ) {
    this.body = bytesOf(body);
    this.length = body.length;
    const spelt = bytesOf(body.replaceAll('"', '\\"'));
    this.spelt = roomOf(spelt).view;
    this.speltLength = spelt.length;
    this.slots = slotsOf(body);
    this.pieces = Int32Array.from([
      0,
      ...this.slots.flatMap(({ from, length }) => [from, from + length]),
      spelt.length,
    ]);
    this.asOf = this.slotAfter(body.indexOf('"asOf":'));
    // After the subject comes only the version; and no member after the records holds what they begin with.
    this.subject = deed.subject === null ? null : this.slots.at(-1)!;
    const records = this.slots.indexOf(this.slotAfter(body.lastIndexOf('"records":[')));
    this.records = this.slots.slice(records, records + deed.records.length);
  }

  private slotAfter(at: number): Slot {
    return this.slots.find(({ to }) => to > at) ?? this.slots.at(-1)!;
  }

  /**
   * Whether what stands there, as long as it is spelt, is of this shape.
   *
   * @param room gets the body as it is, if it is
   */
  takes({ view }: Room, at: number, room: Room, to: number): boolean {
    const pieces = this.pieces;
    const spelt = this.spelt;
    const slots = this.slots;
    for (let i = 0; i < pieces.length; i += 2) if (!stands(spelt, view, at, pieces[i]!, pieces[i + 1]!)) return false;
    room.bytes.set(this.body, to);
    for (let i = 0; i < slots.length; i++) if (!fills(slots[i]!, view, at, room.view, to)) return false;
    return true;
  }

  /** Adds the deed of a body that was taken. @param at where it stands, as it is */
  addDeed(nth: number, earlier: number, { view }: Room, at: number, deeds: DeedWriter): void {
    const asOf = numberAt(view, at + this.asOf.to, this.asOf.length);
    deeds.begin(nth, earlier, asOf, this.deed.event, this.deed.permitted);
    for (const record of this.records) {
      const to = deeds.nextRecord();
      readUuid(view, at + record.to, deeds.records, to);
    }
    if (this.subject) readUuid(view, at + this.subject.to, deeds.subjects, deeds.nextSubject());
    deeds.end();
  }
}

/** The shapes that were seen. */
export class Shapes {
  /** By the length of such a body as it is spelt. */
  private readonly byLength = new Map<number, Shape[]>();
  private count = 0;

  /** @param room gets the body as it is, where its shape is known */
  find(bytes: Room, at: number, length: number, room: Room, to: number): Shape | null {
    const known = this.byLength.get(length);
    if (!known) return null;
    for (let i = 0; i < known.length; i++) {
      const shape = known[i]!;
      if (!shape.takes(bytes, at, room, to)) continue;
      if (i > 0) [known[i - 1], known[i]] = [shape, known[i - 1]!];
      return shape;
    }
    return null;
  }

  /** @param body one that was parsed @param deed what it says */
  learn(body: string, deed: Deed): void {
    if (this.count === MOST_SHAPES || deed.asOf >= MOST_AS_OF || !PLAIN.test(body)) return;
    const shape = new Shape(body, deed);
    const known = this.byLength.get(shape.speltLength);
    if (!known) this.byLength.set(shape.speltLength, [shape]);
    else if (known.length < MOST_ALIKE) known.push(shape);
    else return;
    this.count++;
  }
}

/** More are none that a system writes, and are parsed. */
const MOST_SHAPES = 4_096;
/** Of one length, each of which is tried. */
const MOST_ALIKE = 16;

/** Counts of more digits are in no slot. */
const MOST_AS_OF = 1e15;

/** Printable ASCII without a backslash: spelt alike in a string, but for the quotes. */
const PLAIN = /^[ -[\]-~]*$/;

function slotsOf(body: string): Slot[] {
  let quotes = 0;
  let counted = 0;
  return Array.from(body.matchAll(SLOT), ({ index, 0: text }) => {
    for (; counted < index; counted++) if (body[counted] === '"') quotes++;
    return { from: index + quotes, to: index, length: text.length, pattern: patternOf(text) };
  });
}

function patternOf(text: string): Pattern | null {
  if (text.length === MOMENT.length) return MOMENT;
  if (text.length !== ANY_UUID.length) return null;
  return text[14] === '7' && '89ab'.includes(text[UUID7.variantAt]!) ? UUID7 : ANY_UUID;
}

/** Its own bytes: a shape is kept, and would keep all that it shares a slab with. */
function bytesOf(text: string): Uint8Array {
  return toUtf8(text).slice();
}

/** Four bytes at once: most of a body goes by here. */
function stands(spelt: DataView, view: DataView, at: number, from: number, to: number): boolean {
  let i = from;
  for (; i + 4 <= to; i += 4) if (spelt.getInt32(i) !== view.getInt32(at + i)) return false;
  for (; i < to; i++) if (spelt.getUint8(i) !== view.getUint8(at + i)) return false;
  return true;
}

function fills({ from, to, length, pattern }: Slot, view: DataView, at: number, room: DataView, body: number): boolean {
  if (pattern === null) return fillsCount(length, view, at + from, room, body + to);
  const { digits, given, letters, numbers, variantAt } = pattern;
  for (let i = 0; i < digits.length; i++) {
    const four = view.getInt32(at + from + 4 * i);
    const mask = digits[i]!;
    if ((four & ~mask) !== given[i] || !areHex((four & mask) | (0x30303030 & ~mask), letters)) return false;
    room.setInt32(body + to + 4 * i, four);
  }
  for (let i = 0; i < numbers.length; i++) {
    const [place, least, most] = numbers[i]!;
    const number = numberAt(view, at + from + place, 2);
    if (number < least || number > most) return false;
  }
  return variantAt < 0 || isVariant(view.getUint8(at + from + variantAt));
}

/** 8, 9, a or b. */
function isVariant(code: number): boolean {
  return code === 0x38 || code === 0x39 || code === 0x61 || code === 0x62;
}

const ZERO = 0x30;
const NINE = 0x39;

function fillsCount(length: number, view: DataView, from: number, room: DataView, to: number): boolean {
  for (let i = 0; i < length; i++) {
    const code = view.getUint8(from + i);
    if (code < ZERO || code > NINE) return false;
    room.setUint8(to + i, code);
  }
  return length === 1 || view.getUint8(from) !== ZERO;
}

/** Of digits. */
function numberAt(view: DataView, at: number, digits: number): number {
  let number = 0;
  for (let i = at; i < at + digits; i++) number = 10 * number + (view.getUint8(i) - ZERO);
  return number;
}
