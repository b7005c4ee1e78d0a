import { fromUtf8, hexBytes, toUtf8 } from '../../../src/log/bytes.js';
import type { Json } from '../../../src/log/canonical.js';
import { formatCheckpoint, signCheckpoint } from '../../../src/log/checkpoint.js';
import type { Entry } from '../../../src/log/entry.js';
import type { CheckpointEvidence, Evidence } from '../../../src/log/evidence.js';
import type { FindingCode } from '../../../src/log/finding.js';
import { formatLeaf, GENESIS, type Link, type LogIndex, linkOf } from '../../../src/log/leaf.js';
import { formatNote, parseNote, signNote } from '../../../src/log/note.js';
import type { SigningKey } from '../../../src/log/note-key.js';
import type { StoredEntry } from '../../../src/log/reading.js';
import { Frontier, type Hash } from '../../../src/log/tree.js';
import { uuid } from '../arbitraries.js';
import { impostorKey, logKey, ORIGIN, witnessKeys } from '../keys.js';
import { edited, forge, placed, rewritten, SKETCHES } from './forge.js';

/** A log, the evidence against which it is held, and what a verifier must say. */
export interface Case {
  readonly entries: readonly StoredEntry[];
  readonly evidence: Evidence;
  readonly verdict: 'intact' | 'tampered' | 'NO_ENTRIES' | 'NO_EVIDENCE' | 'EVIDENCE_TOO_WEAK' | 'unusable';
  /** The size that somebody vouches for; 0 for none. */
  readonly vouched: number;
  readonly findings: readonly (readonly [code: FindingCode, first: number | null, last: number | null])[];
}

const log = forge(SKETCHES, {});
const SIGNED_AT = 1_790_000_000;

function rootOf(entries: readonly StoredEntry[], size = entries.length): Hash {
  const frontier = new Frontier();
  for (const { link } of entries.slice(0, size)) frontier.append(hexBytes(link) as Hash);
  return frontier.root();
}

function checkpoint(size = 12, entries = log, key: SigningKey = logKey): string {
  return signCheckpoint({ origin: ORIGIN, size, root: rootOf(entries, size) }, key);
}

function checkpoints(notes: readonly string[], more: Partial<CheckpointEvidence> = {}): Evidence {
  return { checkpoints: { key: logKey, notes, ...more } };
}

function held(...indices: number[]): { held: Entry[] } {
  return { held: indices.map((i) => ({ index: i as LogIndex, link: linkOf(log[i]!.leaf) })) };
}

/** The checkpoint of the whole log, cosigned by so many of three witnesses. */
function cosigned(by: number, quorum: number, age?: number): Evidence {
  const text = formatCheckpoint({ origin: ORIGIN, size: 12, root: rootOf(log) });
  const note = signNote(text, [logKey, ...witnessKeys.slice(0, by)], SIGNED_AT);
  const freshness =
    age === undefined ? {} : { freshness: { maxSeconds: 3600, now: new Date(1000 * (SIGNED_AT + age)) } };
  return checkpoints([note], { witnesses: { keys: witnessKeys, quorum }, ...freshness });
}

/** The checkpoint of the whole log, cosigned by one witness lately and by another long before. */
function cosignedTwice(): Evidence {
  const text = formatCheckpoint({ origin: ORIGIN, size: 12, root: rootOf(log) });
  const early = parseNote(signNote(text, [logKey, witnessKeys[0]!], SIGNED_AT));
  const late = parseNote(signNote(text, [witnessKeys[1]!], SIGNED_AT + 3601));
  const note = formatNote({ text, signatures: [...early.signatures, ...late.signatures] });
  return checkpoints([note], {
    witnesses: { keys: witnessKeys, quorum: 2 },
    freshness: { maxSeconds: 3600, now: new Date(1000 * (SIGNED_AT + 3601)) },
  });
}

const whole = checkpoints([checkpoint()]);

function intact(evidence: Evidence, vouched: number, entries = log): Case {
  return { entries, evidence, verdict: 'intact', vouched, findings: [] };
}

function inconclusive(verdict: Case['verdict'], evidence: Evidence = {}, entries = log): Case {
  return { entries, evidence, verdict, vouched: 0, findings: [] };
}

function tampered(
  entries: readonly StoredEntry[],
  evidence: Evidence,
  vouched: number,
  findings: Case['findings'],
): Case {
  return { entries, evidence, verdict: 'tampered', vouched, findings };
}

function unusable(evidence: Evidence): Case {
  return { entries: log, evidence, verdict: 'unusable', vouched: 0, findings: [] };
}

/** A link that somebody claims to have been shown. */
function heldAs(index: number, link: string): { held: Entry[] } {
  return { held: [{ index: index as LogIndex, link: link as Link }] };
}

/** Everything written anew from entry 6 on, which reads something else. */
const rewrittenFrom6 = forge(SKETCHES, { 6: (_, body) => body.replace('convenience', 'marketing') });

/** Entry 6 replaced by another that follows entry 5; entry 7 follows what was there. */
const replaced6 = log.with(6, rewrittenFrom6[6]!);

/** Entries whose leaf was replaced, and their link with it; each follows what was there. */
function forgedAlone(...indices: number[]): StoredEntry[] {
  return indices.reduce((entries, index) => {
    const leaf = edited(log, index, 'convenience', 'marketing')[index]!.leaf;
    return entries.with(index, { index, leaf, link: linkOf(leaf) });
  }, log);
}

/** A row that says that it stands at another index. */
function rowAt(index: number): StoredEntry {
  const leaf = toUtf8(fromUtf8(log[6]!.leaf)!.replace(/^6/, String(index)));
  return { index, leaf, link: linkOf(leaf) };
}

/** A log whose own writer was wrong: it is what its key signed. */
function misled(entries: StoredEntry[], findings: Case['findings']): Case {
  return tampered(entries, checkpoints([checkpoint(12, entries)]), 12, findings);
}

function sketched(index: number, change: object) {
  return SKETCHES.map((sketch, i) => (i === index ? { ...sketch, ...change } : sketch));
}

export const VALID: { readonly [name: string]: Case } = {
  'under-a-checkpoint': intact(whole, 12),
  'under-an-older-checkpoint': intact(checkpoints([checkpoint(7), checkpoint(0), checkpoint(3)]), 7),
  'under-a-held-link': intact(held(6, 2), 7),
  'under-a-held-link-past-the-checkpoint': intact({ ...checkpoints([checkpoint(7)]), ...held(9) }, 10),
  'under-a-quorum-of-witnesses': intact(cosigned(2, 2), 12),
  'under-a-fresh-checkpoint': intact(cosigned(2, 2, 3600), 12),
  'under-a-checkpoint-cosigned-by-a-clock-ahead': intact(cosigned(2, 2, -300), 12),
  'of-one-entry': intact(checkpoints([checkpoint(1)]), 1, log.slice(0, 1)),
  'with-unknown-events-and-deep-details': (() => {
    const deep = JSON.parse(`${'['.repeat(62)}1${']'.repeat(62)}`) as Json;
    const entries = forge(
      sketched(6, { event: 'moon.landed', more: { details: { deep, 'n.1': [1, { e: null }] } } }),
      {},
    );
    return intact(checkpoints([checkpoint(12, entries)]), 12, entries);
  })(),
  'with-empty-lists': (() => {
    const entries = forge(sketched(9, { records: [], more: { asked: [], details: {} } }), {});
    return intact(checkpoints([checkpoint(12, entries)]), 12, entries);
  })(),
  'with-a-refusal-on-stale-facts': (() => {
    const entries = forge(sketched(6, { asOf: 0, more: { outcome: 'refused', refusal: { code: 'NO_GRANT' } } }), {});
    return intact(checkpoints([checkpoint(12, entries)]), 12, entries);
  })(),
  'of-no-entries-is-inconclusive': inconclusive('NO_ENTRIES', {}, []),
  'of-no-entries-under-a-checkpoint-of-none-is-inconclusive': inconclusive(
    'NO_ENTRIES',
    checkpoints([checkpoint(0)]),
    [],
  ),
  'without-evidence-is-inconclusive': inconclusive('NO_EVIDENCE'),
  'rewritten-without-evidence-is-inconclusive': inconclusive('NO_EVIDENCE', {}, rewrittenFrom6),
};

export const INVALID: { readonly [name: string]: Case } = {
  'leaf-edited': tampered(edited(log, 6, 'convenience', 'marketing'), whole, 12, [['CONTENT_EDITED', 6, 6]]),
  'subject-edited': tampered(edited(log, 6, `"subject":"${uuid(1)}"`, `"subject":"${uuid(2)}"`), whole, 12, [
    ['CONTENT_EDITED', 6, 6],
  ]),
  'prev-edited': tampered(edited(log, 6, log[5]!.link, GENESIS), whole, 12, [['CONTENT_EDITED', 6, 6]]),
  'leaf-edited-to-no-leaf': tampered(edited(log, 6, '6 ', '06 '), whole, 12, [
    ['LEAF_MALFORMED', 6, 6],
    ['CONTENT_EDITED', 6, 6],
  ]),
  'body-edited-to-no-json': tampered(edited(log, 6, '{', '['), whole, 12, [
    ['BODY_NOT_CANONICAL', 6, 6],
    ['CONTENT_EDITED', 6, 6],
  ]),
  'link-edited': tampered(
    log.map((e) => (e.index === 6 ? { ...e, link: log[5]!.link } : e)),
    whole,
    12,
    [['CONTENT_EDITED', 6, 6]],
  ),
  'link-edited-to-no-link': tampered(
    log.map((e) => (e.index === 6 ? { ...e, link: 'ab' } : e)),
    whole,
    12,
    [['CONTENT_EDITED', 6, 6]],
  ),
  'last-leaf-edited': tampered(edited(log, 11, 'convenience', 'marketing'), whole, 12, [['CONTENT_EDITED', 11, 11]]),
  'last-link-edited': tampered(
    log.map((e) => (e.index === 11 ? { ...e, link: log[5]!.link } : e)),
    { ...whole, ...held(3) },
    12,
    [['CONTENT_EDITED', 11, 11]],
  ),
  'run-of-leaves-edited': tampered(
    [6, 7, 8].reduce((entries, i) => edited(entries, i, 'convenience', 'marketing'), log),
    whole,
    12,
    [['CONTENT_EDITED', 6, 8]],
  ),
  'leaf-and-link-edited': tampered(replaced6, {}, 0, [['CHAIN_BROKEN', 6, 7]]),
  'leaf-and-link-edited-under-a-checkpoint': tampered(replaced6, whole, 12, [['CHAIN_BROKEN', 6, 6]]),
  'leaf-and-link-edited-under-a-held-link': tampered(replaced6, held(6), 7, [['CHAIN_BROKEN', 6, 6]]),
  'leaf-and-link-edited-under-a-later-held-link': tampered(replaced6, held(9), 10, [['CHAIN_BROKEN', 6, 6]]),
  'leaf-and-link-edited-under-an-earlier-held-link': tampered(replaced6, held(5), 6, [['CHAIN_BROKEN', 6, 7]]),
  'leaf-and-link-edited-and-another-leaf': tampered(edited(replaced6, 8, 'convenience', 'marketing'), held(9), 10, [
    ['CHAIN_BROKEN', 6, 7],
    ['CONTENT_EDITED', 8, 8],
  ]),
  'leaves-and-links-edited': tampered(forgedAlone(6, 7), checkpoints([checkpoint()]), 12, [['CHAIN_BROKEN', 6, 7]]),
  'another-history-after-entry-6': tampered([...log.slice(0, 7), ...rewrittenFrom6.slice(7)], held(6), 7, [
    ['CHAIN_BROKEN', 7, 7],
  ]),
  'last-leaf-and-link-edited': tampered(
    forge(SKETCHES, { 11: (_, body) => body.replace('convenience', 'marketing') }),
    { ...whole, ...held(10) },
    11,
    [['ROOT_MISMATCH', 11, 11]],
  ),
  'chained-anew-under-a-checkpoint': tampered(rewrittenFrom6, whole, 0, [['ROOT_MISMATCH', 0, 11]]),
  'chained-anew-between-checkpoints': tampered(rewrittenFrom6, checkpoints([checkpoint(3), checkpoint(9)]), 3, [
    ['ROOT_MISMATCH', 3, 8],
  ]),
  'chained-anew-under-a-held-link': tampered(rewrittenFrom6, held(4, 8), 5, [['ROOT_MISMATCH', 5, 8]]),
  'genesis-replaced': misled(forge(SKETCHES, { 0: placed({ prev: log[3]!.link as typeof GENESIS }) }), [
    ['CHAIN_BROKEN', 0, 0],
  ]),
  'entry-removed': tampered(log.toSpliced(6, 1), whole, 12, [['ENTRY_MISSING', 6, 6]]),
  'entries-removed': tampered(log.toSpliced(5, 3), { ...whole, ...held(7) }, 8, [['ENTRY_MISSING', 5, 7]]),
  'head-removed': tampered(log.slice(4), whole, 0, [['ENTRY_MISSING', 0, 3]]),
  'entry-removed-and-rows-renumbered': tampered(
    log.toSpliced(6, 1).map((e, index) => ({ ...e, index })),
    whole,
    12,
    [
      ['ENTRY_MISSING', 6, 6],
      ['PROJECTION_EDITED', 7, 11],
    ],
  ),
  'tail-cut-under-a-checkpoint': tampered(log.slice(0, 10), whole, 0, [['TAIL_CUT', 10, 11]]),
  'tail-cut-under-a-held-link': tampered(log.slice(0, 10), held(3, 11), 4, [['TAIL_CUT', 10, 11]]),
  'all-removed': tampered([], whole, 0, [['TAIL_CUT', 0, 11]]),
  'all-removed-under-a-held-link': tampered([], held(11), 0, [['TAIL_CUT', 0, 11]]),
  'leaves-swapped': tampered(
    log.map((e, i) => (i === 4 ? { ...log[9]!, index: 4 } : i === 9 ? { ...log[4]!, index: 9 } : e)),
    whole,
    12,
    [
      ['CHAIN_BROKEN', 4, 4],
      ['PROJECTION_EDITED', 4, 4],
      ['CHAIN_BROKEN', 9, 9],
      ['PROJECTION_EDITED', 9, 9],
    ],
  ),
  'neighbours-swapped': tampered(
    log.map((e, i) => (i === 6 ? { ...log[7]!, index: 6 } : i === 7 ? { ...log[6]!, index: 7 } : e)),
    whole,
    12,
    [
      ['CHAIN_BROKEN', 7, 7],
      ['PROJECTION_EDITED', 6, 7],
    ],
  ),
  'rows-out-of-order': tampered([...log.slice(0, 6), log[7]!, log[6]!, ...log.slice(8)], whole, 12, [
    ['CHAIN_BROKEN', 7, 7],
  ]),
  'rows-far-out-of-order': tampered(
    [...log.slice(0, 4), log[9]!, ...log.slice(5, 9), log[4]!, ...log.slice(10)],
    whole,
    12,
    [
      ['CHAIN_BROKEN', 4, 4],
      ['CHAIN_BROKEN', 9, 9],
    ],
  ),
  'rows-in-reverse': tampered([...log].reverse(), { ...whole, ...held(0) }, 1, [['CHAIN_BROKEN', 1, 11]]),
  'row-twice': tampered(log.toSpliced(6, 0, log[6]!), whole, 12, [['CHAIN_BROKEN', 6, 6]]),
  'row-twice-far-apart': tampered(log.toSpliced(9, 0, log[6]!), whole, 12, [['CHAIN_BROKEN', 6, 6]]),
  'row-inserted-and-rows-renumbered': tampered(
    log.toSpliced(6, 0, rewrittenFrom6[6]!).map((e, index) => ({ ...e, index })),
    whole,
    12,
    [
      ['CHAIN_BROKEN', 6, 6],
      ['PROJECTION_EDITED', 6, 11],
    ],
  ),
  'row-inserted-before': tampered(log.toSpliced(6, 0, rewrittenFrom6[6]!), whole, 12, [['CHAIN_BROKEN', 6, 6]]),
  'row-inserted-beside': tampered(log.toSpliced(7, 0, rewrittenFrom6[6]!), whole, 12, [['CHAIN_BROKEN', 6, 6]]),
  'row-inserted-beside-the-last': tampered([...log.slice(0, 6), rewrittenFrom6[6]!, log[6]!], held(6), 7, [
    ['CHAIN_BROKEN', 6, 6],
  ]),
  'row-from-far-ahead': tampered(log.toSpliced(6, 0, rowAt(1000)), whole, 12, [['CHAIN_BROKEN', 1000, 1000]]),
  'index-edited': tampered(
    log.map((e) => (e.index === 6 ? { ...e, index: 1000 } : e)),
    whole,
    12,
    [['PROJECTION_EDITED', 6, 6]],
  ),
  'row-moved-to-the-end': tampered([...log.toSpliced(6, 1), { ...log[6]!, index: 1000 }], whole, 12, [
    ['CHAIN_BROKEN', 6, 6],
    ['PROJECTION_EDITED', 6, 6],
  ]),
  'leaf-malformed': misled(forge(SKETCHES, { 6: rewritten((leaf) => `0${leaf}`) }), [['LEAF_MALFORMED', 6, 6]]),
  'field-unknown': misled(forge(sketched(6, { more: { note: 'x' } }), {}), [['LEAF_MALFORMED', 6, 6]]),
  'body-not-canonical': misled(forge(SKETCHES, { 6: (_, body) => body.replace(',', ', ') }), [
    ['BODY_NOT_CANONICAL', 6, 6],
  ]),
  'member-twice': misled(forge(SKETCHES, { 6: (_, body) => body.replace(',"asOf"', ',"asOf":0,"asOf"') }), [
    ['BODY_NOT_CANONICAL', 6, 6],
  ]),
  ...Object.fromEntries(
    (
      [
        ['a-fraction', '1.5'],
        ['a-number-past-2-53', '9007199254740992'],
        ['an-exponent', '1e3'],
        ['an-escaped-u0000', '"\\u0000"'],
        ['a-raw-u0000', '"\u0000"'],
        ['a-lone-surrogate', '"\\ud800"'],
        ['a-needless-escape', '"\\u0041"'],
        ['nesting-of-65', `${'['.repeat(63)}1${']'.repeat(63)}`],
      ] as const
    ).map(([name, json]) => [
      `body-with-${name}`,
      misled(
        forge(sketched(6, { more: { details: { n: 7 } } }), {
          6: (_, body) => body.replace('"n":7', () => `"n":${json}`),
        }),
        [['BODY_NOT_CANONICAL', 6, 6]],
      ),
    ]),
  ),
  'leaf-that-is-not-utf-8': misled(
    forge(SKETCHES, {
      6: (place, body) => ({
        leaf: formatLeaf({ ...place, body }).map((byte, i, all) => (i === all.length - 3 ? 0xff : byte)),
      }),
    }),
    [['LEAF_MALFORMED', 6, 6]],
  ),
  'leaf-too-long': misled(forge(sketched(6, { more: { details: { n: 'x'.repeat(65_535) } } }), {}), [
    ['LEAF_MALFORMED', 6, 6],
  ]),
  'first-entry-that-names-an-earlier': misled(
    forge(SKETCHES, { 1: rewritten((leaf) => leaf.replace(' 1 -\n', ' 1 0\n')) }),
    [['LEAF_MALFORMED', 1, 1]],
  ),
  'later-entry-that-names-no-earlier': misled(
    forge(SKETCHES, { 6: rewritten((leaf) => leaf.replace(' 4 5\n', ' 4 -\n')) }),
    [['LEAF_MALFORMED', 6, 6]],
  ),
  ...Object.fromEntries(
    Object.entries({
      clause: { clause: 'Jane Doe' },
      role: { actor: { id: uuid(0xac), kind: 'staff', role: 'jane@example.com' } },
      operation: { operation: 'jane@example.com' },
      purpose: { purpose: 'Jane' },
      basis: { basis: '' },
      policy: { policy: 'the newest' },
      'a-category': { asked: ['jane@example.com'] },
      'a-refusal': { outcome: 'refused', refusal: { code: 'NO_GRANT', missing: ['jane@example.com'] } },
      details: { details: { note: 'Jane Doe' } },
      'a-name-in-details': { details: { 'jane@example.com': 1 } },
    }).map(([name, more]) => [
      `free-text-in-${name}`,
      misled(forge(sketched(6, { more }), {}), [['LEAF_MALFORMED', 6, 6]]),
    ]),
  ),
  'time-of-the-year-0': misled(forge(sketched(6, { more: { at: '0000-01-01T00:00:00.000Z' } }), {}), [
    ['LEAF_MALFORMED', 6, 6],
  ]),
  'count-skips': misled(forge(SKETCHES, { 8: placed({ history: { nth: 6, earlier: 6 as LogIndex } }) }), [
    ['SUBJECT_COUNT_BROKEN', 8, 8],
  ]),
  'count-goes-wrong-and-goes-on': misled(
    forge(SKETCHES, {
      6: placed({ history: { nth: 9, earlier: 5 as LogIndex } }),
      8: placed({ history: { nth: 10, earlier: 6 as LogIndex } }),
      11: placed({ history: { nth: 11, earlier: 8 as LogIndex } }),
    }),
    [['SUBJECT_COUNT_BROKEN', 6, 6]],
  ),
  'count-passes-over-a-wrong-one': misled(
    forge(SKETCHES, {
      6: placed({ history: null }),
      8: placed({ history: { nth: 4, earlier: 5 as LogIndex } }),
      11: placed({ history: { nth: 5, earlier: 8 as LogIndex } }),
    }),
    [['SUBJECT_COUNT_BROKEN', 6, 6]],
  ),
  'count-jumps-through-an-edited-entry': tampered(
    edited(
      forge(SKETCHES, { 8: placed({ history: { nth: 7, earlier: 6 as LogIndex } }) }),
      6,
      'convenience',
      'marketing',
    ),
    {},
    0,
    [
      ['CONTENT_EDITED', 6, 6],
      ['SUBJECT_COUNT_BROKEN', 8, 8],
    ],
  ),
  'earlier-entry-passed-over': misled(forge(SKETCHES, { 8: placed({ history: { nth: 5, earlier: 5 as LogIndex } }) }), [
    ['SUBJECT_COUNT_BROKEN', 8, 8],
  ]),
  'history-begins-again': misled(forge(SKETCHES, { 11: placed({ history: { nth: 1, earlier: null } }) }), [
    ['SUBJECT_COUNT_BROKEN', 11, 11],
  ]),
  'subject-not-counted': misled(forge(SKETCHES, { 11: placed({ history: null }) }), [['SUBJECT_COUNT_BROKEN', 11, 11]]),
  'nobody-counted': misled(forge(SKETCHES, { 9: placed({ history: { nth: 1, earlier: null } }) }), [
    ['SUBJECT_COUNT_BROKEN', 9, 9],
  ]),
  'subject-replaced-and-chained-anew': misled(
    forge(SKETCHES, { 8: (_, body) => body.replace(`"subject":"${uuid(1)}"`, `"subject":"${uuid(2)}"`) }),
    [
      ['SUBJECT_COUNT_BROKEN', 8, 8],
      ['RECORD_MOVED', 8, 8],
    ],
  ),
  'record-of-another': misled(forge(sketched(8, { records: [0x11, 0x21] }), {}), [['RECORD_MOVED', 8, 8]]),
  'records-of-another': misled(
    forge(sketched(4, { records: [0x21, 0x22] }).with(8, { ...SKETCHES[8], records: [0x21, 0x22] }), {}),
    [['RECORD_MOVED', 8, 8]],
  ),
  'record-never-created': misled(forge(sketched(8, { records: [0x99] }), {}), [['RECORD_ORIGIN_BROKEN', 8, 8]]),
  'record-read-before-it-was-created': misled(
    forge(sketched(2, { event: 'record.read' }).with(6, { ...SKETCHES[6], event: 'record.created' }), {}),
    [
      ['RECORD_ORIGIN_BROKEN', 2, 2],
      ['RECORD_ORIGIN_BROKEN', 6, 6],
    ],
  ),
  'record-created-by-a-refusal': misled(
    forge(sketched(2, { more: { outcome: 'refused', refusal: { code: 'NO_GRANT' } } }), {}),
    [['RECORD_ORIGIN_BROKEN', 2, 2]],
  ),
  'record-created-again': misled(forge(sketched(8, { event: 'record.created' }), {}), [['RECORD_ORIGIN_BROKEN', 8, 8]]),
  'record-created-again-by-another': misled(forge(sketched(4, { records: [0x11, 0x21] }), {}), [
    ['RECORD_MOVED', 4, 4],
    ['RECORD_ORIGIN_BROKEN', 4, 4],
  ]),
  'record-of-an-edited-entry': tampered(edited(log, 2, 'convenience', 'marketing'), whole, 12, [
    ['CONTENT_EDITED', 2, 2],
  ]),
  'record-of-nobody': misled(forge(sketched(9, { records: [0x11] }), {}), [['RECORD_MOVED', 9, 9]]),
  'permission-after-a-change-about-the-subject': misled(forge(sketched(6, { asOf: 5 }), {}), [
    ['DECIDED_ON_STALE_FACTS', 6, 6],
  ]),
  'permission-after-a-change-for-all': misled(forge(sketched(7, { asOf: 0 }), {}), [['DECIDED_ON_STALE_FACTS', 7, 7]]),
  'permission-on-facts-to-come': misled(forge(sketched(6, { asOf: 7 }), {}), [['DECIDED_ON_STALE_FACTS', 6, 6]]),
  'fork-at-one-size': tampered(log, checkpoints([checkpoint(), checkpoint(12, rewrittenFrom6)]), 12, [
    ['ROOT_MISMATCH', 0, 11],
    ['FORK', 0, 11],
  ]),
  'fork-before': tampered(log, checkpoints([checkpoint(9, rewrittenFrom6), checkpoint()]), 12, [
    ['ROOT_MISMATCH', 0, 8],
    ['FORK', 0, 8],
  ]),
  'fork-over-a-guess': tampered(
    [6, 7].reduce((entries, i) => edited(entries, i, 'convenience', 'marketing'), log),
    checkpoints([checkpoint(), checkpoint(12, rewrittenFrom6)]),
    12,
    [
      ['CONTENT_EDITED', 6, 7],
      ['ROOT_MISMATCH', 0, 11],
      ['FORK', 0, 11],
    ],
  ),
  'fork-past-the-end': tampered(log.slice(0, 6), checkpoints([checkpoint(), checkpoint(12, rewrittenFrom6)]), 0, [
    ['TAIL_CUT', 6, 11],
    ['FORK', 0, 11],
  ]),
  'checkpoint-of-another-key': unusable(checkpoints([checkpoint(12, log, impostorKey)])),
  'checkpoint-of-another-origin': unusable(
    checkpoints([signNote(formatCheckpoint({ origin: 'elsewhere.example', size: 12, root: rootOf(log) }), [logKey])]),
  ),
  'checkpoint-that-is-no-note': unusable(checkpoints([checkpoint(), 'hello\n'])),
  'checkpoint-that-is-another-text': unusable(checkpoints([signNote('hello\n', [logKey])])),
  'quorum-out-of-reach': unusable(cosigned(2, 4)),
  'checkpoint-edited': tampered(log, checkpoints([checkpoint().replace('\n12\n', '\n11\n'), checkpoint(3)]), 3, [
    ['SIGNATURE_INVALID', null, null],
  ]),
  'quorum-not-met': {
    ...intact(cosigned(1, 2), 0),
    verdict: 'EVIDENCE_TOO_WEAK',
    findings: [['QUORUM_NOT_MET', null, null]],
  },
  'checkpoint-stale': {
    ...intact(cosigned(2, 2, 3601), 12),
    verdict: 'EVIDENCE_TOO_WEAK',
    findings: [['CHECKPOINT_STALE', null, null]],
  },
  'checkpoint-cosigned-in-the-future': {
    ...intact(cosigned(2, 2, -301), 12),
    verdict: 'EVIDENCE_TOO_WEAK',
    findings: [['CHECKPOINT_STALE', null, null]],
  },
  'held-links-that-contradict': tampered(log, { held: [...held(8).held, ...heldAs(8, GENESIS).held] }, 9, [
    ['ROOT_MISMATCH', 0, 8],
  ]),
  'held-links-contradicted-and-confirmed': tampered(
    log,
    { held: [...held(3, 8).held, ...[5, 6, 10, 11].flatMap((i) => heldAs(i, GENESIS).held)] },
    9,
    [
      ['ROOT_MISMATCH', 4, 5],
      ['ROOT_MISMATCH', 9, 10],
    ],
  ),
  'held-links-past-the-end-that-contradict': tampered(
    log,
    { held: [...heldAs(13, GENESIS).held, ...heldAs(13, log[3]!.link).held] },
    0,
    [['TAIL_CUT', 12, 13]],
  ),
  'checkpoint-fresh-by-too-few': {
    ...intact(cosignedTwice(), 12),
    verdict: 'EVIDENCE_TOO_WEAK',
    findings: [['CHECKPOINT_STALE', null, null]],
  },
  'checkpoint-of-no-known-time': {
    ...intact(checkpoints([checkpoint()], { freshness: { maxSeconds: 3600, now: new Date(0) } }), 12),
    verdict: 'EVIDENCE_TOO_WEAK',
    findings: [['CHECKPOINT_STALE', null, null]],
  },
};
