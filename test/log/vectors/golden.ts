/**
 * The golden log: one honest log with all that is published of it, of fixed bodies and keys, as a server of today writes it.
 * Whatever comes later must still verify it.
 *
 *     log.ndjson              the export                     log.vkey, witness.vkey    whose signatures they are
 *     checkpoint              of all entries, cosigned       kept                      an older one, cosigned before
 *     137.tlog-proof, .leaf   that entry 137 is among them   256-300.add-checkpoint    that the older is its beginning
 *     tile/…                  hash tiles and entry bundles, full and partial (C2SP tlog-tiles)
 */
import { formatAddCheckpoint } from '../../../src/log/add-checkpoint.js';
import { hexBytes, toUtf8 } from '../../../src/log/bytes.js';
import type { Json } from '../../../src/log/canonical.js';
import { formatCheckpoint, signCheckpoint } from '../../../src/log/checkpoint.js';
import { proveConsistency } from '../../../src/log/consistency.js';
import { cosign } from '../../../src/log/cosignature.js';
import { formatClosingLine, formatExportLine } from '../../../src/log/export-line.js';
import { sha256Hex } from '../../../src/log/hash.js';
import { proveInclusion } from '../../../src/log/inclusion.js';
import type { LogIndex } from '../../../src/log/leaf.js';
import { formatVerifierKey } from '../../../src/log/note-key.js';
import { formatProof } from '../../../src/log/proof.js';
import { formatBundle, formatBundlePath, formatTilePath, newTiles, TILE_WIDTH } from '../../../src/log/tile.js';
import { type Hash, HashTable, rootAt } from '../../../src/log/tree.js';
import { logOf, type Sketch, uuid } from '../arbitraries.js';
import { logKey, ORIGIN, witnessKeys } from '../keys.js';

export const SIZE = 300;
export const KEPT = 256;
export const PROVEN = 137;
const [witness] = witnessKeys;
const COSIGNED_AT = { [KEPT]: 1_790_000_000, [SIZE]: 1_790_000_044 };

const SYSTEM = { actor: { id: uuid(0), kind: 'system' } };
const OFFICER = { actor: { id: uuid(0x0f), kind: 'staff', role: 'privacy-officer' } };
const REVIEWER = { actor: { id: uuid(0x5e), kind: 'staff', role: 'security-reviewer' }, purpose: undefined };
const PROCESSOR = { actor: { id: uuid(0xb0), kind: 'processor', onBehalfOf: uuid(0xac) } };
const REFUSED = { outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW', missing: ['a grant'] } };
const own = (subject: number) => ({ actor: { id: uuid(subject), kind: 'user' }, clause: '6.4', purpose: undefined });

const PEOPLE = [1, 2, 3, 4, 5];

const BEGINNING: readonly Sketch[] = [
  { event: 'purpose.declared', subject: null, more: SYSTEM },
  {
    event: 'category.declared',
    subject: null,
    more: { ...SYSTEM, details: { channels: ['mail', 'web'], sensitive: false } },
  },
  { event: 'legal-basis.declared', subject: null, more: { ...SYSTEM, basis: 'contract' } },
  { event: 'service.enrolled', subject: null, more: { ...SYSTEM, details: { service: 'web' } } },
  {
    event: 'processor.registered',
    subject: null,
    more: { ...OFFICER, details: { kind: 'payment', processor: uuid(0xb0) } },
  },
  ...PEOPLE.flatMap((subject) => [
    { event: 'user.registered', subject, more: SYSTEM },
    { event: 'record.created', subject, records: [16 * subject, 16 * subject + 1] },
  ]),
];

/** What then goes on happening, to one person after another. */
const EVERYDAY: readonly ((subject: number, index: number) => Sketch)[] = [
  (subject) => ({ subject, records: [16 * subject], more: { basis: 'contract', asked: ['user.name'] } }),
  (subject) => ({ subject, records: [16 * subject, 16 * subject + 1], more: own(subject) }),
  (subject) => ({ subject, more: REFUSED }),
  (subject) => ({ event: 'record.updated', subject, records: [16 * subject + 1], more: own(subject) }),
  () => ({ event: 'user.listed', subject: null, more: { details: { count: PEOPLE.length } } }),
  (subject) => ({ subject, records: [16 * subject], more: PROCESSOR }),
  (subject) => ({ event: 'grant.approved', subject, more: { ...OFFICER, details: { staff: uuid(0xac) } } }),
  (subject, index) => ({
    event: 'history.read',
    subject,
    more: { ...own(subject), details: { challenge: sha256Hex(toUtf8(`challenge ${index}`)) } },
  }),
  (_, index) => ({
    event: 'log.read',
    subject: null,
    more: { ...REVIEWER, details: { until: new Date(Date.UTC(2026, 10, 22, 10) + index).toISOString() } },
  }),
  (subject) => ({ event: 'grant.revoked', subject, more: { ...OFFICER, details: { staff: uuid(0xac) } } }),
  (subject) => ({ event: 'record.listed', subject, records: [], more: { details: { found: 0 } as Json } }),
];

/** By path below test/vectors/golden. */
export async function golden(): Promise<Map<string, string | Uint8Array>> {
  const more = Array.from({ length: SIZE - BEGINNING.length }, (_, nth) =>
    EVERYDAY[nth % EVERYDAY.length]!(PEOPLE[nth % PEOPLE.length]!, nth),
  );
  const entries = logOf([...BEGINNING, ...more]);
  const table = new HashTable();
  for (const { link } of entries) table.append(hexBytes(link) as Hash);

  const note = async (size: keyof typeof COSIGNED_AT): Promise<string> => {
    const head = { origin: ORIGIN, size, root: await rootAt(size, table) };
    return signCheckpoint(head, logKey) + cosign(formatCheckpoint(head), witness!, COSIGNED_AT[size]!).line;
  };
  const checkpoint = await note(SIZE);
  const inclusion = { index: PROVEN as LogIndex, hashes: await proveInclusion(PROVEN, SIZE, table), checkpoint };
  const consistency = { oldSize: KEPT, proof: await proveConsistency(KEPT, SIZE, table), checkpoint };
  const files = new Map<string, string | Uint8Array>([
    ['log.ndjson', entries.map(formatExportLine).join('') + formatClosingLine({ entries: SIZE, last: SIZE - 1 })],
    ['log.vkey', `${formatVerifierKey(logKey)}\n`],
    ['witness.vkey', `${formatVerifierKey(witness!)}\n`],
    ['checkpoint', checkpoint],
    ['kept', await note(KEPT)],
    [`${PROVEN}.tlog-proof`, formatProof(inclusion)],
    [`${PROVEN}.leaf`, entries[PROVEN]!.leaf],
    [`${KEPT}-${SIZE}.add-checkpoint`, formatAddCheckpoint(consistency)],
  ]);
  for (const tile of newTiles(0, SIZE)) {
    const first = tile.index * TILE_WIDTH;
    const at = Array.from({ length: tile.width }, (_, nth) => ({ level: 8 * tile.level, index: first + nth }));
    files.set(formatTilePath(tile), Buffer.concat(await table.read(at)));
    const leaves = entries.slice(first, first + tile.width).map(({ leaf }) => leaf);
    if (tile.level === 0) files.set(formatBundlePath(tile), formatBundle(leaves));
  }
  return files;
}
