import fc from 'fast-check';
import { canonical, isSpeakable, type Json } from '../../src/log/canonical.js';
import { Chain } from '../../src/log/chain.js';
import type { StoredEntry } from '../../src/log/reading.js';

/** A uuid of version 4 that a number stands for. */
export function uuid(n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

function uuid7(n: number): string {
  return `01930000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const text = fc.string({ unit: 'grapheme' }).filter(isSpeakable);

/** Any value that has a canonical form. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false),
    fc.maxSafeInteger(),
    text,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(text, fc.nat({ max: 99 }).map(String)), tie('json'), { maxKeys: 5 }),
  ),
})).json;

export interface Sketch {
  readonly event?: string;
  readonly subject?: number | null;
  readonly records?: readonly number[];
  readonly asOf?: number;
  readonly more?: { readonly [key: string]: Json | undefined };
}

/** A body that is right in every field. Without `subject` it is about person 1, without `asOf` on facts of now. */
export function bodyOf(
  index: number,
  { event = 'record.read', subject = 1, records, asOf = index, more }: Sketch,
): string {
  return canonical({
    v: 1,
    id: uuid7(index),
    asOf,
    at: new Date(Date.UTC(2026, 10, 22, 9) + index).toISOString(),
    event,
    outcome: 'permitted',
    actor: { id: uuid(0xac), kind: 'staff', role: 'support-agent' },
    subject: subject === null ? undefined : uuid(subject),
    records: records?.map((n) => ({ id: uuid(n), category: 'user.name', version: 1 })),
    purpose: 'convenience',
    clause: '5.2',
    policy: '2012-01-16',
    request: uuid(0x4e),
    operation: 'user',
    ...more,
  });
}

/** A log as an honest writer makes it. */
export function logOf(sketches: readonly Sketch[]): StoredEntry[] {
  const chain = new Chain();
  return sketches.map((sketch, index) => {
    const { subject = 1 } = sketch;
    return chain.append(bodyOf(index, sketch), subject === null ? null : uuid(subject));
  });
}
